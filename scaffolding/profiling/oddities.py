"""What a user should know about the data, in whole sentences."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ml_project.config import SplitsConfig
from scaffolding.plan import ColumnRoles
from scaffolding.profiling.column_names import words_of
from scaffolding.profiling.column_profile import ColumnProfile
from scaffolding.profiling.splitting import MAX_FOLDS
from scaffolding.profiling.typed_table import TypedTable
from scaffolding.words import listed

if TYPE_CHECKING:
    import pandas as pd

MIN_SHARE_OF_DATES = 0.95
MANY_CLASSES = 30
RARE_SHARE = 0.01
MOST_NAMED = 5
MIN_SHARE_OF_VALUES = 0.1
"""Different values, as a share of the rows, that one column has where whole rows hardly repeat."""
MUCH_MORE = 10
CODE_WORDS = frozenset({"code", "type", "category", "kind", "region", "zone", "origin", "zip", "postcode", "cluster"})

_DATE = re.compile(r"(?:\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|\d{4}[./]\d{1,2}[./]\d{1,2})(?:[ T].*)?")

_NUMBER_WITH_SIGN = re.compile(
    r"(?:(?:[$€£¥]|EUR|USD)\s?[+-]?\d[\d.,' ]*|[+-]?\d[\d.,' ]*\s?(?:[%‰$€£¥]|EUR|USD|kg|km|cm|mm|ms|m|g|s))"
)


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
        *_of_alike_classes(table, roles.target),
        *_of_numbers_with_signs(profiles),
        *_of_codes(table, roles.target),
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
    """Return a warning of repeated rows where chance does not make as many of them.

    Chance is taken from columns that have nothing to do with each other. Where no column has many values, rows of
    columns that have something to do with each other repeat anyway.
    """
    rows = table.raw[[name for name in table.raw.columns if name != id_column]]
    n_repeated, n_rows = int(rows.duplicated().sum()), len(rows)
    if not n_repeated or max(rows.nunique()) < MIN_SHARE_OF_VALUES * n_rows:
        return []
    different = rows.drop_duplicates()
    alike = math.prod(_share_of_equal_pairs(different[name]) for name in different)
    if n_repeated <= 1 + MUCH_MORE * alike * n_rows * (n_rows - 1) / 2:
        return []
    return [f"{n_repeated:,} rows repeat an earlier one; drop what is a mistake."]


def _share_of_equal_pairs(values: pd.Series[Any]) -> float:
    counts = values.value_counts(dropna=False).to_numpy()
    return float((counts * (counts - 1.0)).sum() / max(1, len(values) * (len(values) - 1)))


def _of_alike_classes(table: TypedTable, target: str) -> list[str]:
    """Return a warning of classes that are the same but for upper and lower case or blanks."""
    alike: dict[str, list[str]] = {}
    for label in table.target.classes or ():
        if isinstance(label, str):
            alike.setdefault("".join(label.casefold().split()), []).append(label)
    found = [" and ".join(map(repr, labels)) for labels in alike.values() if len(labels) > 1]
    if not found:
        return []
    return [
        f"Classes of the target {target!r} differ in case or blanks only, and are learned as different ones: "
        f"{listed(found, most=MOST_NAMED)}. Write them alike in the data."
    ]


def _of_numbers_with_signs(profiles: Mapping[str, ColumnProfile]) -> list[str]:
    found = [
        f"{name!r} ({profile.frequent[0][0]!r})"
        for name, profile in profiles.items()
        if profile.kind == "text"
        and profile.frequent
        and all(_NUMBER_WITH_SIGN.fullmatch(text) for text, _ in profile.frequent)
    ]
    if not found:
        return []
    return [f"Numbers with signs are texts here: {listed(found, most=MOST_NAMED)}; store plain numbers to learn from."]


def _of_codes(table: TypedTable, target: str) -> list[str]:
    """Return a warning of whole numbers that are named like categories."""
    found = [
        repr(rule.name)
        for rule in table.schema.columns
        if rule.kind == "integer" and rule.allowed is None and rule.name != target and _is_code(rule.name)
    ]
    if not found:
        return []
    return [
        f"Whole numbers named like categories are learned as amounts: {listed(found, most=MOST_NAMED)}; store them as "
        "texts if their order means nothing."
    ]


def _is_code(name: str) -> bool:
    words = words_of(name)
    return bool(words) and words[-1] in CODE_WORDS
