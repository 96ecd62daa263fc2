"""The table as the new project will see it: coerced by its schema, with its target."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ml_project.config import DataConfig
from ml_project.data.coercion import coerce
from ml_project.data.raw_schema import ColumnRule, RawSchema
from ml_project.data.target import Target, infer_task, read_target, rows_with_target
from ml_project.errors import InvalidDataError
from ml_project.validation.expectations import check_batch
from ml_project.validation.frames import check_raw
from scaffolding.profiling.column_profile import ColumnProfile
from scaffolding.profiling.column_rules import schema_of

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
    """

    frame_names: tuple[str, ...]
    schema: RawSchema
    raw: pd.DataFrame
    target: Target


def type_table(
    frame: pd.DataFrame,
    profiles: Mapping[str, ColumnProfile],
    *,
    data: DataConfig,
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

    Raises
    ------
    InvalidDataError
        When the rules do not fit the table, which would be an error of the inference.
    """
    target, missing_values = data.target_column, data.missing_values
    profile, classes = classes_of(frame[target], profiles[target], missing_values)
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
    return TypedTable(tuple(map(str, frame.columns)), schema, labelled, read_target(labelled, target))


def classes_of(
    values: pd.Series[Any], profile: ColumnProfile, missing_values: Collection[str]
) -> tuple[ColumnProfile, tuple[Any, ...] | None]:
    """Return the classes of a target in ascending order, ``None`` in a regression, with its profile.

    The task is the one that a training infers. Classes that are whole numbers are integers, however they are written.

    Parameters
    ----------
    values
        Target of shape ``(n_rows,)`` as a source gives it.
    profile
        What it shows.
    missing_values
        Texts that mean a missing value.
    """
    assert profile.kind is not None
    rule = ColumnRule(name=profile.name, kind=profile.kind, nullable=profile.n_missing > 0)
    typed = coerce(values.to_frame(profile.name), RawSchema(columns=(rule,)), missing_values=missing_values)
    column = typed[rule.name].dropna()
    column = column.str.strip() if profile.kind == "text" else column
    if infer_task(column) == "regression":
        return profile, None
    if profile.is_numeric and profile.is_whole:
        profile, column = replace(profile, kind="integer"), column.astype("int64")
    return profile, tuple(sorted(column.unique().tolist()))
