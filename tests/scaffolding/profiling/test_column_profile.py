"""Kinds are those that the project's coercion can read tomorrow, too."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scaffolding.profiling.column_kinds import markers_of
from scaffolding.profiling.column_profile import ColumnProfile, profile_column

MISSING = ("", "NA", "?")


def _profile(values: Any, **options: Any) -> ColumnProfile:
    series = values if isinstance(values, pd.Series) else pd.Series(values)
    return profile_column(series.rename("x"), missing_values=MISSING, **options)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", " 2 ", "-3"], "integer"),
        (["1", "2.5", "1e3"], "number"),
        (["3.0", "4.0"], "number"),
        (["3.0", "4.0"] * 10, "integer"),
        (["3.0", "4.0", ""] * 10, "integer"),
        ([str(float(number)) for number in range(100)], "number"),
        (["007", "123"], "text"),
        (["0", "0.5"], "number"),
        (["+4912345678", "+4923456789"], "text"),
        (["yes", "No", "?"], "boolean"),
        (["true", "FALSE", "1"], "boolean"),
        (["0", "1"], "integer"),
        (["2024-05-17", "2024-05-18T08:30:00Z"], "datetime"),
        ([f"202401{day:02}" for day in range(1, 31)], "datetime"),
        (["20240101", "20240102"], "integer"),
        (["17.05.2024", "18.05.2024"], "text"),
        (["1", "two"], "text"),
        ([str(2**60), str(2**60 + 1)], "text"),
        ([2**60, 2**60 + 1], "text"),
        (["", "NA"], "text"),
        ([True, False], "boolean"),
        ([True, None], "boolean"),
        ([1, 2], "integer"),
        ([1.5, np.nan], "number"),
        ([Decimal("1.50"), Decimal(2)], "number"),
        ([dt.date(2024, 5, 17), None], "datetime"),
        (pd.Series(pd.date_range("2024-01-01", periods=2, tz="Europe/Berlin")), "datetime"),
        (pd.Series(["a", "b"], dtype="category"), "text"),
        (pd.Series([1, 2, None], dtype="Int64"), "integer"),
        (pd.Series(["1", 2, 3.5], dtype=object), "number"),
    ],
)
def test_profile_column_values_have_the_kind_that_coercion_reads(values: Any, kind: str):
    profile = _profile(values)

    assert (profile.kind, profile.problem) == (kind, None)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ([[1, 2], [3]], "type list"),
        ([{"a": 1}, None], "type dict"),
        ([b"x"], "type bytes"),
        ([dt.time(8), dt.time(9)], "type time"),
        (pd.Series(pd.to_timedelta([1, 2], unit="h")), "type Timedelta"),
        ([1.0, np.inf], "an infinite value"),
        (["1.5", "inf", "-Infinity"], "2 infinite values"),
        (pd.Series(["a", True], dtype=object), "mixes values"),
    ],
)
def test_profile_column_unusable_values_have_a_reason(values: Any, problem: str):
    profile = _profile(values)

    assert profile.kind is None
    assert problem in str(profile.problem)


def test_profile_column_target_keeps_its_words_as_labels():
    assert _profile(["yes", "no"], texts_stay=True).kind == "text"
    assert _profile(["True", "False"], texts_stay=True).kind == "boolean"


def test_profile_column_numbers_statistics_are_those_of_the_values_present():
    profile = _profile(["4", "", "1", "1", "10"])

    assert (profile.n_rows, profile.n_missing, profile.n_distinct) == (5, 1, 3)
    assert (profile.minimum, profile.maximum, profile.mean, profile.median) == (1, 10, 4, 1)
    assert profile.deviation == pytest.approx(np.std([4, 1, 1, 10]))
    assert profile.frequent == ((1, 2), (4, 1), (10, 1))


def test_profile_column_texts_are_counted_without_blanks_around_them():
    profile = _profile(["a ", "a", " b", "?", None])

    assert profile.frequent == (("a", 2), ("b", 1))
    assert (profile.n_missing, profile.n_distinct, profile.longest) == (2, 2, 2)


@pytest.mark.parametrize("values", [["b", "a", "", "a"], [3.5, 1.25, np.nan, 1.25], ["2024-01-02", "2024-01-01"]])
def test_profile_column_other_order_of_rows_shows_the_same(values: list[Any]):
    column = pd.Series(values)

    assert repr(_profile(column)) == repr(_profile(column[::-1].reset_index(drop=True)))


def test_profile_column_same_table_from_csv_and_parquet_shows_the_same():
    typed = pd.Series([1.5, 2.25, np.nan, 7.0])
    written = pd.Series(["1.5", "2.25", "", "7.0"])

    assert _profile(typed) == _profile(written)


@pytest.mark.parametrize(
    ("values", "markers"),
    [
        (["1", "-", "n/a", "2.5"], ("-", "n/a")),
        (["2024-01-01", "NULL"], ("NULL",)),
        (["red", "-", "n/a"], ()),
        (["-", "-"], ()),
        (["1", "?"], ()),
        ([1.0, 2.0], ()),
    ],
)
def test_markers_of_missing_value_among_numbers_is_found(values: list[Any], markers: tuple[str, ...]):
    assert markers_of(pd.Series(values), MISSING) == markers
