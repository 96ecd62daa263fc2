"""What one incoming value means: the only place where a text, number or object of a source becomes a raw value.

The coercion of tables and the validator of single records both end here, so they cannot disagree. A converter takes any
value and returns the raw one (``int``, ``float``, ``bool``, ``str`` or a naive ``datetime`` in UTC), ``None`` for a
missing value, or raises :class:`UnusableValueError` with the problem in words. It needs no pandas.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import uuid
from collections.abc import Callable, Collection
from decimal import Decimal
from typing import Any

import numpy as np

from ml_project.data.raw_schema import ColumnKind, ColumnRule

Converter = Callable[[Any], Any]

LARGEST_WHOLE_NUMBER = 2**53
"""Beyond it whole numbers are no longer exact as ``float64``, the form in which features and models see them."""

NOT_A_RECORD = "is not a JSON object with one value per field"
NOT_A_NUMBER = "is not a number"
NOT_WHOLE = "is not a whole number"
NOT_FINITE = "must be finite"
TOO_LARGE = f"must lie between -{LARGEST_WHOLE_NUMBER} and {LARGEST_WHOLE_NUMBER}, where whole numbers are exact"
NOT_BOOLEAN = "is neither true nor false"
NOT_TEXT = "is not text"
NOT_DATETIME = "is not a date or time in ISO 8601, such as 2024-05-17T08:30:00"

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,17}", re.ASCII)
_INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.ASCII | re.IGNORECASE)
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class UnusableValueError(ValueError):
    """A value that cannot become a raw value of its column; the message says why."""


def converter_for(rule: ColumnRule, missing_values: Collection[str]) -> Converter:
    """Return the function that turns any value into a raw value of one column.

    Parameters
    ----------
    rule
        The column's rule; ranges and the like are not looked at here.
    missing_values
        Texts that mean a missing value, compared after stripping blanks. A value that the column allows by name is
        never missing.

    Examples
    --------
    >>> convert = converter_for(ColumnRule(name="age", kind="integer"), missing_values=("", "NA"))
    >>> convert(" 12 "), convert("3.0"), convert("NA"), convert(float("nan"))
    (12, 3, None, None)
    """
    if rule.kind == "category":
        return _category_converter(frozenset(map(str, rule.allowed or ())), frozenset(missing_values))
    if rule.kind == "text":
        return _text_converter(frozenset(missing_values))
    return _typed_converter(_TYPED_VALUES[rule.kind], frozenset(missing_values))


def _category_converter(allowed: frozenset[str], missing_values: frozenset[str]) -> Converter:
    def convert(value: Any) -> Any:
        text = _as_text(value)
        if text is None or text in allowed:
            return text
        stripped = text.strip()
        return None if stripped in missing_values and stripped not in allowed else stripped

    return convert


def _text_converter(missing_values: frozenset[str]) -> Converter:
    def convert(value: Any) -> Any:
        text = _as_text(value)
        return None if text is None or text.strip() in missing_values else text

    return convert


def _typed_converter(convert_present: Converter, missing_values: frozenset[str]) -> Converter:
    def convert(value: Any) -> Any:
        if isinstance(value, str):
            text = value.strip()
            return None if text in missing_values else convert_present(text)
        if is_missing(value):
            return None
        return convert_present(value.item() if isinstance(value, np.generic) and not _is_numpy_time(value) else value)

    return convert


def is_missing(value: Any) -> bool:
    """Return whether a value that is no text is missing: ``None``, NaN, NaT or pandas' NA."""
    if value is None:
        return True
    if isinstance(value, float | np.floating):
        return value != value  # noqa: PLR0124  NaN is the one number that differs from itself
    if isinstance(value, np.datetime64 | np.timedelta64):
        return bool(np.isnat(value))
    if isinstance(value, Decimal):
        return value.is_nan()
    return type(value).__name__ in {"NAType", "NaTType"}


def _is_numpy_time(value: Any) -> bool:
    return isinstance(value, np.datetime64 | np.timedelta64)


def _number(value: Any) -> float:
    if isinstance(value, str):
        if _INFINITE.fullmatch(value):
            raise UnusableValueError(NOT_FINITE)
        if not _NUMBER.fullmatch(value):
            raise UnusableValueError(NOT_A_NUMBER)
    elif isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise UnusableValueError(NOT_A_NUMBER)
    try:
        number = float(value)
    except OverflowError:
        raise UnusableValueError(NOT_FINITE) from None
    if not math.isfinite(number):
        raise UnusableValueError(NOT_FINITE)
    return number


def _integer(value: Any) -> int:
    whole = _whole(value)
    if not -LARGEST_WHOLE_NUMBER <= whole <= LARGEST_WHOLE_NUMBER:
        raise UnusableValueError(TOO_LARGE)
    return whole


def _whole(value: Any) -> int:
    if type(value) is int or (isinstance(value, str) and _WHOLE.fullmatch(value)):
        return int(value)
    try:
        number = _number(value)
    except UnusableValueError as error:
        raise UnusableValueError(NOT_FINITE if str(error) == NOT_FINITE else NOT_WHOLE) from None
    exact = Decimal(value) if isinstance(value, str) and abs(number) <= LARGEST_WHOLE_NUMBER else value
    if not number.is_integer() or (isinstance(exact, Decimal) and exact != number):
        raise UnusableValueError(NOT_WHOLE)
    return int(number)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _BOOLEANS:
        return _BOOLEANS[value.lower()]
    if isinstance(value, int | float | Decimal) and value in (0, 1):
        return bool(value)
    raise UnusableValueError(NOT_BOOLEAN)


def _datetime(value: Any) -> dt.datetime:
    try:
        moment = _moment(value)
        moment = moment if moment.tzinfo is None else moment.astimezone(dt.UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise UnusableValueError(NOT_DATETIME) from None
    return moment


def _moment(value: Any) -> dt.datetime:
    if isinstance(value, str):
        return dt.datetime.fromisoformat(value)
    if hasattr(value, "to_datetime64"):  # a pandas timestamp, which may carry nanoseconds and any time zone
        value = value.to_datetime64()
    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[us]").item()
    if isinstance(value, dt.datetime):
        return value
    if isinstance(value, dt.date):
        return dt.datetime.combine(value, dt.time())
    raise UnusableValueError(NOT_DATETIME)


def _as_text(value: Any) -> str | None:
    """Return a text as it is, a number as text (whole ones without decimals), ``None`` for a missing value."""
    if isinstance(value, str):
        text = str(value)
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            raise UnusableValueError(NOT_TEXT)
        return text
    if is_missing(value):
        return None
    if isinstance(value, np.integer | np.floating):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        raise UnusableValueError(NOT_TEXT)
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_WHOLE_NUMBER:
        return str(int(value))
    if isinstance(value, bool) or not isinstance(value, int | float | uuid.UUID):
        raise UnusableValueError(NOT_TEXT)
    return str(value)


_TYPED_VALUES: dict[ColumnKind, Converter] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "datetime": _datetime,
}
