"""Words about a column for the reader of the schema, and a value that the service's documentation shows."""

from __future__ import annotations

import datetime as dt

from ml_project.data.raw_schema import ColumnRule
from scaffolding.profiling.column_profile import ColumnProfile

MIN_ROWS_OF_EXAMPLE = 20
MIN_SHARE_OF_EXAMPLE = 0.02
"""A free text is shown only where so many rows have it that it names a thing, not a person."""


def describe(profile: ColumnProfile, rule: ColumnRule) -> str:
    """Return one or two sentences about a column, which a user can rewrite.

    Parameters
    ----------
    profile
        What the column shows.
    rule
        Its rule.
    """
    if profile.n_present == 0:
        return "No value in the data."
    missing = f"; {_percent(profile.missing_rate)} missing" if profile.n_missing else ""
    return f"{_values(profile, rule)}{missing}."


def example_of(profile: ColumnProfile, rule: ColumnRule) -> str | int | float | bool | None:
    """Return a typical value that the rule allows; ``None`` where the project shall make one up.

    Parameters
    ----------
    profile
        What the column shows.
    rule
        Its rule.
    """
    if profile.n_present == 0:
        return None
    value, n_rows = profile.frequent[0]
    if rule.allowed is not None or profile.kind == "boolean":
        return value if rule.allowed is None or value in rule.allowed else rule.allowed[0]
    if profile.kind == "integer":
        return int(profile.median)
    if profile.kind == "number":
        return float(f"{profile.median:.4g}")
    if profile.kind == "datetime":
        return _moment(profile, profile.median).isoformat()
    common = n_rows >= MIN_ROWS_OF_EXAMPLE and n_rows >= MIN_SHARE_OF_EXAMPLE * profile.n_present
    return str(value) if common else None


def _values(profile: ColumnProfile, rule: ColumnRule) -> str:
    if profile.is_numeric:
        kind = "Whole number" if profile.kind == "integer" else "Number"
        return f"{kind}, {profile.minimum:.10g} to {profile.maximum:.10g} in the data"
    if profile.kind == "boolean":
        return f"True or false, {_percent(profile.mean)} true in the data"
    if profile.kind == "datetime":
        kind, form = ("Date", "%Y-%m-%d") if _is_days(profile) else ("Date and time", "%Y-%m-%d %H:%M")
        first, last = (_moment(profile, moment).strftime(form) for moment in (profile.minimum, profile.maximum))
        return f"{kind}, {first} to {last} in the data"
    if rule.kind == "category":
        value, n_rows = profile.frequent[0]
        return f"One of {profile.n_distinct} categories, most often {value!r} ({_percent(n_rows / profile.n_present)})"
    count = "always the same one" if profile.n_distinct == 1 else f"{profile.n_distinct:,} different ones"
    return f"Text, {count} of at most {profile.longest} characters in the data"


def _moment(profile: ColumnProfile, microseconds: float) -> dt.datetime:
    moment = dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=microseconds)
    return moment if _is_days(profile) else moment.replace(microsecond=0)


def _is_days(profile: ColumnProfile) -> bool:
    return all(value.time() == dt.time() for value, _ in profile.frequent)


def _percent(share: float) -> str:
    """Return a share in percent; never 0 % or 100 % where it is neither.

    Examples
    --------
    >>> _percent(0.034), _percent(0.0001), _percent(0.9999)
    ('3 %', 'below 1 %', 'over 99 %')
    """
    if 0 < share < 0.01:
        return "below 1 %"
    if 0.99 < share < 1:
        return "over 99 %"
    return f"{share:.0%}".replace("%", " %")

