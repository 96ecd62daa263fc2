"""What is measured for each task, with confidence intervals, and why a metric may be missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.config import Task
from ml_project.evaluation import formulas
from ml_project.evaluation.formulas import Codes, Floats
from ml_project.evaluation.missing import METRICS, missing_reasons
from ml_project.evaluation.scorers import (
    Scorer,
    default_metric,
    display_value,
    greater_is_better,
    resolve_scorer,
    score_names,
    score_outputs,
)

__all__ = [
    "METRICS",
    "Interval",
    "Scorer",
    "bootstrap_intervals",
    "compute_metrics",
    "default_metric",
    "display_value",
    "greater_is_better",
    "missing_reasons",
    "resolve_scorer",
    "score_names",
    "score_outputs",
]

_WEIGHTS_AT_ONCE = 2_000_000
"""Weights held in memory at the same time, 16 MB."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval; both ends are NaN where the rows do not allow one."""

    low: float
    high: float


def compute_metrics(task: Task, y_true: npt.NDArray[Any], outputs: npt.NDArray[Any]) -> dict[str, float]:
    """Return all metrics of a task.

    Parameters
    ----------
    task
        Kind of target.
    y_true
        Shape ``(n_rows,)``: codes ``0..k-1`` of the classes, in a binary task 1 for the positive one; or numbers.
    outputs
        Probabilities of shape ``(n_rows, n_classes)``, or values of shape ``(n_rows,)``. The label of a row is its
        most probable class.

    Returns
    -------
    dict
        Value by name, in the order of :data:`METRICS`. NaN where the rows do not define the metric;
        :func:`missing_reasons` says why.

    Examples
    --------
    >>> metrics = compute_metrics("regression", np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    >>> metrics["mae"], metrics["max_error"]
    (1.0, 2.0)
    """
    if len(y_true) == 0:
        return dict.fromkeys(METRICS[task], float("nan"))
    once = np.ones((1, len(y_true)))
    return {name: float(values[0]) for name, values in _weighted_metrics(task, y_true, outputs, once).items()}


def bootstrap_intervals(
    task: Task,
    y_true: npt.NDArray[Any],
    outputs: npt.NDArray[Any],
    *,
    n_samples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    scorers: Sequence[str] = (),
) -> dict[str, Interval]:
    """Return percentile bootstrap intervals of all metrics of a task.

    Rows are drawn with replacement, truth and prediction together; the model is not fitted again, so an interval
    shows what the choice of the evaluated rows contributes, not what that of the training rows does.

    Parameters
    ----------
    task, y_true, outputs
        As for :func:`compute_metrics`.
    n_samples
        Number of resamples.
    level
        Level of the intervals, above 0 and below 1.
    seed
        Start of the random sequence.
    scorers
        Scorers of scikit-learn to have intervals for beside the metrics; slower, as they are called per resample.

    References
    ----------
    B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13 (percentile intervals).
    """
    names = (*METRICS[task], *scorers)
    if len(y_true) < 2:
        return dict.fromkeys(names, Interval(float("nan"), float("nan")))
    parts: dict[str, list[Floats]] = {name: [] for name in names}
    found = {name: resolve_scorer(name, task) for name in scorers}
    for weights in _resample(len(y_true), n_samples, np.random.default_rng(seed)):
        for name, values in _weighted_metrics(task, y_true, outputs, weights).items():
            parts[name].append(values)
        for name, scorer in found.items():
            parts[name].append(_score_resamples(scorer, task, y_true, outputs, weights))
    return {name: _percentile_interval(np.concatenate(values), level) for name, values in parts.items()}


def _weighted_metrics(
    task: Task, y_true: npt.NDArray[Any], outputs: npt.NDArray[Any], weights: Floats
) -> dict[str, Floats]:
    outputs = np.asarray(outputs, dtype=np.float64)
    if task == "regression":
        return formulas.number_metrics(np.asarray(y_true, dtype=np.float64), outputs, weights)
    codes: Codes = np.asarray(y_true, dtype=np.int64)
    matrices = formulas.confusion(codes, outputs.argmax(axis=1).astype(np.int64), outputs.shape[1], weights)
    metrics = formulas.class_metrics(matrices)
    metrics["log_loss"] = formulas.mean(formulas.log_losses(codes, outputs), weights)
    if task == "binary":
        metrics |= formulas.positive_metrics(matrices) | formulas.ranking_metrics(codes == 1, outputs[:, 1], weights)
        metrics["brier"] = formulas.mean((outputs[:, 1] - codes.astype(np.float64)) ** 2, weights)
    else:
        metrics["roc_auc_ovr"] = formulas.one_versus_rest_area(codes, outputs, weights)
    return {name: metrics[name] for name in METRICS[task]}


def _resample(n_rows: int, n_samples: int, generator: np.random.Generator) -> Iterator[Floats]:
    """Yield how often each row is drawn, shape ``(at most n_samples, n_rows)``, in parts that fit into memory."""
    at_once = max(1, _WEIGHTS_AT_ONCE // n_rows)
    for start in range(0, n_samples, at_once):
        size = min(at_once, n_samples - start)
        drawn = generator.integers(n_rows, size=(size, n_rows)) + np.arange(size)[:, np.newaxis] * n_rows
        yield np.bincount(drawn.ravel(), minlength=size * n_rows).reshape(size, n_rows).astype(np.float64)


def _score_resamples(
    scorer: Scorer, task: Task, y_true: npt.NDArray[Any], outputs: npt.NDArray[Any], weights: Floats
) -> Floats:
    drawn = (np.repeat(np.arange(len(y_true)), row.astype(np.int64)) for row in weights)
    return np.array([score_outputs(scorer, task, y_true[rows], outputs[rows]) for rows in drawn])


def _percentile_interval(values: Floats, level: float) -> Interval:
    defined = values[np.isfinite(values)]
    if len(defined) < len(values) / 2:
        return Interval(float("nan"), float("nan"))
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))
