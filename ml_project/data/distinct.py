"""The distinct values of a column and where each of them stands, so that each is converted once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api import types

from ml_project.data.raw_schema import ColumnKind


@dataclass(frozen=True)
class Distinct:
    """Values of a column, each to be converted once.

    Attributes
    ----------
    values
        Array of shape ``(n_values,)``, of a numeric or datetime dtype or of objects.
    codes
        The place in ``values`` of each row's value, shape ``(n_rows,)``, -1 for missing; ``None`` where ``values`` has
        one value per row.
    only_texts
        Whether all values are ``str`` that can be written as UTF-8.
    """

    values: npt.NDArray[Any]
    codes: npt.NDArray[np.intp] | None = None
    only_texts: bool = False

    def spread(self, converted: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the converted values of all rows, shape ``(n_rows,)``; ``converted`` has shape ``(n_values,)``."""
        if self.codes is None:
            return converted
        missing: Any = {"f": np.nan, "M": np.datetime64("NaT", "us"), "O": None}[converted.dtype.kind]
        return np.append(converted, np.array([missing], dtype=converted.dtype))[self.codes]

    def positions(self, places: Collection[int]) -> npt.NDArray[np.intp]:
        """Return the positions of the rows whose values stand at some places."""
        wanted = np.fromiter(places, dtype=np.intp, count=len(places))
        return wanted if self.codes is None else np.flatnonzero(np.isin(self.codes, wanted))


def distinct_values(column: pd.Series[Any], kind: ColumnKind) -> Distinct:
    """Return the distinct values of a column of any dtype.

    Parameters
    ----------
    column
        Column of shape ``(n_rows,)``; it is not changed.
    kind
        What the values shall become: numbers and moments keep their dtype only where that helps.
    """
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _of_categories(column, kind)
    if isinstance(dtype, pd.ArrowDtype) and dtype.type is str:
        column, dtype = column.astype("str"), pd.StringDtype(na_value=np.nan)
    if isinstance(dtype, pd.StringDtype):
        return _of_texts(column)
    if types.is_bool_dtype(dtype) or types.is_integer_dtype(dtype) or types.is_float_dtype(dtype):
        return _of_numbers(column)
    if kind == "datetime" and isinstance(dtype, pd.DatetimeTZDtype):
        return Distinct(column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy())
    if kind == "datetime" and types.is_datetime64_dtype(dtype):
        return Distinct(column.to_numpy())
    return _of_objects(column)


def _of_categories(column: pd.Series[Any], kind: ColumnKind) -> Distinct:
    categories = distinct_values(pd.Series(column.cat.categories), kind)
    codes = column.cat.codes.to_numpy().astype(np.intp)
    inner = np.arange(len(categories.values)) if categories.codes is None else categories.codes
    return Distinct(categories.values, np.append(inner, -1)[codes], categories.only_texts)


def _of_texts(column: pd.Series[Any]) -> Distinct:
    codes, uniques = pd.factorize(column)
    return Distinct(np.asarray(uniques, dtype=object), codes, only_texts=True)


def _of_numbers(column: pd.Series[Any]) -> Distinct:
    if isinstance(column.dtype, np.dtype):
        return Distinct(column.to_numpy())
    missing = column.isna().to_numpy()
    dtype: Any = column.dtype
    filled = column.to_numpy(dtype=dtype.numpy_dtype, na_value=0)
    return Distinct(filled, np.where(missing, -1, np.arange(len(column))))


def _of_objects(column: pd.Series[Any]) -> Distinct:
    objects = column.to_numpy(dtype=object)
    if types.infer_dtype(objects, skipna=True) != "string":
        return Distinct(objects)
    try:
        return _of_texts(pd.Series(objects, dtype="str"))
    except UnicodeEncodeError:
        return Distinct(objects)
