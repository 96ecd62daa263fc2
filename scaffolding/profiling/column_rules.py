"""From what columns show to rules that hold tomorrow, too."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from ml_project.data.raw_schema import BatchExpectations, ColumnRule, RawSchema
from scaffolding.profiling.bounds import bounds_of, mean_interval, round_up
from scaffolding.profiling.column_names import is_of_time
from scaffolding.profiling.column_profile import ColumnProfile, profile_column
from scaffolding.profiling.descriptions import describe, example_of

if TYPE_CHECKING:
    import pandas as pd

MAX_CATEGORIES = 20
MIN_ROWS_OF_CATEGORY = 5
"""A text with fewer rows than that says that other, unseen texts are likely, too."""
MIN_ROWS_OF_CATEGORIES = 30
LEAST_LENGTH = 20
EPOCH = dt.datetime(1970, 1, 1)
FIRST_YEAR = 1900
LAST_YEAR = 2100


def infer_schema(
    frame: pd.DataFrame,
    *,
    target: str,
    classes: Collection[Any] | None,
    id_column: str | None = None,
    missing_values: Collection[str],
) -> RawSchema:
    """Return rules that every row of a table fulfils; columns that the project cannot use have none.

    Parameters
    ----------
    frame
        Table of shape ``(n_rows, n_columns)`` as a source gives it; the order of its rows means nothing.
    target
        Column to predict.
    classes
        Classes of the target; ``None`` where it is a number.
    id_column
        Column that identifies a row.
    missing_values
        Texts that mean a missing value.
    """
    profiles = profile_columns(frame, target=target, missing_values=missing_values)
    return schema_of(profiles, target=target, classes=classes, id_column=id_column)


def profile_columns(
    frame: pd.DataFrame, *, target: str, missing_values: Collection[str]
) -> dict[str, ColumnProfile]:
    """Return what each column shows, by name; parameters as for :func:`infer_schema`."""
    return {
        name: profile_column(frame[name], missing_values=missing_values, texts_stay=name == target)
        for name in map(str, frame.columns)
    }


def schema_of(
    profiles: Mapping[str, ColumnProfile], *, target: str, classes: Collection[Any] | None, id_column: str | None
) -> RawSchema:
    """Return the rules of the usable columns, in their order; parameters as for :func:`infer_schema`."""
    rules = []
    for name, profile in profiles.items():
        if profile.kind is None or not name.strip():
            continue
        if name == target:
            rules.append(infer_rule(profile, classes=classes))
        else:
            rules.append(infer_rule(profile, is_id=name == id_column))
    return RawSchema(columns=tuple(rules))


def infer_rule(profile: ColumnProfile, *, is_id: bool = False, classes: Collection[Any] | None = None) -> ColumnRule:
    """Return the rule of one column.

    Parameters
    ----------
    profile
        A usable column.
    is_id
        Whether it identifies a row: then its values need no bounds, and are unique where they are in the data.
    classes
        Classes of the target where the column is one, all of which are allowed; the target of a regression has none.

    Examples
    --------
    >>> import pandas as pd
    >>> rule = infer_rule(profile_column(pd.Series([17, 39, None], name="age"), missing_values=()))
    >>> rule.kind, rule.nullable, rule.minimum, rule.maximum
    ('number', True, 0.0, 100.0)
    """
    assert profile.kind is not None
    limits = {} if is_id else _limits(profile, classes)
    kind = "category" if profile.kind == "text" and limits.get("allowed") else profile.kind
    rule = ColumnRule(
        name=profile.name,
        kind=kind,
        nullable=profile.n_missing > 0,
        unique=is_id and profile.is_unique,
        expectations=BatchExpectations() if is_id else _expectations(profile, classes),
        **limits,
    )
    return rule.model_copy(update={"description": describe(profile, rule), "example": example_of(profile, rule)})


def _limits(profile: ColumnProfile, classes: Collection[Any] | None) -> dict[str, Any]:
    if classes is not None:
        return {} if profile.kind == "boolean" else {"allowed": tuple(sorted(classes))}
    if profile.n_present == 0 or profile.kind == "boolean":
        return {}
    if profile.is_numeric:
        return _limits_of_numbers(profile)
    if profile.kind == "datetime":
        return _earliest(profile)
    if _is_category(profile):
        return {"allowed": tuple(sorted(value for value, _ in profile.frequent))}
    return {"max_length": int(max(LEAST_LENGTH, round_up(2 * profile.longest)))}


def _limits_of_numbers(profile: ColumnProfile) -> dict[str, Any]:
    if _is_flag(profile):
        return {"allowed": (0, 1)}
    lowest, highest = bounds_of(profile)
    return {"minimum": lowest, "maximum": highest}


def _is_flag(profile: ColumnProfile) -> bool:
    """Return whether all values are 0 and 1, each often enough to be sure that there is no other.

    Years and other places in time, counted from 0, go on tomorrow.
    """
    if is_of_time(profile.name):
        return False
    enough = all(n_rows >= MIN_ROWS_OF_CATEGORY for _, n_rows in profile.frequent)
    values = {value for value, _ in profile.frequent}
    return profile.kind == "integer" and values == {0, 1} and enough and profile.n_present >= MIN_ROWS_OF_CATEGORIES


def _is_category(profile: ColumnProfile) -> bool:
    if not 1 < profile.n_distinct <= MAX_CATEGORIES or profile.n_present < MIN_ROWS_OF_CATEGORIES:
        return False
    return profile.frequent[-1][1] >= MIN_ROWS_OF_CATEGORY


def _earliest(profile: ColumnProfile) -> dict[str, Any]:
    """Return the start of a decade well before the first moment, where that is in a century that tables are from."""
    first, last = (EPOCH + dt.timedelta(microseconds=moment) for moment in (profile.minimum, profile.maximum))
    if first.year < FIRST_YEAR:
        return {}
    decade = (first.year - max(10, last.year - first.year)) // 10 * 10
    return {"earliest": EPOCH.replace(year=max(FIRST_YEAR, decade))}


def _expectations(profile: ColumnProfile, classes: Collection[Any] | None) -> BatchExpectations:
    found: dict[str, Any] = {}
    if 0 < profile.n_missing < profile.n_rows:
        rate = profile.missing_rate
        highest = _percent_up(rate + max(0.05, 3 * math.sqrt(rate * (1 - rate) / 100)))
        found["max_missing_rate"] = highest if highest < 1 else None
    if classes is not None:
        found["share_between"] = _share_of_positive(profile, classes) if len(classes) == 2 else None
    elif profile.n_present >= MIN_ROWS_OF_CATEGORIES and _has_lasting_mean(profile):
        found["mean_between"] = mean_interval(profile)
    return BatchExpectations(**found)


def _has_lasting_mean(profile: ColumnProfile) -> bool:
    """Return whether tomorrow's mean may be the same: not that of flags, of places in time, and of counters."""
    if not profile.is_numeric or _is_flag(profile) or is_of_time(profile.name):
        return False
    years = profile.is_whole and profile.minimum >= FIRST_YEAR and profile.maximum <= LAST_YEAR
    counter = profile.is_whole and profile.is_unique and profile.maximum - profile.minimum < 2 * profile.n_rows
    return not years and not counter


def _share_of_positive(profile: ColumnProfile, classes: Collection[Any]) -> dict[str, tuple[float, float]]:
    """Return a wide interval for the share of the second class, with room for chance in some hundred rows."""
    positive = sorted(classes)[-1]
    share = dict(profile.frequent)[positive] / profile.n_present
    chance = 0.01 + 3 * math.sqrt(share * (1 - share) / 300)
    lowest, highest = share / 2 - chance, min(2 * share, (1 + share) / 2) + chance
    text = str(positive).lower() if isinstance(positive, bool) else str(positive)
    return {text: (max(0.0, math.floor(lowest * 100) / 100), min(1.0, _percent_up(highest)))}


def _percent_up(share: float) -> float:
    return math.ceil(round(share * 100, 6)) / 100


