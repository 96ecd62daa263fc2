"""The target: which task it poses, and its values in the form that models learn."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml_project.config import DataConfig, Task
from ml_project.data.raw_schema import RawSchema
from ml_project.errors import MAX_SAMPLES_PER_PROBLEM, Problem, TargetError

logger = logging.getLogger(__name__)

MAX_CLASSES_OF_WHOLE_NUMBERS = 20
WHAT_TO_DO_WITHOUT_TARGET = "the target is missing; fill it, drop the row, or set data.rows_without_target to leave_out"
TRUE_TEXTS = ("true", "yes", "y", "on")
FALSE_TEXTS = ("false", "no", "n", "off")


@dataclass(frozen=True)
class Target:
    """A target column, ready to be learned.

    Attributes
    ----------
    task
        Kind of target.
    classes
        The classes in the order of their codes, the positive one last in a binary task; ``None`` in a regression.
    values
        Array of shape ``(n_rows,)``: class codes from 0 (``int64``), or numbers (``float64``) in a regression.
    """

    task: Task
    classes: tuple[Any, ...] | None
    values: npt.NDArray[Any]


def rows_with_target(raw: pd.DataFrame, schema: RawSchema, config: DataConfig) -> pd.DataFrame:
    """Return the rows to learn from or to evaluate with, numbered anew where some are left out.

    Parameters
    ----------
    raw
        Checked raw data of shape ``(n_rows, n_columns)``.
    schema
        Its rules.
    config
        Says what the target is, and whether rows without it are left out; if not, all rows are returned, for
        :func:`read_target` to refuse.

    Examples
    --------
    >>> from ml_project.data.raw_schema import ColumnRule
    >>> schema = RawSchema(columns=(ColumnRule(name="grade", kind="integer", nullable=True),))
    >>> config = DataConfig(source="x.csv", target_column="grade", rows_without_target="leave_out")
    >>> rows_with_target(pd.DataFrame({"grade": [3.0, np.nan, 1.0]}), schema, config)["grade"].tolist()
    [3, 1]
    """
    column = config.target_column
    if config.rows_without_target == "refuse" or column not in raw.columns:
        return raw
    known = raw[column].notna()
    if not known.all():
        logger.warning("%d of %d rows have no target %r and are left out", int((~known).sum()), len(raw), column)
    labelled = raw[known].reset_index(drop=True)
    # The types of columns that must not be missing, so that a class is 3 and not 3.0.
    types: dict[str, Any] = {"integer": "int64", "boolean": "bool"}
    kind = schema.rule(column).kind
    return labelled.astype({column: types[kind]}) if kind in types else labelled


def read_target(raw: pd.DataFrame, column: str, *, task: str = "auto", positive_class: Any = None) -> Target:
    """Return the target of raw data.

    Parameters
    ----------
    raw
        Raw data with the target column.
    column
        Name of the target column.
    task
        ``binary``, ``multiclass``, ``regression``, or ``auto`` to infer it from the values.
    positive_class
        Class that counts as positive in a binary task; ``None`` for the last in sorted order.

    Raises
    ------
    TargetError
        When the target is missing, has missing values, is constant, or does not fit the task.

    Examples
    --------
    >>> target = read_target(pd.DataFrame({"churn": ["no", "yes", "no"]}), "churn")
    >>> target.task, target.classes, target.values.tolist()
    ('binary', ('no', 'yes'), [0, 1, 0])
    """
    if column not in raw.columns:
        raise TargetError(
            f"The target column {column!r} is not in the data; set data.target_column to one of {list(raw.columns)}."
        )
    values = raw[column]
    _refuse_missing_or_constant(values, column)
    resolved = infer_task(values) if task == "auto" else task
    if resolved == "regression":
        return Target("regression", None, _numbers(values, column))
    classes = _ordered_classes(values, column, resolved, positive_class)
    codes = {value: code for code, value in enumerate(classes)}
    return Target(
        "binary" if resolved == "binary" else "multiclass", classes, values.map(codes).to_numpy(dtype=np.int64)
    )


def infer_task(values: pd.Series[Any]) -> Task:
    """Return the task that a target's values pose.

    Two different values are a binary task. Text, booleans and at most 20 different whole numbers, each seen twice on
    average, are classes. Other numbers are a regression.
    """
    n_distinct = int(values.nunique())
    if n_distinct == 2:
        return "binary"
    if not pd.api.types.is_numeric_dtype(values):
        return "multiclass"
    numbers = values.to_numpy(dtype=np.float64)
    whole = bool(np.all(numbers == np.round(numbers)))
    few = n_distinct <= min(MAX_CLASSES_OF_WHOLE_NUMBERS, len(numbers) // 2)
    return "multiclass" if whole and few else "regression"


def _refuse_missing_or_constant(values: pd.Series[Any], column: str) -> None:
    missing = np.flatnonzero(values.isna().to_numpy())
    if len(missing):
        samples = [
            Problem(WHAT_TO_DO_WITHOUT_TARGET, column, int(row))
            for row in missing[:MAX_SAMPLES_PER_PROBLEM]
        ]
        raise TargetError(f"The target {column!r} is missing in {len(missing)} of {len(values)} rows.", samples)
    if values.nunique() < 2:
        found = f"every row has {values.tolist()[0]!r}" if len(values) else "there are no rows"
        raise TargetError(f"The target {column!r} is constant ({found}); nothing can be learned from it.")


def _numbers(values: pd.Series[Any], column: str) -> npt.NDArray[np.float64]:
    if not pd.api.types.is_numeric_dtype(values):
        raise TargetError(
            f"The target {column!r} holds {values.dtype} such as {values.tolist()[0]!r}, but modelling.task is "
            "'regression'; choose a numeric column or another task."
        )
    return values.to_numpy(dtype=np.float64)


def _is_meant(value: Any, positive_class: Any) -> bool:
    """Return whether a config's class is a target's value; YAML reads an unquoted yes or no as true or false."""
    if isinstance(positive_class, bool) and isinstance(value, str):
        return value.strip().lower() in (TRUE_TEXTS if positive_class else FALSE_TEXTS)
    return bool(value == positive_class) or str(value) == str(positive_class)


def _without_fraction(value: Any) -> Any:
    """Return a whole number as such: pandas makes floats of whole numbers in a column that may miss some."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _ordered_classes(values: pd.Series[Any], column: str, task: str, positive_class: Any) -> tuple[Any, ...]:
    classes = sorted(map(_without_fraction, values.unique().tolist()))
    if task == "binary" and len(classes) != 2:
        raise TargetError(
            f"The target {column!r} has {len(classes)} classes, but modelling.task is 'binary'; choose 'multiclass'."
        )
    if positive_class is None or task != "binary":
        return tuple(classes)
    named = [value for value in classes if _is_meant(value, positive_class)]
    if not named:
        raise TargetError(
            f"data.positive_class is {positive_class!r}, but the classes of {column!r} are {classes}; name one of them."
        )
    return (*[value for value in classes if value != named[0]], named[0])
