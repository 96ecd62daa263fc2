"""Convert whole arrays of values that need no second thought; the others are left to :mod:`ml_project.data.values`.

Each function returns the converted array, missing where a value was left alone, and a mask of the values it converted.
What it converts, it converts exactly as :func:`ml_project.data.values.converter_for` does.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.data.raw_schema import ColumnKind
from ml_project.data.values import LARGEST_WHOLE_NUMBER

Mask = npt.NDArray[np.bool_]
Converted = tuple[npt.NDArray[Any], Mask]

_WHOLE_TEXT = r"^-?[0-9]{1,15}$"
_NUMBER_TEXT = r"^-?[0-9]{1,15}(?:\.[0-9]{1,15})?$"
_FIRST_MOMENT = np.datetime64("0001-01-01T00:00:00", "s")
_LAST_MOMENT = np.datetime64("9999-12-31T23:59:59", "s")


def clean_numbers(values: npt.NDArray[Any], kind: ColumnKind) -> Converted:
    """Convert an array of a numeric or boolean dtype into numbers of a numeric kind; objects are left alone."""
    if values.dtype.kind not in "iufb":
        return np.full(len(values), np.nan), np.zeros(len(values), dtype=bool)
    clean = _numbers_that_fit(values, kind)
    if values.dtype.kind in "iub" and clean.all():
        return values.astype(np.float64), clean
    present = clean & (values == values)  # noqa: PLR0124  NaN differs from itself; there is one NaN, whatever its bits
    array = np.where(present, values, np.nan).astype(np.float64)
    return (array if kind == "number" else array + 0.0), clean  # adding 0.0 makes the integer -0.0 a plain 0


def _numbers_that_fit(values: npt.NDArray[Any], kind: ColumnKind) -> Mask:
    if (values.dtype.kind == "b") != (kind == "boolean"):
        return _of_whole_booleans(values, kind)
    if kind == "boolean":
        return np.ones(len(values), dtype=bool)
    if values.dtype.kind != "f":
        within: Mask = (values <= LARGEST_WHOLE_NUMBER) & (values >= -LARGEST_WHOLE_NUMBER)
        return np.ones(len(values), dtype=bool) if kind == "number" else within
    if kind == "number":
        return ~np.isinf(values)
    whole: Mask = (np.trunc(values) == values) & (np.abs(values) <= LARGEST_WHOLE_NUMBER)
    return whole | np.isnan(values)


def _of_whole_booleans(values: npt.NDArray[Any], kind: ColumnKind) -> Mask:
    if kind != "boolean" or values.dtype.kind not in "iuf":
        return np.zeros(len(values), dtype=bool)
    known: Mask = (values == 0) | (values == 1) | np.isnan(values)
    return known


def clean_number_texts(
    values: npt.NDArray[np.object_], kind: ColumnKind, missing_values: Collection[str]
) -> Converted:
    """Convert texts that are plain decimal numbers, such as ``12`` and ``-0.5``, and do not mean a missing value."""
    import pyarrow as pa
    import pyarrow.compute as pc

    array = np.full(len(values), np.nan)
    if kind == "boolean":
        return array, np.zeros(len(values), dtype=bool)
    texts = pa.array(values, type=pa.large_string())
    plain = pc.match_substring_regex(texts, _NUMBER_TEXT if kind == "number" else _WHOLE_TEXT)
    plain = pc.and_not(plain, pc.is_in(texts, value_set=pa.array(list(missing_values), type=pa.large_string())))
    clean: Mask = plain.to_numpy(zero_copy_only=False)
    numbers = pc.cast(texts.filter(plain), pa.float64() if kind == "number" else pa.int64())
    array[clean] = numbers.to_numpy(zero_copy_only=False)
    return (array if kind == "number" else array + 0.0), clean


def clean_texts(values: npt.NDArray[np.object_], missing_values: Collection[str]) -> Converted:
    """Take texts as they are, and leave those that mean a missing value."""
    missing = frozenset(missing_values)
    clean = np.fromiter((text.strip() not in missing for text in values), dtype=bool, count=len(values))
    texts = values.copy()
    texts[~clean] = None
    return texts, clean


def clean_datetimes(values: npt.NDArray[Any]) -> Converted:
    """Convert an array of a datetime dtype, naive or in UTC, where the year has one to four digits."""
    array = np.full(len(values), np.datetime64("NaT", "us"), dtype="datetime64[us]")
    if values.dtype.kind != "M":
        return array, np.zeros(len(values), dtype=bool)
    seconds = values.astype("datetime64[s]")
    clean = np.isnat(values) | ((seconds >= _FIRST_MOMENT) & (seconds <= _LAST_MOMENT))
    array[clean] = values[clean].astype("datetime64[us]")
    return array, clean
