"""What a new project shall be: decided from the user's words and the data, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ml_project.config import DataConfig, Task
from ml_project.data.raw_schema import RawSchema

SplitStrategy = Literal["random", "stratified", "grouped", "chronological"]


@dataclass(frozen=True)
class ColumnRoles:
    """What the user said of single columns; what is ``None`` is decided from the data.

    Attributes
    ----------
    target
        Column to predict.
    id
        Column that identifies a row.
    time
        Column that orders the rows in time, for chronological splits.
    group
        Column whose equal values must stay together, for grouped splits.
    left_out
        Columns that shall be no features.
    task
        What the target poses.
    """

    target: str
    id: str | None = None
    time: str | None = None
    group: str | None = None
    left_out: tuple[str, ...] = ()
    task: Task | None = None


@dataclass(frozen=True)
class Source:
    """Where the data lies, as far as the user said so, with what was found out by looking at it.

    Attributes
    ----------
    data
        Address, format, dialect of CSV, table: what opens the source here and now. Its ``target_column`` is the target.
    is_file
        Whether it is one file on this machine, which a project can have a copy of.
    n_bytes
        Size of that file in bytes; ``None`` where it is none.
    """

    data: DataConfig
    is_file: bool
    n_bytes: int | None = None


@dataclass(frozen=True)
class FeatureProcessPlan:
    """One ready-made feature process to write into ``features.py``.

    Attributes
    ----------
    kind
        Class in ``ml_project.feature_engineering``.
    name
        Name of the feature.
    arguments
        Keyword arguments of the class.
    """

    kind: Literal["DatePart", "ElapsedDays"]
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class LeftOut:
    """A column that is no feature, and why: a line for the reader of the config."""

    column: str
    reason: str


@dataclass(frozen=True)
class ProjectPlan:
    """Everything that the writers need to know.

    Attributes
    ----------
    package
        Name of the Python package, for instance ``customer_churn``.
    data
        The data as the new project's config names it; its source is relative to the project's root where it is a copy.
    committed_data
        The file with real rows that belongs to the repository, relative to the root: the whole table or a sample.
    schema
        Rules of all columns of the table, in its order.
    task
        Kind of target.
    columns
        Raw columns that are features as they are.
    processes
        Feature processes.
    left_out
        Columns that are neither features nor inputs of processes, target, identifier, time or group.
    split_strategy, time_column, group_column
        How rows are held out.
    n_rows
        Rows of the table.
    n_classes
        Classes of the target; ``None`` where it is a number.
    n_folds
        Folds of the cross-validation: fewer than usual where a class is rare.
    warnings
        What the user should look at, in whole sentences: suspected leaks, guesses, oddities of the data.
    """

    package: str
    data: DataConfig
    committed_data: str
    schema: RawSchema
    task: Task
    columns: tuple[str, ...]
    processes: tuple[FeatureProcessPlan, ...]
    left_out: tuple[LeftOut, ...]
    split_strategy: SplitStrategy
    n_rows: int
    n_classes: int | None = None
    n_folds: int = 5
    time_column: str | None = None
    group_column: str | None = None
    warnings: tuple[str, ...] = field(default=())

    @property
    def title(self) -> str:
        """Name for people: ``Customer churn``."""
        return self.package.replace("_", " ").capitalize()
