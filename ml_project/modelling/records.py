"""What a training run tells the tracker."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ml_project.artifacts.loading import LoadedArtifact
from ml_project.config import Config
from ml_project.data.fingerprint import fingerprint
from ml_project.evaluation.evaluate import Evaluation
from ml_project.evaluation.scorers import greater_is_better
from ml_project.modelling.candidate_search import CandidateSearch
from ml_project.modelling.code_version import CodeVersion
from ml_project.modelling.training_data import Dataset, data_set_name
from ml_project.modelling.trials import Trial
from ml_project.tracking.records import DataRecord, HoldoutScore, ModelRecord, RunRecord, TrialRecord
from ml_project.tracking.tracker import Tracker

N_EXAMPLE_ROWS = 5


def record_start(tracker: Tracker, config: Config, dataset: Dataset, code: CodeVersion) -> None:
    """Record config, code and data."""
    tracker.start(
        RunRecord(
            name=f"training {data_set_name(config.data)}",
            config=config.model_dump(mode="json"),
            git_commit=code.commit,
            git_dirty=code.is_dirty,
            tags={"task": dataset.task},
        )
    )
    tracker.log_data(
        DataRecord(
            name=data_set_name(config.data),
            source=config.data.source,
            fingerprint=dataset.fingerprint,
            n_rows=len(dataset.raw),
            kinds={rule.name: rule.kind for rule in dataset.schema.columns},
        )
    )


def record_searches(tracker: Tracker, searches: Sequence[CandidateSearch], metric: str) -> None:
    """Record every trial."""
    for search in searches:
        tracker.log_trials(search.candidate.name, [_trial_record(trial, metric) for trial in search.trials])


def record_run(
    tracker: Tracker,
    artifact: LoadedArtifact,
    evaluation: Evaluation,
    leaderboard: pd.DataFrame,
    dataset: Dataset,
    reports: Path,
) -> None:
    """Record the results and register the model."""
    name, value = evaluation.ranking
    tracker.log_tags(
        {
            "winner": artifact.manifest.name,
            "model_version": artifact.model_version,
            "mlflow.runName": f"{artifact.manifest.name}, {name} {value:.4g}",  # what MLflow's list shows
        }
    )
    tracker.log_metrics(evaluation.metrics, part="test")
    tracker.log_metrics(evaluation.train_metrics, part="train")
    tracker.log_table(leaderboard, "leaderboard")
    tracker.log_files([reports])
    tracker.log_model(_model_record(artifact, dataset))
    tracker.register(
        HoldoutScore(
            metric=name,
            value=value,
            greater_is_better=greater_is_better(name),
            data_fingerprint=dataset.fingerprint,
            holdout_fingerprint=fingerprint(dataset.holdout_raw),
        )
    )


def _trial_record(trial: Trial, metric: str) -> TrialRecord:
    scores = trial.scores(metric)
    assert trial.state != "running"  # a finished search has no open trial
    assert trial.finished_at is not None
    return TrialRecord(
        number=trial.number,
        parameters=trial.parameters,
        fold_scores=scores,
        mean=trial.mean(metric) if scores else None,
        state=trial.state,
        started_at=trial.started_at,
        finished_at=trial.finished_at,
        reason=trial.reason,
    )


def _model_record(artifact: LoadedArtifact, dataset: Dataset) -> ModelRecord:
    inputs = list(artifact.pipeline.input_schema.names)
    example = dataset.training_raw[inputs].head(N_EXAMPLE_ROWS)
    return ModelRecord(
        artifact_path=artifact.path,
        example_raw=example,
        example_predictions=artifact.pipeline.predict(example),
        library_versions=artifact.manifest.library_versions,
    )
