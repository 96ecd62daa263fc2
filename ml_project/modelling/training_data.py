"""From the config to the data that a search works on: read, checked, split."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml_project.config import Config, DataConfig, Task
from ml_project.data.fingerprint import fingerprint
from ml_project.data.raw_schema import RawSchema
from ml_project.data.retrieval import read_historic
from ml_project.data.splits import holdout_split, make_folds
from ml_project.data.target import Target, read_target, rows_with_target
from ml_project.errors import ConfigError, InvalidDataError, Problem
from ml_project.evaluation.scorers import default_metric, resolve_scorer
from ml_project.modelling.estimators import build_features
from ml_project.modelling.fitting import TrainingData
from ml_project.modelling.project_parts import Project
from ml_project.suggestions import suggest
from ml_project.validation.engineered import check_engineered
from ml_project.validation.expectations import check_batch
from ml_project.validation.frames import validate_raw

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Dataset:
    """Checked raw data with its target, split into training and holdout.

    Attributes
    ----------
    schema
        Rules of the columns that this run uses.
    raw
        Raw data of all rows.
    target
        Target of all rows.
    training_rows, holdout_rows
        Positions of the rows.
    fingerprint
        Hash of ``raw``.
    """

    schema: RawSchema
    raw: pd.DataFrame
    target: Target
    training_rows: npt.NDArray[np.intp]
    holdout_rows: npt.NDArray[np.intp]
    fingerprint: str

    @property
    def task(self) -> Task:
        """Return the task that the target poses."""
        return self.target.task

    @property
    def training_raw(self) -> pd.DataFrame:
        """Return the raw training rows."""
        return self.raw.iloc[self.training_rows].reset_index(drop=True)

    @property
    def holdout_raw(self) -> pd.DataFrame:
        """Return the raw holdout rows."""
        return self.raw.iloc[self.holdout_rows].reset_index(drop=True)


def data_set_name(config: DataConfig) -> str:
    """Return a short name of the data: its file's or folder's, or the table of a database.

    Examples
    --------
    >>> data_set_name(DataConfig(source="s3://bucket/2026/customers.parquet", target_column="churn"))
    'customers'
    >>> data_set_name(DataConfig(source="sqlite:///crm.db?token=x", table="customers", target_column="churn"))
    'customers'
    """
    if config.table is not None or config.query is not None:
        return config.table or "query"
    return Path(config.source).stem


def used_schema(config: Config, project: Project) -> RawSchema:
    """Return the rules of the columns that a run uses: features, target, identifier, group and time.

    Raises
    ------
    ConfigError
        When the config names a column that the schema does not have.
    """
    named = {
        "data.target_column": config.data.target_column,
        "data.id_column": config.data.id_column,
        "splits.group_column": config.splits.group_column,
        "splits.time_column": config.splits.time_column,
    }
    known = project.schema.names
    problems = [
        Problem(f"is no column of ml_project/project/schema.py{suggest(column, known)}", field, value=column)
        for field, column in named.items()
        if column is not None and column not in known
    ]
    if problems:
        raise ConfigError("The config names columns that the schema does not have; nothing was started.", problems)
    needed = {*build_features(config, project).required_columns, *named.values()}
    return project.schema.select(name for name in needed if name is not None)


def read_dataset(config: Config, project: Project) -> Dataset:
    """Return the data of a training run, read, checked and split.

    Raises
    ------
    DataSourceError
        When the source cannot be read.
    InvalidDataError
        When the data breaks the schema or, with ``data.batch_expectations`` on ``refuse``, the expectations.
    """
    schema = used_schema(config, project)
    raw = validate_raw(read_historic(config.data, schema), schema)
    _check_expectations(raw, schema, config)
    raw = rows_with_target(raw, schema, config.data)
    target = read_target(
        raw, config.data.target_column, task=config.modelling.task, positive_class=config.data.positive_class
    )
    training_rows, holdout_rows = holdout_split(
        raw, raw[config.data.target_column], config.splits, task=target.task, seed=config.compute.seed
    )
    return Dataset(schema, raw, target, training_rows, holdout_rows, fingerprint(raw))


def make_training_data(dataset: Dataset, config: Config, project: Project) -> TrainingData:
    """Return the training rows with their folds and metrics.

    Raises
    ------
    FeatureError
        When a feature cannot be learned from.
    TargetError
        When the rows do not fill the folds.
    """
    raw, target = dataset.training_raw, dataset.target.values[dataset.training_rows]
    features = build_features(config, project)
    check_engineered(features.fit_transform(raw), features.kinds, training=True)
    folds = make_folds(raw, raw[config.data.target_column], config.splits, task=dataset.task, seed=config.compute.seed)
    return TrainingData(raw, target, folds, resolve_metrics(config, dataset.task))


def resolve_metrics(config: Config, task: Task) -> tuple[str, ...]:
    """Return the names of the scorers, the ranking one first, each checked to fit the task."""
    ranking = config.modelling.metric or default_metric(task)
    metrics = tuple(dict.fromkeys((ranking, *config.modelling.further_metrics)))
    for metric in metrics:
        resolve_scorer(metric, task)
    return metrics


def _check_expectations(raw: pd.DataFrame, schema: RawSchema, config: Config) -> None:
    problems = check_batch(raw, schema)
    if not problems:
        return
    if config.data.batch_expectations == "refuse":
        raise InvalidDataError(
            "The batch is not what ml_project/project/schema.py expects; correct the data or the expectations, or set "
            "data.batch_expectations to 'warn'.",
            problems,
        )
    for problem in problems:
        logger.warning("Unexpected batch: %s", problem)


def check_metric_names(config: Config) -> None:
    """Refuse metrics that are no scikit-learn scorers, before the task is known.

    Raises
    ------
    ConfigError
        Naming every unknown metric.
    """
    from sklearn.metrics import get_scorer_names

    known = get_scorer_names()
    named = {
        "modelling.metric": (config.modelling.metric,),
        "modelling.further_metrics": config.modelling.further_metrics,
    }
    problems = [
        Problem(f"is no scorer of scikit-learn{suggest(metric, known)}", field, value=metric)
        for field, metrics in named.items()
        for metric in metrics
        if metric is not None and metric not in known
    ]
    if problems:
        raise ConfigError("The metrics cannot be computed; nothing was started.", problems)
