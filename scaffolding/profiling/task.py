"""Which task the target poses: the user's, else what its values suggest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ml_project.config import Task
from ml_project.data.target import infer_task
from ml_project.errors import ConfigError, Problem
from scaffolding.profiling.column_profile import ColumnProfile
from scaffolding.profiling.splitting import LEAST_ROWS_OF_CLASS

if TYPE_CHECKING:
    import pandas as pd


def decide_task(values: pd.Series[Any], profile: ColumnProfile, wanted: Task | None) -> Task:
    """Return the task of a target.

    Without the user's word it is the one that a training infers, but whole numbers of which one is too rare for a class
    are counts or marks, so that they are predicted as numbers.

    Parameters
    ----------
    values
        Coerced target of shape ``(n_rows,)`` without missing values.
    profile
        What it shows.
    wanted
        The user's word.

    Raises
    ------
    ConfigError
        When the values do not fit the user's word.
    """
    if wanted is not None:
        _refuse(profile, int(values.nunique()), wanted)
        return wanted
    inferred = infer_task(values)
    if inferred == "multiclass" and profile.is_numeric and values.value_counts().min() < LEAST_ROWS_OF_CLASS:
        return "regression"
    return inferred


def task_warnings(values: pd.Series[Any], profile: ColumnProfile, task: Task, wanted: Task | None) -> list[str]:
    """Return what the user should know of the choice; parameters as for :func:`decide_task`, ``task`` as chosen."""
    if wanted is not None or not profile.is_numeric or infer_task(values) != "multiclass":
        return []
    numbers = f"The {values.nunique()} different whole numbers of the target {profile.name!r}"
    if task == "regression":
        return [f"{numbers} were taken for amounts, because one of them is too rare to be a class."]
    return [f"{numbers} were taken for classes; if they are amounts or marks, use --task regression."]


def _refuse(profile: ColumnProfile, n_distinct: int, wanted: Task) -> None:
    problem = None
    if wanted == "regression" and not profile.is_numeric:
        problem = f"regression needs numbers, but the target {profile.name!r} holds {profile.kind} values"
    elif wanted == "binary" and n_distinct != 2:
        problem = f"binary needs two classes, but the target {profile.name!r} has {n_distinct:,}"
    elif wanted == "multiclass" and n_distinct == 2:
        problem = f"multiclass needs more than two classes, but the target {profile.name!r} has two"
    elif wanted == "multiclass" and profile.is_numeric and not profile.is_whole:
        problem = f"classes are texts or whole numbers, but the target {profile.name!r} has decimals"
    if problem:
        raise ConfigError("The target does not fit the task.", [Problem(problem, "--task", value=wanted)])
