"""Give untyped data the columns, types and missing values of the raw schema.

Clean numbers, dates and texts are converted in one go; every other value goes through :mod:`ml_project.data.values`,
once per distinct value, and so means the same as in a single record.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ml_project.data.clean_values import clean_datetimes, clean_number_texts, clean_numbers, clean_texts
from ml_project.data.distinct import Distinct, distinct_values
from ml_project.data.names import nearest_name
from ml_project.data.raw_schema import NUMERIC_KINDS, ColumnRule, RawSchema
from ml_project.data.values import UnusableValueError, converter_for
from ml_project.errors import MAX_SAMPLES_PER_PROBLEM, InvalidDataError, Problem

if TYPE_CHECKING:
    import pandas as pd

Positions = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Conversion:
    """Raw data and the values that could not become part of it.

    Attributes
    ----------
    raw
        Raw data of shape ``(n_rows, n_columns)`` in the schema's order; unusable values are missing in it.
    unusable
        By column, by problem in words: the positions of the unusable values, counted from 0.
    """

    raw: pd.DataFrame
    unusable: Mapping[str, Mapping[str, Positions]]


@dataclass(frozen=True)
class ConvertedColumn:
    """A raw column in the form of :data:`ml_project.data.columns.Columns`, each of its distinct values once.

    Attributes
    ----------
    values
        Distinct values of shape ``(n_values,)``, missing where unusable.
    codes
        The place in ``values`` of each row's value, shape ``(n_rows,)``, -1 for missing; ``None`` where ``values`` has
        one value per row.
    unusable
        By problem in words: the positions of the unusable values, counted from 0.
    """

    values: npt.NDArray[Any]
    codes: npt.NDArray[np.intp] | None
    unusable: Mapping[str, Positions]

    def spread(self) -> npt.NDArray[Any]:
        """Return the values of all rows, shape ``(n_rows,)``."""
        return Distinct(self.values, self.codes).spread(self.values)

    def spread_mask(self, places: npt.NDArray[np.bool_], *, missing: bool) -> npt.NDArray[np.bool_]:
        """Return for all rows what is known of the distinct values, and ``missing`` where a row has none of them."""
        return places if self.codes is None else np.append(places, missing)[self.codes]


def coerce(frame: pd.DataFrame, schema: RawSchema, *, missing_values: Collection[str]) -> pd.DataFrame:
    """Return the raw data of a frame: the schema's columns in its order, typed, with one meaning of missing.

    Integers become ``int64``, or ``float64`` where values may be or are missing; numbers ``float64``; booleans ``bool``
    or ``boolean``; categories and texts ``str``; dates and times ``datetime64[us]`` in UTC. A missing value in a column
    that allows none is left for the check of raw data.

    Parameters
    ----------
    frame
        Data of shape ``(n_rows, n_columns)`` as a source gives it, of any dtypes; it is not changed. Columns that the
        schema does not name are dropped.
    schema
        The columns wanted.
    missing_values
        Texts that mean a missing value, compared after stripping blanks.

    Raises
    ------
    InvalidDataError
        With every missing or repeated column, or every kind of unusable value and its first rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from ml_project.data.raw_schema import ColumnRule, RawSchema
    >>> schema = RawSchema(columns=(ColumnRule(name="age", kind="number", nullable=True),))
    >>> coerce(pd.DataFrame({"age": ["12 ", "NA"], "note": ["a", "b"]}), schema, missing_values=("NA",))["age"].tolist()
    [12.0, nan]
    """
    conversion = convert(frame, schema, missing_values=missing_values)
    problems = [
        problem
        for name, by_problem in conversion.unusable.items()
        for text, positions in by_problem.items()
        for problem in _describe(frame[name], text, positions)
    ]
    if problems:
        raise InvalidDataError("Some values do not have the type that the schema asks for.", problems)
    return conversion.raw


def convert(frame: pd.DataFrame, schema: RawSchema, *, missing_values: Collection[str]) -> Conversion:
    """Return the raw data of a frame like :func:`coerce`, with the unusable values listed instead of refused.

    Raises
    ------
    InvalidDataError
        With every missing or repeated column.
    """
    import pandas as pd

    require_columns(frame.columns, schema)
    columns: dict[str, pd.Series[Any]] = {}
    unusable: dict[str, Mapping[str, Positions]] = {}
    for rule in schema.columns:
        converted = convert_column(distinct_values(frame[rule.name], rule.kind), rule, missing_values)
        columns[rule.name] = as_raw(converted.spread(), rule).set_axis(frame.index)
        if converted.unusable:
            unusable[rule.name] = converted.unusable
    return Conversion(pd.DataFrame(columns, index=frame.index, copy=False), unusable)


def require_columns(names: Iterable[Any], schema: RawSchema) -> None:
    """Refuse a table without all columns of a schema, or with one of them twice.

    Parameters
    ----------
    names
        Names of the table's columns.
    schema
        The columns wanted.

    Raises
    ------
    InvalidDataError
        With every missing or repeated column.
    """
    found = [str(name) for name in names]
    unknown = [name for name in found if name not in schema.names]
    problems = []
    for name in schema.names:
        if name not in found:
            meant = nearest_name(name, unknown)
            others = f"the columns found are {', '.join(found) or 'none'}"
            hint = others if meant is None else f"did you mean the column {meant!r}? Rename it"
            problems.append(Problem(f"the column is missing; {hint}", field=name))
        elif found.count(name) > 1:
            problems.append(Problem(f"the column appears {found.count(name)} times; keep one of them", field=name))
    if problems:
        raise InvalidDataError("The data does not have the columns of the schema.", problems)


def _describe(values: pd.Series[Any], text: str, positions: Positions) -> list[Problem]:
    """Return the first unusable values of one column and one problem, the first one with the number of all."""
    name, shown = str(values.name), positions[:MAX_SAMPLES_PER_PROBLEM]
    more = f" ({len(positions)} values in all)" if len(positions) > len(shown) else ""
    return [
        Problem(text + (more if place == 0 else ""), field=name, row=int(row), value=values.iloc[row])
        for place, row in enumerate(shown)
    ]


def convert_column(distinct: Distinct, rule: ColumnRule, missing_values: Collection[str]) -> ConvertedColumn:
    """Return a column whose distinct values are converted, each once.

    Parameters
    ----------
    distinct
        The distinct values as a source gives them.
    rule
        What they shall become; ranges and the like are not looked at.
    missing_values
        Texts that mean a missing value, compared after stripping blanks.
    """
    array, rest = _convert_clean(distinct, rule, missing_values)
    convert_one = converter_for(rule, missing_values)
    failures: dict[str, list[int]] = {}
    for place in rest.tolist():
        try:
            converted = convert_one(distinct.values[place])
        except UnusableValueError as error:
            failures.setdefault(str(error), []).append(place)
        else:
            if converted is not None:
                array[place] = converted
    unusable = {text: distinct.positions(places) for text, places in failures.items()}
    # the dictionary of a categorical column may hold values that no row has
    found = {text: positions for text, positions in unusable.items() if len(positions)}
    return ConvertedColumn(array, distinct.codes, found)


def _convert_clean(
    distinct: Distinct, rule: ColumnRule, missing_values: Collection[str]
) -> tuple[npt.NDArray[Any], Positions]:
    """Return an array holding the clean values, missing elsewhere, and the places that need a closer look."""
    values, kind = distinct.values, rule.kind
    if kind == "datetime":
        array, clean = clean_datetimes(values)
    elif kind == "text" and distinct.only_texts:
        array, clean = clean_texts(values, missing_values)
    elif kind not in NUMERIC_KINDS:
        array, clean = np.full(len(values), None, dtype=object), np.zeros(len(values), dtype=bool)
    elif distinct.only_texts:
        array, clean = clean_number_texts(values, kind, missing_values)
    else:
        array, clean = clean_numbers(values, kind)
    return array, np.flatnonzero(~clean)


def as_raw(array: npt.NDArray[Any], rule: ColumnRule) -> pd.Series[Any]:
    """Return a column in the form of :data:`ml_project.data.columns.Columns` with its dtype in raw data."""
    import pandas as pd

    if rule.kind == "integer":
        return pd.Series(array if rule.nullable or np.isnan(array).any() else array.astype(np.int64))
    if rule.kind == "boolean":
        missing = np.isnan(array)
        booleans = np.where(missing, 0.0, array).astype(bool)
        return pd.Series(pd.arrays.BooleanArray(booleans, missing) if rule.nullable or missing.any() else booleans)
    if rule.kind in {"text", "category"}:
        return pd.Series(array, dtype="str")
    return pd.Series(array)
