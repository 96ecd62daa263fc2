"""What a check of the project's pandera model limits, in a form that can be checked on one value."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from typing import Any, cast

from ml_project.data.raw_schema import ColumnKind

Limits = dict[str, Any]
"""Fields of a :class:`~ml_project.data.raw_schema.ColumnRule` by name."""

_SINGLE_CHECKS = "ge, gt, le, lt, in_range, eq, isin, str_matches or str_length"


def read_check(check: Any, kind: ColumnKind) -> Limits:
    """Return what a pandera check limits, as fields of a column's rule.

    Raises
    ------
    ValueError
        When the check cannot be made on single records or does not fit the kind of column.
    """
    readers: dict[str, Callable[[Limits, ColumnKind], Limits]] = {
        "greater_than_or_equal_to": lambda found, kind: _bound("minimum", found["min_value"], kind),
        "greater_than": lambda found, kind: _bound("exclusive_minimum", found["min_value"], kind),
        "less_than_or_equal_to": lambda found, kind: _bound("maximum", found["max_value"], kind),
        "less_than": lambda found, kind: _bound("exclusive_maximum", found["max_value"], kind),
        "in_range": _in_range,
        "equal_to": lambda found, kind: {"allowed": (allowed_value(found["value"], kind),)},
        "isin": lambda found, kind: {"allowed": tuple(allowed_value(value, kind) for value in found["allowed_values"])},
        "str_matches": _pattern,
        "str_length": _length,
    }
    reader = readers.get(check.name) if check.statistics else None
    if reader is None:
        raise ValueError(f"check {check.name!r} cannot be made on single records; use {_SINGLE_CHECKS}")
    if check.raise_warning or not check.ignore_na:
        raise ValueError(f"check {check.name!r}: raise_warning and ignore_na=False are not supported; leave them out")
    return reader(check.statistics, kind)


def _bound(field: str, value: Any, kind: ColumnKind) -> Limits:
    if kind in {"integer", "number"}:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"a bound must be a number, found {value!r}")
        if not math.isfinite(value):
            raise ValueError(f"a bound must be finite, found {value!r}; leave it out")
        return {field: float(value)}
    if kind != "datetime":
        raise ValueError("bounds are for numbers, dates and times; use isin, str_matches or str_length here")
    import pandas as pd

    moment = pd.Timestamp(value)
    naive = (moment if moment.tz is None else moment.tz_convert("UTC").tz_localize(None)).as_unit("us").to_pydatetime()
    step = {"exclusive_minimum": dt.timedelta(microseconds=1), "exclusive_maximum": -dt.timedelta(microseconds=1)}
    return {"earliest" if "minimum" in field else "latest": naive + step.get(field, dt.timedelta())}


def _in_range(found: Limits, kind: ColumnKind) -> Limits:
    lower = "minimum" if found["include_min"] else "exclusive_minimum"
    upper = "maximum" if found["include_max"] else "exclusive_maximum"
    return _bound(lower, found["min_value"], kind) | _bound(upper, found["max_value"], kind)


def allowed_value(value: Any, kind: ColumnKind) -> str | int | float | bool:
    """Return one value that a column allows.

    Raises
    ------
    ValueError
        When it is not of the column's own type.
    """
    types: dict[ColumnKind, tuple[type[Any], ...]] = {
        "text": (str,),
        "boolean": (bool,),
        "integer": (int,),
        "number": (int, float),
    }
    wanted = types.get(kind)
    if wanted is None or not isinstance(value, wanted) or (isinstance(value, bool) and kind != "boolean"):
        raise ValueError(f"isin, eq and categories must hold values of the column's type ({kind}), found {value!r}")
    return float(value) if kind == "number" else cast("str | int | bool", value)


def _pattern(found: Limits, kind: ColumnKind) -> Limits:
    if kind != "text":
        raise ValueError("str_matches is for text columns")
    pattern = found["pattern"]
    text = pattern if isinstance(pattern, str) else pattern.pattern
    if not isinstance(pattern, str) and pattern.flags & ~re.UNICODE:
        raise ValueError("str_matches: write flags into the pattern, for instance (?i)")
    return {"pattern": text}


def _length(found: Limits, kind: ColumnKind) -> Limits:
    if kind != "text":
        raise ValueError("str_length is for text columns")
    exact = found.get("exact_value")
    return {
        "min_length": found.get("min_value") if exact is None else exact,
        "max_length": found.get("max_value") if exact is None else exact,
    }
