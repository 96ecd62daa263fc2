"""Values that are valid but unlike those of the training: noticed and reported, never refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from ml_project.data.columns import Columns, to_array
from ml_project.data.raw_schema import ColumnRule, RawSchema

if TYPE_CHECKING:
    import pandas as pd

MANY_RECORDS = 32
CENTRAL_SHARE = 0.999
"""Share of the training values that the interval of a number holds; of fewer than 2,000 values it holds all."""


class TrainingRange(BaseModel):
    """What the training saw of one raw column: an interval of numbers, or the categories."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float | None = None
    """Lowest usual number, inclusive."""
    high: float | None = None
    """Highest usual number, inclusive."""
    seen: tuple[str, ...] | None = None
    """The categories, sorted."""

    @classmethod
    def of(cls, values: pd.Series[Any], rule: ColumnRule) -> Self | None:
        """Return the range of a column; ``None`` for other kinds of columns, and where every value is missing."""
        array = to_array(values, rule.kind)
        if rule.kind == "category":
            seen = {value for value in array.tolist() if value is not None}
            return cls(seen=tuple(sorted(seen))) if seen else None
        if rule.kind not in {"integer", "number"}:
            return None
        known = array[~np.isnan(array)]
        if not len(known):
            return None
        tail = (1 - CENTRAL_SHARE) / 2
        # Observed values, not ones between: few rows then give the smallest and the largest.
        low, high = np.quantile(known, tail, method="lower"), np.quantile(known, 1 - tail, method="higher")
        return cls(low=float(low), high=float(high))


def training_ranges(training_raw: pd.DataFrame, schema: RawSchema) -> dict[str, TrainingRange]:
    """Return the ranges of raw columns, by name, in the order of the schema.

    Integers and numbers have an interval that holds the central 99.9 % of the known values, categories have the values
    seen. Booleans, texts and datetimes, and columns that are missing in every row, have none.

    Parameters
    ----------
    training_raw
        Raw training rows, coerced, with at least the schema's columns.
    schema
        The columns to look at.

    Examples
    --------
    >>> import pandas as pd
    >>> schema = RawSchema(columns=(ColumnRule(name="age", kind="number", nullable=True),))
    >>> training_ranges(pd.DataFrame({"age": [30.0, None, 4.0]}), schema)["age"]
    TrainingRange(low=4.0, high=30.0, seen=None)
    """
    found = {rule.name: TrainingRange.of(training_raw[rule.name], rule) for rule in schema.columns}
    return {name: range_ for name, range_ in found.items() if range_ is not None}


class OutlierCheck:
    """Finds the fields of validated records that lie outside of what the training saw.

    Parameters
    ----------
    ranges
        What :func:`training_ranges` returned.
    schema
        The fields of a record; ranges of other columns are ignored.

    Examples
    --------
    >>> schema = RawSchema(columns=(ColumnRule(name="age", kind="number", nullable=True),))
    >>> check = OutlierCheck({"age": TrainingRange(low=4.0, high=30.0)}, schema)
    >>> check.find([{"age": 31.0}, {"age": 30.0}, {"age": None}])
    [('age',), (), ()]
    """

    def __init__(self, ranges: Mapping[str, TrainingRange], schema: RawSchema) -> None:
        looked_at = [(name, ranges[name]) for name in schema.names if name in ranges]
        self._names = tuple(name for name, _ in looked_at)
        self._numbers = [
            (name, range_.low, range_.high)
            for name, range_ in looked_at
            if range_.low is not None and range_.high is not None
        ]
        self._categories = [
            (name, frozenset({*range_.seen, None})) for name, range_ in looked_at if range_.seen is not None
        ]

    def find(self, records: Sequence[Mapping[str, Any]], raw: Columns | None = None) -> list[tuple[str, ...]]:
        """Return, per record, the fields outside, in the order of the schema; a missing value is never outside.

        Parameters
        ----------
        records
            Validated records: raw values by field, ``None`` for missing.
        raw
            The same as arrays by field; with them many records without an outlier take a fraction of the time.
        """
        if raw is not None and len(records) >= MANY_RECORDS and self._is_nothing_outside(raw):
            return [()] * len(records)
        numbers, categories = self._numbers, self._categories
        found = []
        for record in records:
            outside = [
                name for name, low, high in numbers if (value := record[name]) is not None and not low <= value <= high
            ]
            outside += [name for name, seen in categories if record[name] not in seen]
            found.append(tuple(sorted(outside, key=self._names.index)) if outside else ())
        return found

    def _is_nothing_outside(self, raw: Columns) -> bool:
        # Comparisons with NaN, which stands for a missing number, are false.
        return not any(
            bool(np.any((raw[name] < low) | (raw[name] > high))) for name, low, high in self._numbers
        ) and all(seen.issuperset(raw[name].tolist()) for name, seen in self._categories)
