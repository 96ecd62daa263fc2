"""Metrics with their confidence intervals: of an exported model on the holdout, of the rows of a scored table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ml_project.config import Config, Task
from ml_project.evaluation.findings import Evaluation, Outcome
from ml_project.evaluation.metrics import METRICS, Interval, bootstrap_intervals, compute_metrics, missing_reasons
from ml_project.evaluation.scorers import default_metric, display_value, resolve_scorer, score_outputs

_OWN_NAMES = {
    "neg_log_loss": "log_loss",
    "neg_brier_score": "brier",
    "matthews_corrcoef": "mcc",
    "neg_root_mean_squared_error": "rmse",
    "neg_mean_absolute_error": "mae",
    "neg_median_absolute_error": "median_ae",
    "neg_mean_absolute_percentage_error": "mape",
    "neg_max_error": "max_error",
}
_MOST_SCORED_ROWS = 2_000_000
_MOST_RESAMPLED_ROWS = 50_000_000
_FEWEST_RESAMPLES = 100


def measure_outcome(
    outcome: Outcome,
    config: Config,
    *,
    task: Task,
    target: str,
    classes: Sequence[Any] | None,
    train: Outcome | None = None,
) -> Evaluation:
    """Return an evaluation without tables, figures and explanations.

    Parameters
    ----------
    outcome, train
        Rows to evaluate, and training rows to compare with.
    config
        Metrics, number of resamples, level of the intervals, seed.
    task, target, classes
        Kind of target, its name and its classes.

    Raises
    ------
    ConfigError
        When a metric of the config does not exist or does not fit the task.
    """
    scorers = _further_scorers(config, task)
    settings = config.evaluation
    metrics = _measure(task, outcome, scorers)
    n_resampled, n_scored = (
        min(settings.n_bootstrap_samples, max(_FEWEST_RESAMPLES, most // len(outcome.y_true)))
        for most in (_MOST_RESAMPLED_ROWS, _MOST_SCORED_ROWS)
    )
    seed, level = config.compute.seed, settings.confidence_level
    data = (task, outcome.y_true, outcome.outputs)
    intervals = bootstrap_intervals(*data, n_samples=n_resampled, level=level, seed=seed)
    if scorers:
        every = bootstrap_intervals(*data, n_samples=n_scored, level=level, seed=seed, scorers=scorers)
        intervals |= {display_value(name, 0.0)[0]: _display_interval(name, every[name]) for name in scorers}
    ranking = _own_name(config.modelling.metric or default_metric(task), task)
    reasons = missing_reasons(*data[:2], n_classes=len(classes) if classes else None)
    return Evaluation(
        task=task,
        target=target,
        classes=None if classes is None else tuple(classes),
        ranking=(ranking, metrics.get(ranking, float("nan"))),
        metrics=_defined(metrics),
        train_metrics={} if train is None else _defined(_measure(task, train, scorers)),
        intervals={name: interval for name, interval in intervals.items() if np.isfinite(metrics[name])},
        level=level,
        missing={name: reasons.get(name, "not defined for these rows") for name in metrics if np.isnan(metrics[name])},
        n_rows=len(outcome.y_true),
        n_train_rows=0 if train is None else len(train.y_true),
        tables={},
        figures={},
    )


def _measure(task: Task, outcome: Outcome, scorers: Sequence[str]) -> dict[str, float]:
    metrics = compute_metrics(task, outcome.y_true, outcome.outputs)
    for name in scorers:
        score = score_outputs(resolve_scorer(name, task), task, outcome.y_true, outcome.outputs)
        metrics.update([display_value(name, score)])
    return metrics


def _further_scorers(config: Config, task: Task) -> list[str]:
    """Return the scorers that the config names and no metric covers."""
    ranking = default_metric(task)
    names = dict.fromkeys([config.modelling.metric or ranking, *config.modelling.further_metrics])
    for name in names:
        if name != ranking:  # which is known to exist: looking it up would import scikit-learn
            resolve_scorer(name, task)
    return [name for name in names if _own_name(name, task) not in METRICS[task]]


def _own_name(name: str, task: Task) -> str:
    own = _OWN_NAMES.get(name)
    return own if own and not (own == "brier" and task != "binary") else display_value(name, 0.0)[0]


def _display_interval(name: str, interval: Interval) -> Interval:
    ends = sorted(display_value(name, end)[1] for end in (interval.low, interval.high))
    return Interval(*ends)


def _defined(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if np.isfinite(value)}
