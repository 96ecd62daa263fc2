"""The evaluation of an exported model on a table, apart from its training."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ml_project.artifacts.loading import LoadedArtifact, load_artifact
from ml_project.config import Config, SplitsConfig
from ml_project.config_sources import write_config
from ml_project.data.fingerprint import fingerprint
from ml_project.data.retrieval import read_historic
from ml_project.data.splits import holdout_split
from ml_project.data.target import rows_with_target
from ml_project.evaluation.evaluate import Evaluation, evaluate
from ml_project.evaluation.writing import write_evaluation
from ml_project.modelling.project_parts import Project
from ml_project.modelling.reports import readable_write_failures
from ml_project.modelling.training_data import data_set_name
from ml_project.output_places import check_output_places
from ml_project.validation.expectations import check_batch
from ml_project.validation.frames import validate_raw

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EvaluationResult:
    """What an evaluation leaves.

    Attributes
    ----------
    evaluation
        What was found.
    rows_evaluated
        Which rows were used, in words.
    artifact
        The model.
    paths
        Where everything lies, by what it is.
    """

    evaluation: Evaluation
    rows_evaluated: str
    artifact: LoadedArtifact
    paths: dict[str, Path]


def evaluate_artifact(config: Config, project: Project) -> EvaluationResult:
    """Evaluate the config's artifact on the config's data.

    Where the data is that of the training, only the holdout of that training counts; other data counts as a whole.

    Raises
    ------
    ArtifactError, DataSourceError, InvalidDataError
        When the model or the data cannot be used.
    """
    directory = config.evaluation.directory / data_set_name(config.data)
    check_output_places(folders={"evaluation.directory": directory})
    artifact = load_artifact(config.artifacts.path, project.processes)
    schema = artifact.manifest.raw_schema
    raw = validate_raw(read_historic(config.data, schema), schema)
    for problem in check_batch(raw, schema):
        logger.warning("Unexpected batch: %s", problem)
    raw = rows_with_target(raw, schema, config.data)
    rows, words = _rows_to_evaluate(raw, artifact)
    evaluation = evaluate(artifact.pipeline, rows, config)
    with readable_write_failures(directory, "nothing else is concerned"):
        paths = write_evaluation(evaluation, directory)
        write_config(config, directory / "config.yaml")
    places = {"metrics": paths["metrics_json"], "plots": paths["plot_metrics"].parent}
    return EvaluationResult(evaluation, words, artifact, places)


def _rows_to_evaluate(raw: pd.DataFrame, artifact: LoadedArtifact) -> tuple[pd.DataFrame, str]:
    manifest = artifact.manifest
    if fingerprint(raw) != manifest.data_fingerprint:
        return raw, f"All {len(raw):,} rows (other data than the training's)"
    # only these two parts are read, so that an artifact outlives changes of the others
    splits, seed = SplitsConfig.model_validate(manifest.config["splits"]), manifest.config["compute"]["seed"]
    _, holdout = holdout_split(raw, raw[manifest.target_column], splits, task=manifest.task, seed=seed)
    return raw.iloc[holdout].reset_index(drop=True), f"Holdout of the training ({len(holdout):,} rows)"
