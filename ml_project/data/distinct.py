"""The distinct values of a column and where each of them stands, so that each is converted once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ml_project.data.raw_schema import ColumnKind

if TYPE_CHECKING:
    import pandas as pd


class RepeatingTexts(np.ndarray):
    """Texts, ``None`` for missing, in an array like any other that also knows each distinct text once.

    Arrays made from it, by slicing for instance, do not know it.

    Attributes
    ----------
    distinct
        The distinct texts and ``None`` at the end, shape ``(n_values + 1,)``; some may not occur. ``None`` in arrays
        made from one that has it.
    codes
        The place of each row's text in them, shape ``(n_rows,)``; -1 for missing.

    Examples
    --------
    >>> texts = RepeatingTexts.spread(np.array(["a", "b", None], dtype=object), np.array([1, 1, -1]))
    >>> texts.tolist(), texts.codes.tolist(), texts[:2].codes
    (['b', 'b', None], [1, 1, -1], None)
    """

    distinct: npt.NDArray[Any] | None
    codes: npt.NDArray[np.intp] | None

    @classmethod
    def spread(cls, distinct: npt.NDArray[Any], codes: npt.NDArray[np.intp]) -> RepeatingTexts:
        """Return the texts of all rows; parameters as the attributes."""
        texts = distinct[codes].view(cls)
        texts.distinct, texts.codes = distinct, codes
        return texts

    def __array_finalize__(self, _made_from: object) -> None:
        """Forget what does not hold for an array made from another one."""
        self.distinct = self.codes = None


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
        distinct = np.append(converted, np.array([missing], dtype=converted.dtype))
        return RepeatingTexts.spread(distinct, self.codes) if converted.dtype == object else distinct[self.codes]

    def positions(self, places: Collection[int]) -> npt.NDArray[np.intp]:
        """Return the positions of the rows whose values stand at some places."""
        wanted = np.fromiter(places, dtype=np.intp, count=len(places))
        return wanted if self.codes is None else np.flatnonzero(np.isin(self.codes, wanted))


def distinct_values(column: pd.Series[Any], kind: ColumnKind) -> Distinct:
    """Return the distinct values of a pandas column of any dtype.

    Parameters
    ----------
    column
        Column of shape ``(n_rows,)``; it is not changed.
    kind
        What the values shall become: numbers and moments keep their dtype only where that helps.
    """
    import pandas as pd
    from pandas.api import types

    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _of_categories(column, kind)
    if isinstance(dtype, pd.ArrowDtype) and dtype.type is str:
        column, dtype = column.astype("str"), pd.StringDtype(na_value=np.nan)
    if isinstance(dtype, pd.StringDtype):
        return _of_texts(column)
    if types.is_bool_dtype(dtype) or types.is_integer_dtype(dtype) or types.is_float_dtype(dtype):
        return _of_number_column(column, kind)
    if kind == "datetime" and isinstance(dtype, pd.DatetimeTZDtype):
        return Distinct(column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy())
    if kind == "datetime" and types.is_datetime64_dtype(dtype):
        return Distinct(column.to_numpy())
    return _of_objects(column)


def distinct_in_arrow(column: Any, kind: ColumnKind) -> Distinct:
    """Return the distinct values of an Arrow column; without pandas where it holds texts, numbers or booleans.

    Parameters
    ----------
    column
        ``pyarrow.ChunkedArray`` of ``n_rows`` values.
    kind
        As for :func:`distinct_values`, which would find the same in the same column in pandas.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    arrow_type = column.type
    value_type = arrow_type.value_type if pa.types.is_dictionary(arrow_type) else arrow_type
    if pa.types.is_string(value_type) or pa.types.is_large_string(value_type):
        return _of_arrow_texts(column)
    if pa.types.is_boolean(arrow_type) or pa.types.is_integer(arrow_type) or pa.types.is_floating(arrow_type):
        if pa.types.is_floating(arrow_type) or not column.null_count:
            return _of_numbers(column.to_numpy(), kind)
        missing = pc.is_null(column).to_numpy()
        return _of_numbers(pc.fill_null(column, pa.scalar(0).cast(arrow_type)).to_numpy(), kind, missing)
    table = pa.table({"column": column})
    return distinct_values(table.to_pandas(integer_object_nulls=True, date_as_object=False)["column"], kind)


def _of_arrow_texts(column: Any) -> Distinct:
    import pyarrow as pa

    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    if encoded.num_chunks == 0:
        return Distinct(np.empty(0, dtype=object), np.empty(0, dtype=np.intp), only_texts=True)
    array = encoded.combine_chunks() if encoded.num_chunks > 1 else encoded.chunk(0)
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if array.dictionary.null_count:
        array = array.dictionary_decode().dictionary_encode()
    codes = array.indices.fill_null(-1).to_numpy().astype(np.intp)
    return Distinct(array.dictionary.to_numpy(zero_copy_only=False).astype(object), codes, only_texts=True)


def _of_categories(column: pd.Series[Any], kind: ColumnKind) -> Distinct:
    import pandas as pd

    categories = distinct_values(pd.Series(column.cat.categories), kind)
    codes = column.cat.codes.to_numpy().astype(np.intp)
    inner = np.arange(len(categories.values)) if categories.codes is None else categories.codes
    return Distinct(categories.values, np.append(inner, -1)[codes], categories.only_texts)


def _of_texts(column: pd.Series[Any]) -> Distinct:
    import pandas as pd

    codes, uniques = pd.factorize(column)
    return Distinct(np.asarray(uniques, dtype=object), codes, only_texts=True)


def _of_number_column(column: pd.Series[Any], kind: ColumnKind) -> Distinct:
    if isinstance(column.dtype, np.dtype):
        return _of_numbers(column.to_numpy(), kind)
    dtype: Any = column.dtype
    return _of_numbers(column.to_numpy(dtype=dtype.numpy_dtype, na_value=0), kind, column.isna().to_numpy())


def _of_numbers(numbers: npt.NDArray[Any], kind: ColumnKind, missing: npt.NDArray[np.bool_] | None = None) -> Distinct:
    """Return numbers as they are, or each of them once where it has to be written as text."""
    codes: npt.NDArray[np.intp] | None = None
    if numbers.dtype == np.float16:  # too narrow to be compared with large numbers
        numbers = numbers.astype(np.float32)
    if kind in {"text", "category"}:
        numbers, codes = np.unique(numbers, return_inverse=True)
    if missing is not None:
        codes = np.where(missing, -1, np.arange(len(numbers)) if codes is None else codes)
    return Distinct(numbers, codes)


def _of_objects(column: pd.Series[Any]) -> Distinct:
    import pandas as pd
    from pandas.api import types

    objects = column.to_numpy(dtype=object)
    if types.infer_dtype(objects, skipna=True) != "string":
        return Distinct(objects)
    try:
        return _of_texts(pd.Series(objects, dtype="str"))
    except UnicodeEncodeError:
        return Distinct(objects)
