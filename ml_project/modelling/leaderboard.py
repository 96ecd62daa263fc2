"""The leaderboard: candidates with mean and spread of their scores and what they cost, and the rule that picks one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from ml_project.errors import ModellingError, Problem
from ml_project.modelling.candidate_search import CandidateSearch
from ml_project.modelling.fitting import FinalFit
from ml_project.modelling.trials import Trial

SelectionRule = Literal["best_mean", "one_standard_error"]


@dataclass(frozen=True)
class Entry:
    """A candidate's line in the leaderboard.

    Attributes
    ----------
    search
        The finished search.
    metrics
        Scikit-learn's names of the scorers, the ranking one first.
    final
        The best trial's fit on all training rows; ``None`` before that.
    """

    search: CandidateSearch
    metrics: tuple[str, ...]
    final: FinalFit | None = None

    @property
    def name(self) -> str:
        """Return the candidate's name."""
        return self.search.candidate.name

    @property
    def best(self) -> Trial | None:
        """Return the best trial."""
        return self.search.best

    @property
    def mean(self) -> float:
        """Return the best trial's mean ranking score; greater is better, NaN where no trial is complete."""
        return self.best.mean(self.metrics[0]) if self.best else float("nan")

    @property
    def deviation(self) -> float:
        """Return the standard deviation of the ranking score over the folds, with n - 1 in the denominator."""
        scores = self.best.scores(self.metrics[0]) if self.best else []
        return float(np.std(scores, ddof=1)) if len(scores) > 1 else float("nan")

    @property
    def standard_error(self) -> float:
        """Return the standard error of the mean over the folds."""
        return self.deviation / np.sqrt(self.best.n_folds_done) if self.best else float("nan")

    @property
    def failure(self) -> str | None:
        """Return why the candidate has no score, or why its last fit failed."""
        if self.best is None:
            return next(
                (trial.reason for trial in self.search.trials if trial.state == "failed"), "no trial was complete"
            )
        return self.final.failure if self.final else None


def choose_winner(entries: Sequence[Entry], rule: SelectionRule) -> Entry:
    """Return the entry that a rule selects.

    Parameters
    ----------
    entries
        Entries of all candidates.
    rule
        ``best_mean`` takes the best mean. ``one_standard_error`` takes the simplest candidate whose mean is within one
        standard error of the best one (Breiman et al., Classification and Regression Trees, 1984, section 3.4.3).

    Raises
    ------
    ModellingError
        When every candidate failed.
    """
    sound = [entry for entry in entries if entry.failure is None]
    if not sound:
        problems = [Problem(entry.failure or "", entry.name) for entry in entries]
        raise ModellingError("Every candidate failed; no model was exported.", problems)
    best = max(sound, key=lambda entry: entry.mean)
    if rule == "best_mean":
        return best
    margin = best.mean - (best.standard_error if np.isfinite(best.standard_error) else 0.0)
    return min((entry for entry in sound if entry.mean >= margin), key=lambda entry: entry.search.candidate.complexity)


def to_frame(entries: Sequence[Entry], winner: Entry | None = None) -> pd.DataFrame:
    """Return the leaderboard as a table, best mean first and failed candidates last.

    Scores are scikit-learn's: greater is better, losses are negative.
    """
    ordered = sorted(entries, key=lambda entry: (entry.failure is not None, -np.nan_to_num(entry.mean, nan=-np.inf)))
    rows = [_row(rank, entry, entry is winner) for rank, entry in enumerate(ordered, start=1)]
    return pd.DataFrame(rows)


def _row(rank: int, entry: Entry, selected: bool) -> dict[str, Any]:
    best, final, search = entry.best, entry.final, entry.search
    further = {f"{metric}_mean": best.mean(metric) if best else np.nan for metric in entry.metrics[1:]}
    warnings = sorted({text for trial in search.trials for result in trial.results for text in result.warnings})
    return {
        "rank": rank,
        "candidate": entry.name,
        "selected": selected,
        "metric": entry.metrics[0],
        "mean": entry.mean,
        "std": entry.deviation,
        "standard_error": entry.standard_error,
        **further,
        "fit_seconds": final.fit_seconds if final else np.nan,
        "predict_ms_per_1000_rows": 1000 * final.predict_seconds_per_1000_rows if final else np.nan,
        "artifact_kilobytes": final.size_bytes / 1024 if final else np.nan,
        "n_trials": len(search.trials),
        "n_pruned": sum(trial.state == "pruned" for trial in search.trials),
        "n_failed": sum(trial.state == "failed" for trial in search.trials),
        "status": "failed" if entry.failure else "complete",
        "reason": entry.failure or "",
        "parameters": json.dumps(dict(best.parameters)) if best else "",
        "warnings": "; ".join(warnings[:3]),
    }
