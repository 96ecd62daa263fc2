"""What a user should know about the data, in whole sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ml_project.config import SplitsConfig
from scaffolding.plan import ColumnRoles
from scaffolding.profiling.column_profile import ColumnProfile
from scaffolding.profiling.splitting import MAX_FOLDS
from scaffolding.profiling.typed_table import TypedTable

MIN_SHARE_OF_DATES = 0.95
MANY_CLASSES = 30
RARE_SHARE = 0.01

_DATE = re.compile(r"(?:\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|\d{4}[./]\d{1,2}[./]\d{1,2})(?:[ T].*)?")


def find_oddities(
    table: TypedTable,
    profiles: Mapping[str, ColumnProfile],
    roles: ColumnRoles,
    splits: SplitsConfig,
    id_column: str | None,
) -> list[str]:
    """Return what the user should look at.

    Parameters
    ----------
    table
        The table with its target.
    profiles
        What the columns show.
    roles
        What the user said.
    splits
        How rows are held out.
    id_column
        Column that identifies a row.
    """
    return [
        *_of_dates(profiles),
        *_of_identifier(profiles, roles, id_column),
        *_of_splits(splits, roles),
        *_of_missing_target(profiles[roles.target]),
        *_of_target(table, profiles[roles.target]),
        *_of_repeated_rows(table, id_column),
    ]


def _of_dates(profiles: Mapping[str, ColumnProfile]) -> list[str]:
    found = []
    for name, profile in profiles.items():
        texts = [text for text, _ in profile.frequent] if profile.kind == "text" else []
        if texts and sum(bool(_DATE.fullmatch(text)) for text in texts) >= MIN_SHARE_OF_DATES * len(texts):
            found.append(
                f"Column {name!r} seems to hold dates such as {texts[0]!r}; write them in ISO 8601, for instance "
                "2024-05-17, to make features of their parts."
            )
    return found


def _of_identifier(profiles: Mapping[str, ColumnProfile], roles: ColumnRoles, id_column: str | None) -> list[str]:
    if id_column is None:
        return []
    if roles.id is None:
        return [f"Column {id_column!r} was taken for the identifier of a row: each has its own value."]
    if not profiles[id_column].is_unique:
        return [f"The identifier {id_column!r} has missing or repeated values."]
    return []


def _of_splits(splits: SplitsConfig, roles: ColumnRoles) -> list[str]:
    found = []
    if splits.strategy == "chronological" and roles.time is None:
        found.append(
            f"The rows stand in the order of {splits.time_column!r}, so the last ones are held out; set "
            "splits.strategy to 'stratified' if time does not matter."
        )
    if splits.n_folds < MAX_FOLDS:
        found.append(f"There are {splits.n_folds} folds, not {MAX_FOLDS}: the rows, or those of a class, are few.")
    return found


def _of_missing_target(profile: ColumnProfile) -> list[str]:
    if not profile.n_missing:
        return []
    rows = "1 row has" if profile.n_missing == 1 else f"{profile.n_missing:,} rows have"
    return [
        f"{rows} no target {profile.name!r}: nothing is learned from them, and they count in no metric "
        "(data.rows_without_target)."
    ]


def _of_target(table: TypedTable, profile: ColumnProfile) -> list[str]:
    target = table.target
    if target.classes is None:
        return []
    if len(target.classes) > MANY_CLASSES:
        return [f"The target {profile.name!r} has {len(target.classes):,} classes, which take long to learn."]
    value, n_rows = min(((value, n_rows) for value, n_rows in profile.frequent), key=lambda item: item[1])
    if n_rows < RARE_SHARE * profile.n_present:
        return [f"The class {value!r} of the target is rare: {n_rows:,} of {profile.n_present:,} rows."]
    return []


def _of_repeated_rows(table: TypedTable, id_column: str | None) -> list[str]:
    columns = [name for name in table.raw.columns if name != id_column]
    n_repeated = int(table.raw.duplicated(subset=columns).sum())
    if not n_repeated:
        return []
    rows = "1 row repeats" if n_repeated == 1 else f"{n_repeated:,} rows repeat"
    return [f"{rows} an earlier one; drop what is a mistake."]
