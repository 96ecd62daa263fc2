"""Check what a batch of raw data is expected to show as a whole: uniqueness, missing rates, means, shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ml_project.data.coercion import ConvertedColumn
from ml_project.data.columns import to_columns
from ml_project.data.raw_schema import ColumnRule, RawSchema
from ml_project.errors import MAX_SAMPLES_PER_PROBLEM, Problem
from ml_project.validation.requirements import written

if TYPE_CHECKING:
    import pandas as pd

MIN_ROWS_FOR_RATES = 30
"""Below it a rate, mean or share says too little: with 30 rows the standard error of a share is still up to 0.09."""


@dataclass(frozen=True)
class ColumnSums:
    """What has to be known of a column to hold it against expectations; that of two parts of a table can be added.

    Attributes
    ----------
    n_rows, n_present
        Number of rows, and of values that are not missing.
    total
        Sum of the present values of a numeric column whose mean is expected in an interval, else 0.
    counts
        Number of rows by value as text, of the values whose share is expected in an interval.
    """

    n_rows: int
    n_present: int
    total: float
    counts: Mapping[str, int]

    def __add__(self, other: ColumnSums) -> ColumnSums:
        counts = {value: count + other.counts[value] for value, count in self.counts.items()}
        return ColumnSums(
            self.n_rows + other.n_rows, self.n_present + other.n_present, self.total + other.total, counts
        )

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON can hold them."""
        return asdict(self)


def check_batch(raw: pd.DataFrame, schema: RawSchema) -> list[Problem]:
    """Return what a batch of raw data shows against expectation.

    Parameters
    ----------
    raw
        Coerced data of shape ``(n_rows, n_columns)``. Repeated values of unique columns are found in any batch; missing
        rates, means and shares are looked at from :data:`MIN_ROWS_FOR_RATES` rows on.
    schema
        The columns with their expectations.

    Returns
    -------
    list of Problem
        Each with the value found and the values expected.
    """
    columns = {name: ConvertedColumn(values, None, {}) for name, values in to_columns(raw, schema).items()}
    sums = sum_columns(columns, schema)
    problems: list[Problem] = []
    for rule in schema.columns:
        if rule.unique:
            problems += _repeated(raw[rule.name], rule)
        if rule.name in sums:
            problems += unexpected(sums[rule.name], rule)
    return problems


def sum_columns(columns: Mapping[str, ConvertedColumn], schema: RawSchema) -> dict[str, ColumnSums]:
    """Return the sums of the columns that have expectations.

    Parameters
    ----------
    columns
        Columns of ``n_rows`` rows by name, at least the schema's.
    schema
        The columns with their expectations.
    """
    return {rule.name: _sums(columns[rule.name], rule) for rule in schema.columns if _is_watched(rule)}


def unexpected(sums: ColumnSums, rule: ColumnRule) -> list[Problem]:
    """Return what a column shows against the expectations of its rule."""
    if sums.n_rows < MIN_ROWS_FOR_RATES:
        return []
    return [*_missing_rate(sums, rule), *_mean(sums, rule), *_shares(sums, rule)]


def _is_watched(rule: ColumnRule) -> bool:
    found = rule.expectations
    return not (found.max_missing_rate is None and found.mean_between is None and found.share_between is None)


def _sums(column: ConvertedColumn, rule: ColumnRule) -> ColumnSums:
    n_rows = len(column.values) if column.codes is None else len(column.codes)
    if column.values.dtype == object:
        counted = _count_texts(column)
        counts = {text: counted.get(text, 0) for text in rule.expectations.share_between or ()}
        return ColumnSums(n_rows, sum(counted.values()), 0.0, counts)
    values = column.spread()
    present = values[values == values]  # noqa: PLR0124  NaN and NaT differ from themselves
    total = float(present.sum()) if rule.expectations.mean_between is not None else 0.0
    counts = {text: _count_number(present, text, rule) for text in rule.expectations.share_between or ()}
    return ColumnSums(n_rows, len(present), total, counts)


def _count_texts(column: ConvertedColumn) -> dict[str, int]:
    """Return the number of rows by text; different texts of the source may have become the same."""
    values = column.values.tolist()
    rows = [1] * len(values) if column.codes is None else np.bincount(column.codes + 1, minlength=1)[1:].tolist()
    counted: dict[str, int] = {}
    for text, n_rows in zip(values, rows, strict=False):  # the rows of the last texts may be none
        if text is not None:
            counted[text] = counted.get(text, 0) + n_rows
    return counted


def _count_number(present: npt.NDArray[Any], text: str, rule: ColumnRule) -> int:
    """Return how many values are a value that is given as text."""
    if rule.kind == "boolean":
        return int(np.count_nonzero(present == (text == "true"))) if text in ("true", "false") else 0
    try:
        number = float(text)
    except ValueError:
        return 0
    return int(np.count_nonzero(present == number)) if written(number) == text else 0


def _repeated(column: pd.Series[Any], rule: ColumnRule) -> Iterator[Problem]:
    present = column.reset_index(drop=True).dropna()
    repeated = present[present.duplicated(keep="first")]
    samples = [(int(str(row)), value) for row, value in repeated.iloc[:MAX_SAMPLES_PER_PROBLEM].items()]
    return repeated_problems(rule.name, samples, len(repeated))


def repeated_problems(name: str, samples: list[tuple[int, Any]], n_repeated: int) -> Iterator[Problem]:
    """Yield the problems of a unique column in which values repeat, of which some rows and values are given."""
    for place, (row, value) in enumerate(samples):
        all_told = f" ({n_repeated} repeated values in all)" if n_repeated > len(samples) else ""
        count = all_told if place == 0 else ""
        yield Problem(f"must be unique, but an earlier row has the same value{count}", name, row, value)


def _missing_rate(sums: ColumnSums, rule: ColumnRule) -> Iterator[Problem]:
    highest = rule.expectations.max_missing_rate
    rate = (sums.n_rows - sums.n_present) / sums.n_rows
    if highest is not None and rate > highest:
        yield Problem(f"{rate:.1%} of the values are missing, expected at most {highest:.1%}", rule.name)


def _mean(sums: ColumnSums, rule: ColumnRule) -> Iterator[Problem]:
    expected = rule.expectations.mean_between
    if expected is None or not sums.n_present:
        return
    mean = sums.total / sums.n_present
    if not expected[0] <= mean <= expected[1]:
        yield Problem(f"the mean is {mean:.4g}, expected {expected[0]:g} to {expected[1]:g}", rule.name)


def _shares(sums: ColumnSums, rule: ColumnRule) -> Iterator[Problem]:
    """Compare shares among the present values."""
    expected = rule.expectations.share_between
    if expected is None or not sums.n_present:
        return
    for value, (lowest, highest) in expected.items():
        share = sums.counts[value] / sums.n_present
        if not lowest <= share <= highest:
            text = f"{share:.1%} of the values are {value}, expected {lowest:.1%} to {highest:.1%}"
            yield Problem(text, rule.name)
