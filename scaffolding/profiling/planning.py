"""From a table and the user's words to the plan of a project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml_project.config import DataConfig, SplitsConfig
from ml_project.data.columns import to_columns
from ml_project.errors import ConfigError, Problem
from scaffolding.plan import ColumnRoles, FeatureProcessPlan, LeftOut, ProjectPlan, Source
from scaffolding.profiling.column_rules import profile_columns
from scaffolding.profiling.date_features import date_features, unused
from scaffolding.profiling.leakage import Leaks, find_leaks, named_like, to_numbers
from scaffolding.profiling.missing_texts import find_missing_texts
from scaffolding.profiling.oddities import find_oddities
from scaffolding.profiling.role_checks import check_profiles, check_roles
from scaffolding.profiling.roles import Assignment, assign_roles, find_id
from scaffolding.profiling.splitting import choose_splits, find_time_column
from scaffolding.profiling.time_order import (
    order_warnings,
    positions_in_time,
    suspected_order,
    without_drifting_means,
)
from scaffolding.profiling.typed_table import TypedTable, type_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Choice:
    """What is learned from, and what is not.

    Attributes
    ----------
    columns, processes
        Features.
    left_out
        Columns that are not used, in the order of the table.
    warnings
        What the user should look at.
    """

    columns: tuple[str, ...]
    processes: tuple[FeatureProcessPlan, ...]
    left_out: tuple[LeftOut, ...]
    warnings: tuple[str, ...]


def plan_project(
    package: str, frame: pd.DataFrame, source: Source, roles: ColumnRoles, *, data_path: str, committed_data: str
) -> ProjectPlan:
    """Return what a new project shall be.

    Parameters
    ----------
    package
        Name of the Python package.
    frame
        Whole table of shape ``(n_rows, n_columns)``, as :func:`~scaffolding.profiling.table.read_table` gives it.
    source
        Where it comes from.
    roles
        What the user said of single columns.
    data_path
        The data as the project's config names it.
    committed_data
        The file with real rows that belongs to the repository.

    Raises
    ------
    ConfigError
        When the user names columns that there are not or that cannot be that, or no column is left to learn from.
    InvalidDataError, TargetError
        When nothing can be learned from the table.
    """
    check_roles(frame, roles)
    missing = find_missing_texts(frame, roles.target, source.data.missing_values)
    profiles = profile_columns(frame, target=roles.target, missing_values=missing.values)
    check_profiles(profiles, roles, missing.in_target)
    id_column = find_id(profiles, roles)
    decided = {
        "source": data_path,
        "id_column": id_column,
        "missing_values": missing.values,
        "rows_without_target": "leave_out" if profiles[roles.target].n_missing else "refuse",
    }
    data = source.data.model_copy(update=decided)
    table = type_table(frame, profiles, data=data, task=roles.task)
    time_column = find_time_column(table.raw, profiles, roles)
    splits = choose_splits(table.raw, roles, task=table.target.task, time_column=time_column)
    suspected = suspected_order(table.raw, profiles, roles, splits)
    schema = without_drifting_means(table.schema, table.raw, positions_in_time(table.raw, splits, suspected))
    assigned = assign_roles(profiles, roles, id_column=id_column, time_column=splits.time_column)
    choice = _choose(table, assigned, splits, data)
    return ProjectPlan(
        package=package,
        data=data,
        committed_data=committed_data,
        schema=schema,
        task=table.target.task,
        columns=choice.columns,
        processes=choice.processes,
        left_out=choice.left_out,
        split_strategy=splits.strategy,
        n_rows=len(frame),
        n_classes=None if table.target.classes is None else len(table.target.classes),
        n_folds=splits.n_folds,
        time_column=splits.time_column,
        group_column=splits.group_column,
        warnings=(
            *choice.warnings,
            *missing.warnings,
            *table.warnings,
            *order_warnings(suspected),
            *find_oddities(table, profiles, roles, splits, id_column),
        ),
    )


def _choose(table: TypedTable, assigned: Assignment, splits: SplitsConfig, data: DataConfig) -> Choice:
    """Return what is learned from: the columns that may be features, without those that give the target away."""
    candidates = to_columns(table.raw, table.schema.select([*assigned.features, *assigned.datetimes]))
    numbers = {name: to_numbers(values) for name, values in candidates.items()}
    leaks = find_leaks(numbers, table.target, data.target_column, dates=assigned.datetimes)
    leaking = {one.column for one in leaks.left_out}
    columns = tuple(name for name in assigned.features if name not in leaking)
    moments = {name: candidates[name] for name in assigned.datetimes if name not in leaking}
    chronological = splits.strategy == "chronological"
    processes = date_features(moments, taken=table.frame_names, chronological=chronological)
    still = [name for name in unused(list(moments), processes) if name != splits.time_column]
    stale = [LeftOut(name, "is a date without parts that vary") for name in still]
    found = {one.column: one for one in (*assigned.left_out, *leaks.left_out, *stale)}
    left_out = tuple(found[name] for name in table.frame_names if name in found)
    if not columns and not processes:
        raise _no_features(table, left_out, splits, data)
    warnings = (*_told(leaks), *leaks.warnings, *named_like(columns, data.target_column), *assigned.warnings)
    return Choice(columns, processes, left_out, warnings)


def _told(leaks: Leaks) -> list[str]:
    """Return a warning that columns were left out because of what they tell."""
    if not leaks.left_out:
        return []
    names = ", ".join(repr(one.column) for one in leaks.left_out)
    are = "gives the target away and is" if len(leaks.left_out) == 1 else "give the target away and are"
    return [f"{names} {are} left out; add to features.columns what is known before the target is."]


def _no_features(
    table: TypedTable, left_out: Sequence[LeftOut], splits: SplitsConfig, data: DataConfig
) -> ConfigError:
    """Return the error that says of every column why it is no feature."""
    purposes: dict[str | None, str] = {
        data.target_column: "is the target",
        data.id_column: "is the identifier of a row; name another one with --id if it is none",
        splits.time_column: "orders the rows in time",
        splits.group_column: "is the group",
    }
    reasons = purposes | {one.column: one.reason for one in left_out}
    problems = [Problem(reasons[name], name) for name in table.frame_names if name in reasons]
    return ConfigError("No column is left to learn from; add some that say something about the target.", problems)
