"""Check what a batch of raw data is expected to show as a whole: uniqueness, missing rates, means, shares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from ml_project.data.raw_schema import ColumnRule, RawSchema
from ml_project.errors import MAX_SAMPLES_PER_PROBLEM, Problem
from ml_project.validation.requirements import written

MIN_ROWS_FOR_RATES = 30
"""Below it a rate, mean or share says too little: with 30 rows the standard error of a share is still up to 0.09."""


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
    problems: list[Problem] = []
    for rule in schema.columns:
        if rule.unique:
            problems += _repeated(raw[rule.name], rule)
        if len(raw) >= MIN_ROWS_FOR_RATES:
            problems += [
                *_missing_rate(raw[rule.name], rule),
                *_mean(raw[rule.name], rule),
                *_shares(raw[rule.name], rule),
            ]
    return problems


def _repeated(column: pd.Series[Any], rule: ColumnRule) -> Iterator[Problem]:
    present = column.reset_index(drop=True).dropna()
    repeated = present[present.duplicated(keep="first")]
    for place, (row, value) in enumerate(repeated.iloc[:MAX_SAMPLES_PER_PROBLEM].items()):
        all_told = f" ({len(repeated)} repeated values in all)" if len(repeated) > MAX_SAMPLES_PER_PROBLEM else ""
        count = all_told if place == 0 else ""
        yield Problem(f"must be unique, but an earlier row has the same value{count}", rule.name, int(str(row)), value)


def _missing_rate(column: pd.Series[Any], rule: ColumnRule) -> Iterator[Problem]:
    highest = rule.expectations.max_missing_rate
    rate = float(column.isna().mean())
    if highest is not None and rate > highest:
        yield Problem(f"{rate:.1%} of the values are missing, expected at most {highest:.1%}", rule.name)


def _mean(column: pd.Series[Any], rule: ColumnRule) -> Iterator[Problem]:
    expected, present = rule.expectations.mean_between, column.dropna()
    if expected is None or present.empty:
        return
    mean = float(present.mean())
    if not expected[0] <= mean <= expected[1]:
        yield Problem(f"the mean is {mean:.4g}, expected {expected[0]:g} to {expected[1]:g}", rule.name)


def _shares(column: pd.Series[Any], rule: ColumnRule) -> Iterator[Problem]:
    """Compare shares among the present values."""
    expected, present = rule.expectations.share_between, column.dropna()
    if expected is None or present.empty:
        return
    shares = {_as_text(value): float(share) for value, share in present.value_counts(normalize=True).items()}
    for value, (lowest, highest) in expected.items():
        share = shares.get(value, 0.0)
        if not lowest <= share <= highest:
            text = f"{share:.1%} of the values are {value}, expected {lowest:.1%} to {highest:.1%}"
            yield Problem(text, rule.name)


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else written(value)
