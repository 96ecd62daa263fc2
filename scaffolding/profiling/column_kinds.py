"""What kind of values a column holds, as the project's own coercion understands them."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from ml_project.config import DataConfig
from ml_project.data.coercion import ConvertedColumn, convert_column
from ml_project.data.distinct import Distinct, distinct_values
from ml_project.data.raw_schema import ColumnKind, ColumnRule
from ml_project.data.sources.csv_numbers import normalise_numbers
from ml_project.data.values import NOT_FINITE, is_missing
from ml_project.errors import DataSourceError

if TYPE_CHECKING:
    import pandas as pd

FEW_LEVELS = 20
"""Whole numbers written with decimals that have at most so many values, each many times, are levels."""
ROWS_PER_LEVEL = 10
KINDS_OF_TEXTS: tuple[ColumnKind, ...] = ("integer", "number", "datetime", "text")
SAMPLED_VALUES = 500
"""Distinct values that are looked at before all are."""
MARKERS = frozenset(
    {"-", "--", "---", ".", "..", "n/a", "n.a.", "#N/A", "#NA", "na", "NULL", "Null", "NIL", "nil", "NONE", "none"}
    | {"NAN", "Nan", "<NA>", "NaT", "missing", "Missing", "unknown", "Unknown", "(null)", "\\N", "#NULL!", "#VALUE!"}
)
"""Texts that mean a missing value where they stand among numbers, dates or booleans."""

_SCALARS = (str, bool, int, float, Decimal, dt.date, uuid.UUID, np.number, np.bool_, np.datetime64)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_CODE = re.compile(r"[+-]?0\d.*|\+\d{6,}", re.DOTALL)
_CALENDAR_DAY = re.compile(r"(?:19|20)\d{6}")
_BOOLEAN_WORDS = frozenset({"true", "false", "yes", "no"})


@dataclass(frozen=True)
class KindFound:
    """The kind of a column with its values, or why it has none.

    Attributes
    ----------
    kind
        The kind; ``None`` where the project cannot use the column.
    converted
        Its values; ``None`` without a kind.
    problem
        Why there is no kind, as the end of a sentence about the column.
    """

    kind: ColumnKind | None
    converted: ConvertedColumn | None
    problem: str | None = None


def find_kind(values: pd.Series[Any], missing_values: Collection[str], *, texts_stay: bool = False) -> KindFound:
    """Return the kind of a column and its values.

    Codes such as ``007`` and whole numbers too large to be exact are texts; whole numbers written as ``3.0`` are
    integers where values are missing or few levels repeat, because other numbers of the column may have decimals.

    Parameters
    ----------
    values
        Column of shape ``(n_rows,)`` as a source gives it.
    missing_values
        Texts that mean a missing value.
    texts_stay
        Whether texts such as ``yes`` and ``no`` stay texts, as the labels of a target should.
    """
    from pandas.api import types

    dtype = values.dtype
    if types.is_bool_dtype(dtype):
        return _attempt(distinct_values(values, "boolean"), ("boolean",), missing_values)
    if types.is_integer_dtype(dtype):
        return _of_whole_numbers(values, missing_values)
    if types.is_float_dtype(dtype):
        distinct = distinct_values(values, "number")
        return _without_needless_decimals(distinct, _attempt(distinct, ("number",), missing_values), missing_values)
    if types.is_datetime64_any_dtype(dtype):
        return _attempt(distinct_values(values, "datetime"), ("datetime",), missing_values)
    return _of_objects(values, missing_values, texts_stay)


def are_numbers(distinct: Distinct, config: DataConfig) -> bool:
    """Return whether all texts of a CSV column are numbers in the way that the file writes them."""
    import pyarrow as pa

    table = pa.table({"column": pa.array(distinct.values, type=pa.string())})
    try:
        usual = normalise_numbers(table, config.csv, ("column",), 0, config.source).column("column")
    except DataSourceError:
        return False
    texts = Distinct(usual.to_numpy().astype(object), None, only_texts=True)
    return convert(texts, "number", config.missing_values) is not None


def markers_of(values: pd.Series[Any], missing_values: Collection[str]) -> tuple[str, ...]:
    """Return the texts that mean a missing value in a column that otherwise holds numbers, dates or booleans.

    Examples
    --------
    >>> import pandas as pd
    >>> markers_of(pd.Series(["1.5", "-", "2"]), ("",))
    ('-',)
    """
    distinct = distinct_values(values, "text")
    if not distinct.only_texts:
        return ()
    found = {text.strip() for text in distinct.values.tolist()}
    markers = sorted((found & MARKERS) - set(missing_values))
    if not markers or found <= {*markers, *missing_values}:
        return ()
    kind = _of_texts(distinct, (*missing_values, *markers), texts_stay=False).kind
    return tuple(markers) if kind not in {None, "text"} else ()


def convert(distinct: Distinct, kind: ColumnKind, missing_values: Collection[str]) -> ConvertedColumn | None:
    """Return the values as a kind; ``None`` where one of them is none of that kind."""
    rule = ColumnRule(name="", kind=kind, nullable=True)
    if len(distinct.values) > SAMPLED_VALUES:
        places = np.linspace(0, len(distinct.values) - 1, SAMPLED_VALUES, dtype=np.intp)
        few = replace(distinct, values=distinct.values[places], codes=None)
        if convert_column(few, rule, missing_values).unusable:
            return None
    converted = convert_column(distinct, rule, missing_values)
    return None if converted.unusable else converted


def _attempt(distinct: Distinct, kinds: Sequence[ColumnKind], missing_values: Collection[str]) -> KindFound:
    for kind in kinds:
        converted = convert(distinct, kind, missing_values)
        if converted is not None:
            return KindFound(kind, converted)
    rule = ColumnRule(name="", kind=kinds[0], nullable=True)
    unusable = convert_column(distinct, rule, missing_values).unusable
    if set(unusable) == {NOT_FINITE}:
        n_infinite = len(unusable[NOT_FINITE])
        count = "an infinite value" if n_infinite == 1 else f"{n_infinite:,} infinite values"
        text = f"holds {count}, from which no model can learn; leave such values empty"
        return KindFound(None, None, text)
    return KindFound(None, None, "mixes values of different types; store one type")


def _of_whole_numbers(values: pd.Series[Any], missing_values: Collection[str]) -> KindFound:
    found = _attempt(distinct_values(values, "integer"), ("integer",), missing_values)
    return found if found.kind else _attempt(distinct_values(values, "text"), ("text",), missing_values)


def _without_needless_decimals(distinct: Distinct, found: KindFound, missing_values: Collection[str]) -> KindFound:
    """Return numbers that are all whole as integers, where that is likely to be what they are."""
    if found.converted is None:
        return found
    whole = convert(distinct, "integer", missing_values)
    if whole is None:
        return found
    numbers = whole.spread()
    present = numbers[~np.isnan(numbers)]
    n_levels = len(np.unique(present))
    levels = n_levels <= FEW_LEVELS and len(present) >= ROWS_PER_LEVEL * n_levels
    misses = len(present) < len(numbers) and len(present) >= FEW_LEVELS
    return KindFound("integer", whole) if levels or misses else found


def _of_objects(values: pd.Series[Any], missing_values: Collection[str], texts_stay: bool) -> KindFound:
    distinct = distinct_values(values, "text")
    if distinct.only_texts:
        return _of_texts(distinct, missing_values, texts_stay)
    unknown = _unknown_type(distinct.values)
    if unknown is not None:
        text = f"holds values of type {unknown}, which the project does not read; store numbers, texts or dates"
        return KindFound(None, None, text)
    found = _attempt(distinct, ("integer", "number", "boolean", "datetime", "text"), missing_values)
    if found.kind != "integer":
        return found
    present = (value for value in distinct.values if not is_missing(value))
    with_decimals = any(isinstance(value, float | Decimal | np.floating) for value in present)
    if not with_decimals:
        return found
    numbers = KindFound("number", convert(distinct, "number", missing_values))
    return _without_needless_decimals(distinct, numbers, missing_values)


def _unknown_type(values: Any) -> str | None:
    types = {type(value) for value in values if not (isinstance(value, _SCALARS) or is_missing(value))}
    return min((one.__name__ for one in types), default=None)


def _of_texts(distinct: Distinct, missing_values: Collection[str], texts_stay: bool) -> KindFound:
    missing = frozenset(missing_values)
    texts = [text for value in distinct.values.tolist() if (text := value.strip()) not in missing]
    if not texts or any(_CODE.fullmatch(text) for text in texts):
        return _attempt(distinct, ("text",), missing_values)
    if texts_stay and not {text.lower() for text in texts} <= {"true", "false"}:
        kinds: tuple[ColumnKind, ...] = KINDS_OF_TEXTS
    elif {text.lower() for text in texts[:FEW_LEVELS]} & _BOOLEAN_WORDS:
        kinds = ("boolean", "text")
    elif all(_CALENDAR_DAY.fullmatch(text) for text in texts) and len(texts) >= FEW_LEVELS:
        kinds = ("datetime", "integer")
    else:
        # Whole numbers too large to be exact are codes.
        kinds = ("integer", "text") if all(_WHOLE.fullmatch(text) for text in texts) else KINDS_OF_TEXTS
    found = _attempt(distinct, kinds, missing_values)
    if found.kind == "text" and kinds is KINDS_OF_TEXTS:
        infinite = _attempt(distinct, ("number",), missing_values)
        return infinite if "infinite" in (infinite.problem or "") else found
    if found.kind == "integer" and any("." in text or "e" in text.lower() for text in texts):
        numbers = KindFound("number", convert(distinct, "number", missing_values))
        return _without_needless_decimals(distinct, numbers, missing_values)
    return found
