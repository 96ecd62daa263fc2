"""The evaluation of a scored table, as far as its targets are known."""

from __future__ import annotations

from ml_project.config import Config
from ml_project.evaluation.findings import Evaluation, Outcome
from ml_project.evaluation.measuring import measure_outcome
from ml_project.evaluation.target_codes import encode_target
from ml_project.prediction.batch_sample import Sample
from ml_project.prediction.pipeline import PredictionPipeline

MAX_RESAMPLES_OF_A_SAMPLE = 100
"""Of tens of thousands of rows the intervals are narrow, and their ends need not be exact."""


def evaluate_scored(pipeline: PredictionPipeline, sample: Sample, config: Config) -> Evaluation:
    """Return metrics and intervals of rows of a scored table, without tables, figures and explanations.

    Raises
    ------
    TargetError
        When the target holds an unknown class.
    """
    y_true = encode_target(sample.y_true.to_frame(pipeline.target_column), pipeline.target_column, pipeline.classes)
    settings = config.evaluation
    if not sample.is_whole:
        n_samples = min(settings.n_bootstrap_samples, MAX_RESAMPLES_OF_A_SAMPLE)
        settings = settings.model_copy(update={"n_bootstrap_samples": n_samples})
    return measure_outcome(
        Outcome(y_true, sample.outputs),
        config.model_copy(update={"evaluation": settings}),
        task=pipeline.task,
        target=pipeline.target_column,
        classes=pipeline.classes,
    )
