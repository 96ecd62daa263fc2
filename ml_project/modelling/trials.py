"""One trial: a candidate with drawn hyper-parameters and its scores on the folds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np

from ml_project.modelling.fitting import FoldResult

TrialState = Literal["running", "complete", "pruned", "failed"]


@dataclass
class Trial:
    """The course of a trial: fold results come in one after the other.

    Attributes
    ----------
    number
        Place in the candidate's search, from 0.
    parameters
        Hyper-parameters of the model.
    results
        Results of the folds scored so far, in order.
    """

    number: int
    parameters: Mapping[str, Any]
    results: list[FoldResult] = field(default_factory=list)
    state: TrialState = "running"
    reason: str | None = None
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    finished_at: datetime | None = None

    @property
    def n_folds_done(self) -> int:
        """Return the number of folds scored."""
        return len(self.results)

    def scores(self, metric: str) -> list[float]:
        """Return the scores of one metric, fold by fold; greater is better."""
        return [result.scores[metric] for result in self.results if result.failure is None]

    def mean(self, metric: str) -> float:
        """Return the mean score over the folds done; NaN where there is none."""
        scores = self.scores(metric)
        return float(np.mean(scores)) if scores else float("nan")

    def finish(self, state: TrialState, reason: str | None = None) -> None:
        """Close the trial."""
        self.state, self.reason, self.finished_at = state, reason, datetime.now(UTC)
