"""What each column is for: identifier, time, feature, or left out and why."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scaffolding.plan import ColumnRoles, LeftOut
from scaffolding.profiling.column_names import words_of
from scaffolding.profiling.column_profile import ColumnProfile
from scaffolding.profiling.column_rules import MIN_ROWS_OF_CATEGORY

ID_WORDS = frozenset({"id", "ids", "uuid", "guid", "identifier", "rowid"})
"""Words that name an identifier as the first or last word of a name, also where values repeat."""
NUMBER_WORDS = frozenset({"number", "no", "nr", "index", "idx", "key"})
"""Words that name one as the last word, of texts or of whole numbers without many gaps."""
MIN_ROWS_OF_COUNTER = 20
MAX_GAPS = 2
"""Span of whole numbers, in rows, up to which they may be numbers of rows."""
MAX_MISSING_RATE = 0.95
MIN_VALUES = 5
MAX_ENCODED = 50
"""Categories that the encoder keeps by default."""
MIN_COVERAGE = 0.8
"""Share of rows that the categories kept by the encoder must cover."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class Assignment:
    """What the columns are for, before leaks are looked for.

    Attributes
    ----------
    features
        Columns that may be features as they are.
    datetimes
        Columns from which features are made.
    left_out
        The others, but not the target, identifier, time and group.
    warnings
        What the user should look at.
    """

    features: tuple[str, ...]
    datetimes: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    warnings: tuple[str, ...]


def find_id(profiles: Mapping[str, ColumnProfile], roles: ColumnRoles) -> str | None:
    """Return the column that identifies a row: the user's, else one that is unique and named or counted like one.

    Whole numbers that only end in a word such as ``number`` or ``index`` must have few gaps, too.

    Parameters
    ----------
    profiles
        What the columns show, by name.
    roles
        What the user said.
    """
    if roles.id is not None:
        return roles.id
    named = {roles.target, roles.time, roles.group, *roles.left_out}
    found = [profile for name, profile in profiles.items() if name not in named and _identifies(profile)]
    return min(found, key=lambda one: not _is_named_id(one)).name if found else None


def assign_roles(
    profiles: Mapping[str, ColumnProfile], roles: ColumnRoles, *, id_column: str | None, time_column: str | None
) -> Assignment:
    """Return what the columns are for.

    Parameters
    ----------
    profiles
        What the columns show, by name, in the order of the table.
    roles
        What the user said.
    id_column, time_column
        Columns that identify a row and order the rows in time.
    """
    special = {roles.target, id_column, roles.group}
    features, datetimes, left_out = [], [], []
    for name, profile in profiles.items():
        if name in special or (name == time_column and profile.kind != "datetime"):
            continue
        reason = "left out by the user" if name in roles.left_out else reason_to_leave_out(profile)
        if reason is not None:
            left_out += [] if name == time_column else [LeftOut(name, reason)]
        elif profile.kind == "datetime":
            datetimes.append(name)
        else:
            features.append(name)
    warnings = [] if roles.group else _suggested_groups([profiles[one.column] for one in left_out], roles)
    warnings += _like_numbers_of_rows([profiles[name] for name in features])
    return Assignment(tuple(features), tuple(datetimes), tuple(left_out), tuple(warnings))


def reason_to_leave_out(profile: ColumnProfile) -> str | None:
    """Return why a column can be no feature, ``None`` where it can.

    Parameters
    ----------
    profile
        What the column shows.
    """
    if profile.kind is None:
        return profile.problem
    if not profile.name.strip():
        return "has no name"
    if profile.n_present == 0:
        return "has no value at all"
    return _too_little(profile) or _too_much(profile)


def _too_little(profile: ColumnProfile) -> str | None:
    if profile.n_distinct == 1 and profile.n_missing == 0:
        return f"has the same value in every row: {profile.frequent[0][0]!r}"
    if profile.missing_rate > MAX_MISSING_RATE or (profile.n_missing and profile.n_present < MIN_VALUES):
        return f"is missing in {profile.n_missing:,} of {profile.n_rows:,} rows"
    return None


def _too_much(profile: ColumnProfile) -> str | None:
    if _identifies(profile):
        return "identifies rows: each has its own value"
    if is_repeated_id(profile):
        return "looks like an identifier, by its name; it says nothing about new ones"
    if profile.kind == "text" and not _is_few_enough(profile):
        return f"is free text with {profile.n_distinct:,} different values; make features of its parts"
    return None


def _identifies(profile: ColumnProfile) -> bool:
    if not profile.is_unique or not profile.name.strip():
        return False
    if profile.kind == "text":
        return _is_named_id(profile) or all(_UUID.fullmatch(text) for text, _ in profile.frequent)
    if profile.kind != "integer":
        return False
    counts = profile.maximum - profile.minimum == profile.n_rows - 1 and profile.n_rows >= MIN_ROWS_OF_COUNTER
    return counts or _is_named_id(profile)


def _is_named_id(profile: ColumnProfile) -> bool:
    if has_word(profile.name, ID_WORDS):
        return True
    dense = profile.kind == "text" or profile.maximum - profile.minimum < MAX_GAPS * profile.n_rows
    return dense and _ends_like_number(profile)


def _ends_like_number(profile: ColumnProfile) -> bool:
    words = words_of(profile.name)
    return bool(words) and words[-1] in NUMBER_WORDS


def is_repeated_id(profile: ColumnProfile) -> bool:
    """Return whether a column is named like an identifier and has many values, not each of them once."""
    many = profile.n_distinct > MAX_ENCODED
    return profile.kind in {"integer", "text"} and many and has_word(profile.name, ID_WORDS)


def has_word(name: str, words: frozenset[str]) -> bool:
    """Return whether the first or last word of a name is one of some words.

    Examples
    --------
    >>> [has_word(name, frozenset({"id"})) for name in ("customerID", "Id of order", "valid", "paid")]
    [True, True, False, False]
    """
    found = words_of(name)
    return bool(found) and (found[0] in words or found[-1] in words)


def _is_few_enough(profile: ColumnProfile) -> bool:
    """Return whether the encoder's categories say enough about a text."""
    if profile.n_distinct > profile.n_present / 2:
        return False
    kept = [n_rows for _, n_rows in profile.frequent[:MAX_ENCODED] if n_rows >= MIN_ROWS_OF_CATEGORY]
    return profile.n_distinct <= MAX_ENCODED or sum(kept) >= MIN_COVERAGE * profile.n_present


def _like_numbers_of_rows(features: Sequence[ColumnProfile]) -> list[str]:
    found = [one.name for one in features if one.kind == "integer" and one.is_unique and _ends_like_number(one)]
    return [f"Column {name!r} was taken for a feature; if it only numbers things, use --leave-out." for name in found]


def _suggested_groups(left_out: Sequence[ColumnProfile], roles: ColumnRoles) -> list[str]:
    return [
        f"Column {one.name!r} looks like the identifier of something with several rows "
        f"({one.n_distinct:,} values in {one.n_rows:,} rows). If rows of the same one must not be in training and "
        f"holdout, name it with --group {one.name!r}."
        for one in left_out
        if one.name not in roles.left_out and is_repeated_id(one) and not one.is_unique
    ]
