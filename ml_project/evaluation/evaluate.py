"""The evaluation of a model on rows with known targets: metrics, tables, figures, explanations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from ml_project.config import Config
from ml_project.evaluation import tables
from ml_project.evaluation.explanations import explain
from ml_project.evaluation.figures import draw_explanations, draw_figures
from ml_project.evaluation.findings import Evaluation, Outcome
from ml_project.evaluation.measuring import measure_outcome
from ml_project.evaluation.scorers import default_metric, display_value, resolve_scorer
from ml_project.evaluation.target_codes import encode_target
from ml_project.prediction.pipeline import PredictionPipeline

__all__ = ["Evaluation", "evaluate"]


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
    evaluation = measure_outcome(
        outcome, config, task=pipeline.task, target=pipeline.target_column, classes=pipeline.classes, train=train
    )
    found = tables.make_tables(evaluation, outcome, train)
    evaluation = replace(evaluation, tables=found, figures=draw_figures(evaluation, outcome))
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


def _predict(pipeline: PredictionPipeline, raw: pd.DataFrame) -> Outcome:
    y_true = encode_target(raw, pipeline.target_column, pipeline.classes)
    predictions = pipeline.predict(raw)
    if pipeline.classes is None:
        return Outcome(y_true, predictions["value"].to_numpy(dtype=np.float64))
    return Outcome(y_true, predictions.iloc[:, 1:].to_numpy(dtype=np.float64))
