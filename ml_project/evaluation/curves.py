"""Points of ROC, precision-recall and calibration curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml_project.evaluation.formulas import Floats

Truths = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of a curve and the area that summarises it; NaN where the rows do not define it."""

    x: Floats
    y: Floats
    area: float


def roc_curve(positive: Truths, scores: Floats) -> Curve:
    """Return true against false positive rates, one point per different score."""
    hits, misses = _cumulated(positive, scores)
    rates_x, rates_y = misses / max(misses[-1], 1), hits / max(hits[-1], 1)
    defined = hits[-1] > 0 and misses[-1] > 0
    return Curve(rates_x, rates_y, float(np.trapezoid(rates_y, rates_x)) if defined else float("nan"))


def precision_recall_curve(positive: Truths, scores: Floats) -> Curve:
    """Return precision against recall, one point per different score; the area is the average precision."""
    hits, misses = (counts[1:] for counts in _cumulated(positive, scores))
    precision, recall = hits / (hits + misses), hits / max(hits[-1], 1)
    area = float((np.diff(recall, prepend=0) * precision).sum()) if hits[-1] else float("nan")
    return Curve(np.insert(recall, 0, 0.0), np.insert(precision, 0, precision[0]), area)


def calibration_bins(events: Truths, probabilities: Floats, n_bins: int = 10) -> pd.DataFrame:
    """Return mean probability and observed share of events in bins of about equally many rows.

    Returns
    -------
    pandas.DataFrame
        Columns ``probability``, ``share``, ``low`` and ``high`` (95% Wilson interval of the share; E. B. Wilson, 1927),
        ``n_rows``.
    """
    edges = np.unique(np.quantile(probabilities, np.linspace(0, 1, n_bins + 1)))
    numbers = np.searchsorted(edges[1:-1], probabilities, side="right")
    groups = pd.DataFrame({"probability": probabilities, "share": events.astype(np.float64)}).groupby(numbers)
    bins = groups.mean().assign(n_rows=groups.size()).reset_index(drop=True)
    z, n, share = 1.959964, bins["n_rows"], bins["share"]
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return bins.assign(low=centre - half, high=centre + half)[["probability", "share", "low", "high", "n_rows"]]


def _cumulated(positive: Truths, scores: Floats) -> tuple[Floats, Floats]:
    """Return counts of positive and negative rows down to each different score, from 0, highest score first."""
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    hits = np.cumsum(positive[order])[ends].astype(np.float64)
    return np.insert(hits, 0, 0.0), np.insert(ends + 1.0 - hits, 0, 0.0)
