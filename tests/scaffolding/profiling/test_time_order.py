"""An order in time is told, and what changes with time is not expected to stay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml_project.config import SplitsConfig
from scaffolding.plan import ColumnRoles
from scaffolding.profiling.column_profile import profile_column
from scaffolding.profiling.column_rules import infer_rule, infer_schema, profile_columns
from scaffolding.profiling.time_order import (
    order_warnings,
    positions_in_time,
    suspected_order,
    without_drifting_means,
)

N_ROWS = 400
DRAWS = np.random.default_rng(0)
NOISE = DRAWS.normal(size=N_ROWS)


def _suspected(**columns: Any) -> tuple[str, ...]:
    frame = pd.DataFrame({"y": [0, 1] * (N_ROWS // 2), **columns})
    profiles = profile_columns(frame, target="y", missing_values=())
    return suspected_order(frame, profiles, ColumnRoles("y"), SplitsConfig(strategy="random"))


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"Year": np.arange(N_ROWS) // 100 + 2001}, ("Year",)),
        ({"epoch": np.arange(N_ROWS) * 60 + 1_700_000_000}, ("epoch",)),
        ({"year": [2013] * N_ROWS, "month": np.arange(N_ROWS) // 40}, ("month",)),
        (
            {"year": np.arange(N_ROWS) // 200, "month": np.arange(N_ROWS) % 200 // 20, "day": np.arange(N_ROWS) % 20},
            ("year", "month", "day"),
        ),
        ({"year": DRAWS.integers(2001, 2005, N_ROWS)}, ()),
        ({"score": np.arange(N_ROWS)}, ()),
        ({"when": pd.date_range("2020-01-01", periods=N_ROWS)[np.arange(N_ROWS) ^ 1]}, ("when",)),
        ({"when": DRAWS.permutation(pd.date_range("2020-01-01", periods=N_ROWS))}, ()),
    ],
)
def test_suspected_order_of_time_is_found(columns: dict[str, Any], found: tuple[str, ...]):
    assert _suspected(**columns) == found


def test_suspected_order_held_out_in_time_is_none():
    frame = pd.DataFrame({"y": [0, 1] * (N_ROWS // 2), "year": range(N_ROWS)})
    profiles = profile_columns(frame, target="y", missing_values=())
    splits = SplitsConfig(strategy="chronological", time_column="year")

    assert suspected_order(frame, profiles, ColumnRoles("y"), splits) == ()
    assert order_warnings(()) == []


def test_order_warnings_name_the_option():
    assert "--time 'Year'" in order_warnings(("Year",))[0]
    assert "'year', 'month'" in order_warnings(("year", "month"))[0]


def _means(columns: dict[str, Any], order: Any = None) -> set[str]:
    """Return the columns of which a mean is expected."""
    frame = pd.DataFrame({"y": DRAWS.integers(0, 2, N_ROWS), **columns})
    schema = infer_schema(frame, target="y", classes=(0, 1), missing_values=())
    lasting = without_drifting_means(schema, frame, order)
    return {rule.name for rule in lasting.columns if rule.expectations.mean_between is not None}


def test_without_drifting_means_what_rises_with_the_rows_has_none():
    assert _means({"price": np.arange(N_ROWS) + NOISE, "other": NOISE}) == {"other"}


def test_without_drifting_means_blocks_in_time_that_differ_have_none():
    season = {"temp": 9 * np.sin(np.arange(N_ROWS) / 60) + NOISE, "other": np.where(NOISE > 2, np.nan, NOISE)}
    order = positions_in_time(pd.DataFrame(season), SplitsConfig(strategy="random"), ("year",))

    assert _means(season) == {"temp", "other"}
    assert _means(season, order) == {"other"}


def test_positions_in_time_follow_the_time_column():
    splits = SplitsConfig(strategy="chronological", time_column="when")
    positions = positions_in_time(pd.DataFrame({"when": [3, 1, 2]}), splits, ())
    assert positions is not None
    assert positions.tolist() == [1, 2, 0]
    assert positions_in_time(pd.DataFrame({"when": [3]}), SplitsConfig(strategy="random"), ()) is None


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("year_sold", DRAWS.integers(2006, 2010, N_ROWS)),
        ("built", DRAWS.integers(1900, 2010, N_ROWS)),
        ("mnth", DRAWS.integers(1, 12, N_ROWS)),
        ("season", DRAWS.integers(1, 4, N_ROWS)),
        ("number", DRAWS.permutation(N_ROWS) + 7),
    ],
)
def test_infer_rule_places_in_time_and_counters_have_no_expected_mean(name: str, values: Any):
    column = profile_column(pd.Series(values, name=name), missing_values=())
    other = profile_column(pd.Series(DRAWS.integers(0, 99, N_ROWS), name="price"), missing_values=())

    assert infer_rule(column).expectations.mean_between is None
    assert infer_rule(other).expectations.mean_between is not None
