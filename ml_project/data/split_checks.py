"""What must hold before rows can be dealt: enough rows, classes, groups and times, and none of them missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml_project.data.names import nearest_name
from ml_project.errors import MAX_SAMPLES_PER_PROBLEM, ConfigError, InvalidDataError, Problem, TargetError

IndexArray = npt.NDArray[np.intp]
"""Positions of rows, counted from 0."""


def check_n_rows(n_rows: int, *, least: int, what: str) -> None:
    """Refuse too few rows.

    Raises
    ------
    TargetError
        When there are fewer rows than needed.
    """
    if n_rows < least:
        raise TargetError(
            f"{n_rows} rows are too few for {what}: at least {least} are needed; get more rows or set it lower."
        )


def check_classes(target: pd.Series[Any] | npt.NDArray[Any], *, least: int, why: str) -> None:
    """Refuse classes with too few rows.

    Raises
    ------
    TargetError
        With every class that has fewer than ``least`` rows.
    """
    labels = pd.Series(target)
    counts = labels.value_counts()
    rare = counts[counts < least].sort_index()
    if len(rare):
        name = "The target" if labels.name is None else f"The target {str(labels.name)!r}"
        raise TargetError(
            f"{name} has classes with fewer rows than {why} need: at least {least}. "
            "Use fewer folds, merge these classes with others, or drop their rows.",
            [
                Problem(f"class {label!r} has {count} rows")
                for label, count in list(rare.items())[:MAX_SAMPLES_PER_PROBLEM]
            ],
        )


def check_training_classes(
    target: pd.Series[Any] | npt.NDArray[Any], folds: Sequence[tuple[IndexArray, IndexArray]]
) -> None:
    """Refuse folds from whose training rows nothing can be learned.

    Raises
    ------
    TargetError
        With every fold that has a single class in training.
    """
    codes = class_codes(target)
    labels = pd.Series(target).to_numpy()
    problems = [
        Problem(f"fold {number} trains on {len(train)} rows of the one class {labels[train[0]]!r}")
        for number, (train, _) in enumerate(folds, start=1)
        if len(np.unique(codes[train])) < 2
    ]
    if problems:
        raise TargetError(
            "Some folds have a single class in training; set splits.n_folds lower or choose another splits.strategy.",
            problems[:MAX_SAMPLES_PER_PROBLEM],
        )


def group_codes(raw: pd.DataFrame, name: str | None, *, least: int) -> IndexArray:
    """Return the group of each row as a number from 0.

    Raises
    ------
    ConfigError
        When the data has no such column.
    InvalidDataError
        When it has missing values or fewer groups than ``least``.
    """
    codes, groups = pd.factorize(column_of(raw, name, "splits.group_column"))
    if len(groups) < least:
        raise InvalidDataError(
            f"splits.group_column {name!r} has {len(groups)} different values, but {least} are needed, "
            "one per fold or side; use fewer folds, another column or another splits.strategy."
        )
    return codes.astype(np.intp)


def refuse_one_sided(train: npt.NDArray[Any], holdout: npt.NDArray[Any], config: Any) -> None:
    """Refuse a split with an empty side.

    Raises
    ------
    InvalidDataError
        When the groups are so uneven that one side gets no row.
    """
    if not len(train) or not len(holdout):
        raise InvalidDataError(
            f"No holdout of about {config.holdout_share:.0%} of the rows can be made: "
            f"splits.group_column {config.group_column!r} has too few or too uneven groups; "
            "change splits.holdout_share or the column."
        )


def class_codes(target: pd.Series[Any] | npt.NDArray[Any]) -> IndexArray:
    """Return the classes as numbers from 0, in the order of the sorted labels.

    Raises
    ------
    TargetError
        When a label is missing.
    """
    codes = pd.factorize(pd.Series(target), sort=True)[0].astype(np.intp)
    missing = np.flatnonzero(codes < 0)
    if len(missing):
        samples = [
            Problem("the target is missing; drop the row or fill it", row=int(row))
            for row in missing[:MAX_SAMPLES_PER_PROBLEM]
        ]
        raise TargetError(f"The target is missing in {len(missing)} of {len(codes)} rows.", samples)
    return codes


def column_of(raw: pd.DataFrame, name: str | None, field: str) -> pd.Series[Any]:
    """Return a column that the config names.

    Raises
    ------
    ConfigError
        When the data has no such column.
    InvalidDataError
        When it has missing values.
    """
    if name is None or name not in raw.columns:
        names = [str(column) for column in raw.columns]
        near = nearest_name(name or "", names)
        hint = f"did you mean {near!r}?" if near else f"the columns are {', '.join(names)}."
        raise ConfigError(f"{field} is {name!r}, but the data has no such column; {hint}")
    column = raw[name]
    missing = np.flatnonzero(column.isna().to_numpy())
    if len(missing):
        samples = [
            Problem("is missing; drop the row or fill it", field=name, row=int(row))
            for row in missing[:MAX_SAMPLES_PER_PROBLEM]
        ]
        raise InvalidDataError(
            f"{field} {name!r} is missing in {len(missing)} of {len(raw)} rows, so they cannot be dealt.", samples
        )
    return column


def time_codes(raw: pd.DataFrame, name: str | None, *, least: int, why: str) -> IndexArray:
    """Return the rank of each row's time among the different times, from 0.

    Raises
    ------
    ConfigError
        When the data has no such column.
    InvalidDataError
        When it has missing values, is neither a time nor a number, or has too few different ones.
    """
    column = column_of(raw, name, "splits.time_column")
    if not (pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_numeric_dtype(column)):
        raise InvalidDataError(
            f"splits.time_column {name!r} holds {column.dtype} such as {column.iloc[0]!r}, whose order "
            "need not be that of time; "
            "declare it as a date or number in the schema."
        )
    codes, times = pd.factorize(column, sort=True)
    if len(times) < least:
        raise InvalidDataError(
            f"splits.time_column {name!r} has {len(times)} different values, but {why} needs at least {least}; "
            "use fewer folds, a finer time column or another splits.strategy."
        )
    return codes.astype(np.intp)
