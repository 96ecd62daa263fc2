"""Rules that are just wide enough for values which break them."""

from __future__ import annotations

import datetime as dt
import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.data.raw_schema import NUMERIC_KINDS, BatchExpectations, ColumnRule
from ml_project.validation.expectations import ColumnSums

MOST_NEW_VALUES = 20
"""More new values than that, and than are allowed already, are taken for values that cannot be listed."""
_DIGITS = 2


def relaxed(rule: ColumnRule, limit: str, broken: npt.NDArray[Any]) -> ColumnRule:
    """Return a rule with one limit that all values fulfil: the nearest round one.

    Parameters
    ----------
    rule
        The rule as it is.
    limit
        Its field that the values break.
    broken
        The values that break it, without missing ones.
    """
    if limit == "allowed":
        return _with_values(rule, broken)
    if limit == "pattern":
        return rule.model_copy(update={"pattern": None})
    if limit == "min_length":
        return rule.model_copy(update={limit: min(map(len, broken.tolist()))})
    if limit == "max_length":
        longest = max(map(len, broken.tolist()))
        return rule.model_copy(update={limit: math.ceil(outward(longest, up=True))})
    lower = limit in ("minimum", "exclusive_minimum", "earliest")
    found = broken.min() if lower else broken.max()
    if isinstance(found, np.datetime64):
        return rule.model_copy(update={limit: _day(found.astype("datetime64[us]").item(), up=not lower)})
    inclusive = "minimum" if lower else "maximum"
    other = getattr(rule, inclusive)
    bound = outward(float(found), up=not lower)
    wider = bound if other is None else (min if lower else max)(bound, other)
    return rule.model_copy(update={limit: None, inclusive: wider})


def relaxed_expectations(rule: ColumnRule, sums: ColumnSums) -> ColumnRule:
    """Return a rule whose expectations are just wide enough for what a batch shows.

    Parameters
    ----------
    rule
        The rule as it is.
    sums
        What the batch shows.
    """
    expected = rule.expectations
    rate = (sums.n_rows - sums.n_present) / sums.n_rows
    highest, mean, shares = expected.max_missing_rate, expected.mean_between, expected.share_between
    if highest is not None and rate > highest:
        highest = _share(rate, up=True)
    if mean is not None and sums.n_present:
        mean = _around(mean, sums.total / sums.n_present)
    if shares is not None and sums.n_present:
        shares = {value: _around_share(ends, sums.counts[value] / sums.n_present) for value, ends in shares.items()}
    new = BatchExpectations(max_missing_rate=highest, mean_between=mean, share_between=shares)
    return rule.model_copy(update={"expectations": new})


def outward(value: float, *, up: bool) -> float:
    """Return the next number of two digits, so that a bound does not look exact; whole numbers below 100 stay.

    Examples
    --------
    >>> outward(512.3292, up=True), outward(-0.1234, up=False), outward(17, up=True)
    (520.0, -0.13, 17.0)
    """
    exact = Decimal(repr(float(value)))
    if not exact:
        return 0.0
    step = Decimal(1).scaleb(exact.adjusted() - _DIGITS + 1)
    rounded = float((exact / step).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR) * step)
    return rounded if (rounded >= value if up else rounded <= value) else float(value)


def _with_values(rule: ColumnRule, broken: npt.NDArray[Any]) -> ColumnRule:
    new = sorted(set(broken.tolist()))
    allowed = rule.allowed or ()
    if len(new) > max(MOST_NEW_VALUES, len(allowed)):
        kind = "text" if rule.kind == "category" else rule.kind
        return rule.model_copy(update={"allowed": None, "kind": kind})
    if rule.kind in NUMERIC_KINDS:
        types = {"integer": int, "boolean": bool, "number": float}
        new = [types[rule.kind](value) for value in new]
    return rule.model_copy(update={"allowed": (*allowed, *new)})


def _day(moment: dt.datetime, *, up: bool) -> dt.datetime:
    """Return the start of a day that is not after a moment, or not before it."""
    day = dt.datetime.combine(moment.date(), dt.time())
    if not up or day == moment:
        return day
    try:
        return day + dt.timedelta(days=1)
    except OverflowError:
        return moment


def _around(ends: tuple[float, float], found: float) -> tuple[float, float]:
    low, high = ends
    return (outward(found, up=False) if found < low else low, outward(found, up=True) if found > high else high)


def _around_share(ends: tuple[float, float], found: float) -> tuple[float, float]:
    low, high = ends
    return (_share(found, up=False) if found < low else low, _share(found, up=True) if found > high else high)


def _share(found: float, *, up: bool) -> float:
    """Return the next share in whole percent, at most 1."""
    percent = Decimal(repr(found)) * 100
    whole = percent.to_integral_value(ROUND_CEILING if up else ROUND_FLOOR)
    rounded = float(whole / 100)
    return rounded if (rounded >= found if up else rounded <= found) else found
