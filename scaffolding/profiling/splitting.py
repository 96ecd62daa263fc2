"""How rows are held out, tried with the project's own splits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from ml_project.config import ComputeConfig, SplitsConfig, Task
from ml_project.data.splits import holdout_split, make_folds
from ml_project.errors import MAX_SAMPLES_PER_PROBLEM, ConfigError, InvalidDataError, Problem, TargetError
from scaffolding.plan import ColumnRoles
from scaffolding.profiling.column_profile import ColumnProfile

MAX_FOLDS = 5
LEAST_ROWS_OF_CLASS = 3
"""One in the holdout, and one in training and validation of each of two folds."""
LEAST_MOMENTS = 30
LEAST_DAYS = 28
_DAY = 86_400_000_000
_SEED = ComputeConfig().seed


def find_time_column(raw: pd.DataFrame, profiles: Mapping[str, ColumnProfile], roles: ColumnRoles) -> str | None:
    """Return the column by whose times rows are held out: the user's, else a date in whose order the rows stand.

    Parameters
    ----------
    raw
        Coerced data of shape ``(n_rows, n_columns)``, in the order of the source.
    profiles
        What the columns show.
    roles
        What the user said; with groups, time means nothing.
    """
    if roles.time is not None or roles.group is not None:
        return roles.time
    named = {roles.target, roles.id, *roles.left_out}
    dates = (name for name, profile in profiles.items() if _spans_time(profile) and name not in named)
    return next((name for name in dates if _in_order(raw[name])), None)


def choose_splits(raw: pd.DataFrame, roles: ColumnRoles, *, task: Task, time_column: str | None) -> SplitsConfig:
    """Return how rows are held out, with as many folds as they allow.

    Parameters
    ----------
    raw
        Coerced data of shape ``(n_rows, n_columns)`` with the target.
    roles
        What the user said.
    task
        Kind of target.
    time_column
        Column that orders the rows; where the user has not named it, the data may still not allow it.

    Raises
    ------
    TargetError
        With every class that has too few rows.
    InvalidDataError
        When the rows cannot be held out as the user wants, or are too few.
    """
    if task != "regression":
        _refuse_rare_classes(raw[roles.target])
    error: InvalidDataError | ConfigError | None = None
    for splits in _possible(roles, task, time_column):
        try:
            _try(raw, roles.target, splits, task)
        except (InvalidDataError, ConfigError) as problem:
            error = problem
        else:
            return splits
    assert error is not None
    raise error


def _spans_time(profile: ColumnProfile) -> bool:
    if profile.kind != "datetime" or profile.n_missing or profile.n_distinct < LEAST_MOMENTS:
        return False
    return profile.maximum - profile.minimum >= LEAST_DAYS * _DAY


def _in_order(column: pd.Series[Any]) -> bool:
    return bool(column.is_monotonic_increasing or column.is_monotonic_decreasing)


def _refuse_rare_classes(labels: pd.Series[Any]) -> None:
    counts = labels.value_counts()
    rare = counts[counts < LEAST_ROWS_OF_CLASS].sort_index()
    if not len(rare):
        return
    more = f" ({len(rare):,} such classes in all)" if len(rare) > MAX_SAMPLES_PER_PROBLEM else ""
    rows = [(label, int(count)) for label, count in rare.iloc[:MAX_SAMPLES_PER_PROBLEM].items()]
    problems = [
        Problem(f"the class {label!r} has {count} {'row' if count == 1 else 'rows'}{more if place == 0 else ''}")
        for place, (label, count) in enumerate(rows)
    ]
    raise TargetError(
        f"The target {str(labels.name)!r} has classes with fewer than {LEAST_ROWS_OF_CLASS} rows, which cannot be in "
        "training, validation and holdout. Merge them with others, drop their rows, or choose another target.",
        problems,
    )


def _possible(roles: ColumnRoles, task: Task, time_column: str | None) -> Iterator[SplitsConfig]:
    """Yield the splits to try, the most wanted first."""
    wanted: dict[str, Any] = {"strategy": "random" if task == "regression" else "stratified"}
    ways: Sequence[dict[str, Any]] = [wanted]
    if roles.group is not None:
        ways = [{"strategy": "grouped", "group_column": roles.group}]
    elif time_column is not None:
        in_time = {"strategy": "chronological", "time_column": time_column}
        ways = [in_time] if roles.time is not None else [in_time, wanted]
    for way in ways:
        for n_folds in range(MAX_FOLDS, 1, -1):
            yield SplitsConfig(n_folds=n_folds, **way)


def _try(raw: pd.DataFrame, target: str, splits: SplitsConfig, task: Task) -> None:
    """Split as a training would.

    Raises
    ------
    ConfigError, InvalidDataError, TargetError
        When that is not possible, or says too little.
    """
    labels = raw[target]
    train, holdout = holdout_split(raw, labels, splits, task=task, seed=_SEED)
    if len(train) < 2 * splits.n_folds and splits.n_folds > 2:
        raise InvalidDataError(f"{len(train)} rows are too few for {splits.n_folds} folds.")
    training = raw.iloc[train].reset_index(drop=True)
    make_folds(training, training[target], splits, task=task, seed=_SEED)
    if task == "regression":
        return
    unseen = sorted(set(labels.iloc[holdout]) - set(labels.iloc[train]))
    if unseen:
        raise InvalidDataError(f"The class {unseen[0]!r} is in the holdout, but not in training; hold out other rows.")
    if labels.iloc[holdout].nunique() < 2:
        found = labels.iloc[holdout[0]]
        raise InvalidDataError(f"All rows of the holdout have the class {found!r}; hold out other rows.")
