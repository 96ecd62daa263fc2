"""What the columns of a reference look like to the generator of rows: their values in order, and how often each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml_project.data.columns import to_array
from ml_project.data.copula import Cuts, Floats
from ml_project.data.raw_schema import ColumnRule, RawSchema
from ml_project.data.synthetic_columns import ChosenColumn, Codes, DrawnColumn, NumberColumn, WholeColumn
from ml_project.errors import InvalidDataError, Problem

_MOST_CATEGORIES = 20
_FEWEST_ROWS_PER_CATEGORY = 5
_LARGEST_INTERPOLATED = 1e250


@dataclass(frozen=True)
class ReferenceColumn:
    """One column of the reference.

    Attributes
    ----------
    rule
        The column's rule.
    values
        Distinct present values, shape ``(n_values,)``, in the order in which they are alike.
    counts
        Number of rows of each value.
    codes
        Position of each row's value, -1 where it is missing, shape ``(n_rows,)``.
    """

    rule: ColumnRule
    values: npt.NDArray[Any]
    counts: Codes
    codes: Codes

    @property
    def n_missing(self) -> int:
        """Return the number of missing values, 0 where the schema allows none."""
        return int((self.codes < 0).sum()) if self.rule.nullable else 0

    @property
    def is_numeric(self) -> bool:
        """Return whether the order of the values has a meaning."""
        return self.rule.kind not in {"category", "text"}

    @property
    def is_numbered(self) -> bool:
        """Return whether every row gets a value of its own."""
        return self.rule.unique and len(self.values) > 0

    @property
    def is_drawn(self) -> bool:
        """Return whether the values follow from a normal variable; free texts and absent values do not."""
        few = len(self.values) <= min(_MOST_CATEGORIES, len(self.codes) // _FEWEST_ROWS_PER_CATEGORY)
        return not self.rule.unique and len(self.values) > 0 and (self.rule.kind != "text" or few)

    @property
    def has_few_values(self) -> bool:
        """Return whether the values are categories, by which rows are alike or not."""
        return self._is_chosen and len(self.values) <= _MOST_CATEGORIES

    @property
    def _is_chosen(self) -> bool:
        listed = self.rule.allowed is not None or self.rule.kind == "boolean" or not self.is_numeric
        return listed or (self.rule.kind == "number" and bool(np.abs(self.values).max() > _LARGEST_INTERPOLATED))

    def scores(self) -> Floats:
        """Return the normal score of each row's value, NaN where it is missing."""
        return np.append(Cuts.from_counts(self.counts).scores, np.nan)[self.codes]

    def reordered(self, order: Codes) -> ReferenceColumn:
        """Return the column with its values in another order, given by their positions in this one."""
        positions = np.append(np.argsort(order), -1)
        return replace(self, values=self.values[order], counts=self.counts[order], codes=positions[self.codes])

    def fit(self) -> DrawnColumn:
        """Return what draws values like these."""
        if self._is_chosen:
            return ChosenColumn.fit(self.values, self.counts, self.rule)
        if self.rule.kind == "number":
            return NumberColumn.fit(self.values, self.counts)
        return WholeColumn.fit(self.values, self.counts, self.rule)


def read_reference(reference: pd.DataFrame, schema: RawSchema) -> list[ReferenceColumn]:
    """Return the columns of the schema.

    Parameters
    ----------
    reference
        Coerced raw data of shape ``(n_rows, n_columns)``.
    schema
        The columns to read.

    Raises
    ------
    InvalidDataError
        With every column that is missing, or has no value although it must have one.
    """
    absent = [name for name in schema.names if name not in reference.columns]
    problems = [Problem("the reference has no such column", name) for name in absent]
    present = [rule for rule in schema.columns if rule.name not in absent]
    columns = [_read_column(rule, to_array(reference[rule.name], rule.kind)) for rule in present]
    problems += [
        Problem("has no value in the reference, although the schema requires one", column.rule.name)
        for column in columns
        if len(column.values) == 0 and not column.rule.nullable
    ]
    if problems or reference.empty:
        message = "The reference does not show what rows are like; give rows that fit the schema."
        raise InvalidDataError(message, problems)
    return _with_ordered_categories(columns)


def _read_column(rule: ColumnRule, array: npt.NDArray[Any]) -> ReferenceColumn:
    present = ~pd.isna(array)
    values, inverse, counts = np.unique(array[present], return_inverse=True, return_counts=True)
    codes = np.full(len(array), -1, dtype=np.intp)
    codes[present] = inverse
    return ReferenceColumn(rule, values, counts, codes)


def _with_ordered_categories(columns: Sequence[ReferenceColumn]) -> list[ReferenceColumn]:
    """Return the columns with their categories ordered by what the other columns' values have in common.

    The order of categories decides how much of their correlations one normal variable can carry.
    """
    numeric = [column.scores() for column in columns if column.is_numeric and len(column.values) > 1]
    if not numeric:
        return list(columns)
    scores = np.column_stack(numeric)
    scores = np.nan_to_num((scores - np.nanmean(scores, axis=0)) / np.nanstd(scores, axis=0))
    common = scores @ np.linalg.svd(scores, full_matrices=False)[2][0]
    return [column if column.is_numeric else _ordered_by(column, common) for column in columns]


def _ordered_by(column: ReferenceColumn, common: Floats) -> ReferenceColumn:
    present = column.codes >= 0
    sums = np.bincount(column.codes[present], weights=common[present], minlength=len(column.values))
    return column.reordered(np.argsort(sums / column.counts, kind="stable"))

