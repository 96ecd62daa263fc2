"""The table as the new project will see it: coerced by its schema, with its target."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ml_project.config import DataConfig, Task
from ml_project.data.coercion import coerce
from ml_project.data.raw_schema import ColumnRule, RawSchema
from ml_project.data.target import Target, read_target, rows_with_target
from ml_project.errors import InvalidDataError
from ml_project.validation.expectations import check_batch
from ml_project.validation.frames import check_raw
from scaffolding.profiling.column_profile import ColumnProfile
from scaffolding.profiling.column_rules import schema_of
from scaffolding.profiling.task import decide_task, task_warnings

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class TypedTable:
    """The table in the form in which a training sees it.

    Attributes
    ----------
    frame_names
        Names of all columns of the source, in its order.
    schema
        Rules of the usable ones.
    raw
        Coerced rows that have a target, of shape ``(n_rows, n_rules)``.
    target
        The target as a training reads it.
    warnings
        What the user should know of the choice of the task.
    """

    frame_names: tuple[str, ...]
    schema: RawSchema
    raw: pd.DataFrame
    target: Target
    warnings: tuple[str, ...]


def type_table(
    frame: pd.DataFrame,
    profiles: Mapping[str, ColumnProfile],
    *,
    data: DataConfig,
    task: Task | None,
) -> TypedTable:
    """Return the table with its inferred schema, which every row is made sure to fulfil.

    Parameters
    ----------
    frame
        Table of shape ``(n_rows, n_columns)`` as a source gives it; it is not changed.
    profiles
        What its columns show.
    data
        The columns with a purpose, the texts that mean a missing value, and what happens to rows without a target.
    task
        What the target poses, if the user said so.

    Raises
    ------
    ConfigError
        When the target does not fit the task.
    InvalidDataError
        When the rules do not fit the table, which would be an error of the inference.
    """
    target, missing_values = data.target_column, data.missing_values
    profile = profiles[target]
    values = _target_values(frame[target], profile, missing_values)
    decided = decide_task(values, profile, task)
    profile, classes = _classes(values, profile, decided)
    schema = schema_of({**profiles, target: profile}, target=target, classes=classes, id_column=data.id_column)
    wrong = "The rules inferred from the table do not fit it. That is an error of this program; please report it."
    try:
        raw = coerce(frame, schema, missing_values=missing_values)
    except InvalidDataError as error:
        raise InvalidDataError(wrong, error.problems) from error
    problems = [*check_raw(raw, schema), *check_batch(raw, schema)]
    if problems:
        raise InvalidDataError(wrong, problems)
    labelled = rows_with_target(raw, schema, data)
    return TypedTable(
        tuple(map(str, frame.columns)),
        schema,
        labelled,
        read_target(labelled, target, task=decided),
        tuple(task_warnings(values, profile, decided, task)),
    )


def _target_values(values: pd.Series[Any], profile: ColumnProfile, missing_values: Collection[str]) -> pd.Series[Any]:
    """Return the coerced values of a target without missing ones."""
    assert profile.kind is not None
    rule = ColumnRule(name=profile.name, kind=profile.kind, nullable=profile.n_missing > 0)
    typed = coerce(values.to_frame(profile.name), RawSchema(columns=(rule,)), missing_values=missing_values)
    column = typed[rule.name].dropna()
    return column.str.strip() if profile.kind == "text" else column


def _classes(
    values: pd.Series[Any], profile: ColumnProfile, task: Task
) -> tuple[ColumnProfile, tuple[Any, ...] | None]:
    """Return the classes of a target in ascending order, ``None`` in a regression, with its profile.

    Classes that are whole numbers are integers, however they are written.
    """
    if task == "regression":
        return profile, None
    if profile.is_numeric and profile.is_whole:
        profile, values = replace(profile, kind="integer"), values.astype("int64")
    return profile, tuple(sorted(values.unique().tolist()))
