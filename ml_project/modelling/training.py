"""The training run: from a config to a leaderboard and an exported, evaluated, registered model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ml_project.artifacts.export import export_artifact, store_metrics
from ml_project.artifacts.loading import LoadedArtifact, load_artifact
from ml_project.config import Config
from ml_project.config_sources import write_config
from ml_project.errors import TrackingError
from ml_project.evaluation.evaluate import Evaluation, evaluate
from ml_project.modelling.candidate_runs import run_candidates, search_identity
from ml_project.modelling.candidates import Candidate, select_candidates
from ml_project.modelling.code_version import CodeVersion, read_code_version
from ml_project.modelling.estimators import check_preprocessing, resolve_device
from ml_project.modelling.journal import search_journal
from ml_project.modelling.leaderboard import Entry, choose_winner, to_frame
from ml_project.modelling.project_parts import Project
from ml_project.modelling.records import record_run, record_searches, record_start
from ml_project.modelling.reports import readable_write_failures, write_reports
from ml_project.modelling.training_data import (
    Dataset,
    check_metric_names,
    make_training_data,
    read_dataset,
    used_schema,
)
from ml_project.output_places import check_output_places
from ml_project.tracking.records import TrackedRun
from ml_project.tracking.tracker import Tracker, open_tracker

REPORTS = "training"


@dataclass(frozen=True)
class TrainingResult:
    """What a training run leaves.

    Attributes
    ----------
    leaderboard
        Table of the candidates.
    evaluation
        Evaluation of the exported model on the holdout.
    artifact
        The exported model, read back.
    paths
        Where everything lies, by what it is.
    tracked
        Where the record of the run lies.
    tracking_problem
        Why that record is incomplete; ``None`` where it is complete.
    """

    leaderboard: pd.DataFrame
    evaluation: Evaluation
    artifact: LoadedArtifact
    paths: dict[str, Path]
    tracked: TrackedRun
    tracking_problem: TrackingError | None = None


def train(config: Config, project: Project) -> TrainingResult:
    """Run a training from data to registered model.

    The holdout is scored by the exported file, read back: what is evaluated is what is served.

    Parameters
    ----------
    config
        What to do.
    project
        Schema, feature processes and candidates.

    Raises
    ------
    MlProjectError
        When the config, the data, every candidate or the export fails. Whatever was written before stays, and an
        interrupted search goes on where it was when the same run is started again. A problem of the tracking server or
        database is no such failure: the result tells of it.
    """
    candidates = check_plan(config, project)
    dataset = read_dataset(config, project)
    data = make_training_data(dataset, config, project)
    code = read_code_version()
    reports = config.evaluation.directory / REPORTS
    identity = search_identity(candidates, config, project, dataset)
    with (
        open_tracker(config) as tracker,
        search_journal(config.modelling.search_directory, identity) as open_study,
    ):
        record_start(tracker, config, dataset, code)
        entries = run_candidates(
            candidates,
            config,
            project,
            dataset,
            data,
            lambda searches: record_searches(tracker, searches, data.metrics[0]),
            open_study,
        )
        winner = choose_winner(entries, config.modelling.selection_rule)
        leaderboard = to_frame(entries, winner)
        artifact = export_winner(winner, config, project, dataset, code)
        evaluation = evaluate(artifact.pipeline, dataset.holdout_raw, config, train_raw=dataset.training_raw)
        store_metrics(artifact.path, evaluation.metrics)
        artifact = load_artifact(artifact.path, project.processes)
        with readable_write_failures(reports, f"the model is exported to {artifact.path}"):
            paths = write_reports(reports, artifact, evaluation, leaderboard)
            paths["config"] = write_config(config, reports / "config.yaml")
        record_run(tracker, artifact, evaluation, leaderboard, dataset, reports)
        tracked, problem = _finish(tracker)
    return TrainingResult(leaderboard, evaluation, artifact, paths, tracked, problem)


def _finish(tracker: Tracker) -> tuple[TrackedRun, TrackingError | None]:
    try:
        return tracker.finish(), None
    except TrackingError as problem:
        return TrackedRun(), problem


def check_plan(config: Config, project: Project) -> Sequence[Candidate]:
    """Return the candidates of a run whose config fits the project; no data is read.

    Raises
    ------
    ConfigError, FeatureError
        When a candidate, process, column, metric or device of the config does not exist, or a place for results cannot
        be written to.
    """
    candidates = select_candidates(project.candidates, config.modelling.candidates)
    used_schema(config, project)
    check_preprocessing(config, project)
    check_metric_names(config)
    resolve_device(config.compute)
    check_output_places(
        files={"artifacts.path": config.artifacts.path},
        folders={
            "evaluation.directory": config.evaluation.directory / REPORTS,
            "modelling.search_directory": config.modelling.search_directory,
        },
    )
    return candidates


def export_winner(
    winner: Entry, config: Config, project: Project, dataset: Dataset, code: CodeVersion
) -> LoadedArtifact:
    """Write the winner to the config's path and return the exported model, read back."""
    assert winner.final is not None  # set by the search for every candidate that is no failure
    path = export_artifact(
        path=config.artifacts.path,
        estimator=winner.final.estimator,
        config=config,
        raw_schema=dataset.schema,
        task=dataset.task,
        classes=dataset.target.classes,
        training_raw=dataset.training_raw,
        comparison_raw=dataset.holdout_raw,
        name=winner.name,
        git_commit=code.label,
        data_fingerprint=dataset.fingerprint,
    )
    return load_artifact(path, project.processes)
