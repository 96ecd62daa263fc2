"""Refuse what the user said of columns where the table does not bear it, with all problems together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ml_project.errors import ConfigError, InvalidDataError, Problem, TargetError
from ml_project.suggestions import suggest
from scaffolding.plan import ColumnRoles
from scaffolding.profiling.column_profile import ColumnProfile

if TYPE_CHECKING:
    import pandas as pd

LEAST_ROWS = 5


def check_roles(frame: pd.DataFrame, roles: ColumnRoles) -> None:
    """Refuse names that the table does not have, and columns that are said to be two things.

    Parameters
    ----------
    frame
        The table.
    roles
        What the user said.

    Raises
    ------
    ConfigError
        With every wrong name and clash.
    InvalidDataError
        When the table has too few rows.
    """
    names = list(frame.columns)
    said = {"target": roles.target, "id": roles.id, "time": roles.time, "group": roles.group}
    named = [(role, name) for role, name in said.items() if name is not None]
    named += [("left-out", name) for name in roles.left_out]
    problems = [
        Problem(f"is said to be the {role} column, but the table has no such column{suggest(name, names)}", name)
        for role, name in named
        if name not in names
    ]
    others = [(role, name) for role, name in named if role != "target" and name == roles.target]
    problems += [Problem(f"is the target and cannot be the {role} column", name) for role, name in others]
    if roles.time is not None and roles.group is not None:
        text = "a time and a group column are named, but rows are held out by one of them; name one"
        problems.append(Problem(text, f"{roles.time}, {roles.group}"))
    if problems:
        raise ConfigError("The columns named do not fit the table.", problems)
    if len(frame) < LEAST_ROWS:
        count = "1 row" if len(frame) == 1 else f"{len(frame)} rows"
        raise InvalidDataError(f"The table has {count}, from which nothing can be learned; {LEAST_ROWS} are the least.")


def check_profiles(
    profiles: Mapping[str, ColumnProfile], roles: ColumnRoles, missing_in_target: Sequence[str] = ()
) -> None:
    """Refuse columns that cannot be what they are said to be.

    Parameters
    ----------
    profiles
        What the columns show, by name.
    roles
        What the user said, with names that there are.
    missing_in_target
        Texts of the target that mean a missing value.

    Raises
    ------
    TargetError
        When the target cannot be learned.
    ConfigError
        With every other column that cannot be what it is said to be.
    """
    _check_target(profiles[roles.target], missing_in_target)
    problems = []
    said = {"id": roles.id, "time": roles.time, "group": roles.group}
    for role, name in said.items():
        profile = None if name is None else profiles[name]
        if profile is None:
            continue
        if profile.kind is None:
            problems.append(Problem(f"cannot be the {role} column: it {profile.problem}", name))
        elif role != "id" and profile.n_missing:
            text = f"is missing in {profile.n_missing:,} rows, so it cannot be the {role} column; fill it or drop them"
            problems.append(Problem(text, name))
        elif role == "time" and profile.kind not in {"datetime", "integer", "number"}:
            text = "cannot order rows in time: it holds neither dates in ISO 8601, such as 2024-05-17, nor numbers"
            problems.append(Problem(text, name, value=profile.frequent[0][0]))
    if problems:
        raise ConfigError("Columns cannot be what they are said to be.", problems)


def _check_target(profile: ColumnProfile, missing: Sequence[str]) -> None:
    name = profile.name
    beside = f" beside {', '.join(map(repr, missing))}, which means a missing value" if missing else ""
    if profile.kind is None:
        raise TargetError(f"The target {name!r} cannot be learned: it {profile.problem}.")
    if profile.n_present == 0:
        raise TargetError(f"The target {name!r} has no value at all{beside}; name another column.")
    if profile.n_present < LEAST_ROWS:
        raise TargetError(
            f"The target {name!r} is known in {profile.n_present} of {profile.n_rows:,} rows only; {LEAST_ROWS} are "
            "the least."
        )
    if profile.n_distinct == 1:
        found = profile.frequent[0][0]
        raise TargetError(f"The target {name!r} is constant (every row has {found!r}{beside}); name another column.")
    if profile.kind == "datetime":
        raise TargetError(
            f"The target {name!r} holds dates, which no model here predicts; make a number of it, such as the days "
            "since another date, and name that."
        )
