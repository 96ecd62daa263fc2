"""The evaluation of a model that predicts: of the exported one on the holdout, of a scored table with known targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ml_project.config import Config, Task
from ml_project.evaluation import tables
from ml_project.evaluation.explanations import explain
from ml_project.evaluation.figures import draw_explanations, draw_figures
from ml_project.evaluation.findings import Evaluation, Outcome
from ml_project.evaluation.metrics import METRICS, Interval, bootstrap_intervals, compute_metrics, missing_reasons
from ml_project.evaluation.scorers import default_metric, display_value, resolve_scorer, score_outputs
from ml_project.evaluation.target_codes import encode_target
from ml_project.prediction.pipeline import PredictionPipeline

__all__ = ["Evaluation", "Outcome", "evaluate", "evaluate_outcome"]

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


def evaluate(
    pipeline: PredictionPipeline, raw: pd.DataFrame, config: Config, *, train_raw: pd.DataFrame | None = None
) -> Evaluation:
    """Return the evaluation of a pipeline on rows with known targets.

    Parameters
    ----------
    pipeline
        What predicts.
    raw
        Coerced raw data with the target; it is not changed.
    config
        Metrics, number of resamples, level of the intervals, explanations, seed.
    train_raw
        Rows that the model has learned from, to compare with; by default no comparison.

    Raises
    ------
    TargetError
        When the target is missing or holds an unknown class.
    ConfigError
        When a metric of the config does not exist or does not fit the task.
    """
    outcome = _predict(pipeline, raw)
    train = None if train_raw is None or train_raw.empty else _predict(pipeline, train_raw)
    evaluation = evaluate_outcome(
        outcome, config, task=pipeline.task, target=pipeline.target_column, classes=pipeline.classes, train=train
    )
    evaluation = replace(evaluation, tables={**evaluation.tables, "features": tables.describe_features(pipeline)})
    if not config.evaluation.explain:
        return evaluation
    name = config.modelling.metric or default_metric(pipeline.task)
    explanations = explain(
        pipeline,
        raw,
        outcome.y_true,
        scorer=resolve_scorer(name, pipeline.task),
        n_rows=config.evaluation.n_explained_rows,
        seed=config.compute.seed,
        background_raw=train_raw,
    )
    return replace(
        evaluation,
        tables={**evaluation.tables, **explanations.tables()},
        figures={**evaluation.figures, **draw_explanations(explanations, display_value(name, 0.0)[0])},
        explanations=explanations,
    )


def evaluate_outcome(
    outcome: Outcome,
    config: Config,
    *,
    task: Task,
    target: str,
    classes: Sequence[Any] | None,
    train: Outcome | None = None,
) -> Evaluation:
    """Return the evaluation of outputs that are already computed, without explanations.

    Parameters
    ----------
    outcome, train
        Rows to evaluate, and training rows to compare with.
    config
        As for :func:`evaluate`.
    task, target, classes
        Kind of target, its name and its classes.
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
    evaluation = Evaluation(
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
    found = tables.make_tables(evaluation, outcome, train)
    return replace(evaluation, tables=found, figures=draw_figures(evaluation, outcome))


def _predict(pipeline: PredictionPipeline, raw: pd.DataFrame) -> Outcome:
    y_true = encode_target(raw, pipeline.target_column, pipeline.classes)
    predictions = pipeline.predict(raw)
    if pipeline.classes is None:
        return Outcome(y_true, predictions["value"].to_numpy(dtype=np.float64))
    return Outcome(y_true, predictions.iloc[:, 1:].to_numpy(dtype=np.float64))


def _measure(task: Task, outcome: Outcome, scorers: Sequence[str]) -> dict[str, float]:
    metrics = compute_metrics(task, outcome.y_true, outcome.outputs)
    for name in scorers:
        score = score_outputs(resolve_scorer(name, task), task, outcome.y_true, outcome.outputs)
        metrics.update([display_value(name, score)])
    return metrics


def _further_scorers(config: Config, task: Task) -> list[str]:
    """Return the scorers that the config names and no metric covers."""
    names = dict.fromkeys([config.modelling.metric or default_metric(task), *config.modelling.further_metrics])
    for name in names:
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
