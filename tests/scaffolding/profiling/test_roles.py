"""Columns are features unless something speaks against it, and that is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from scaffolding.plan import ColumnRoles
from scaffolding.profiling.column_profile import ColumnProfile
from scaffolding.profiling.column_rules import profile_columns
from scaffolding.profiling.roles import assign_roles, find_id, reason_to_leave_out

N_ROWS = 200
UUIDS = [f"{number:08x}-0000-4000-8000-{number:012x}" for number in range(N_ROWS)]


def _profiles(columns: dict[str, Any]) -> dict[str, ColumnProfile]:
    frame = pd.DataFrame({**columns, "y": [0, 1] * (N_ROWS // 2)})
    return profile_columns(frame, target="y", missing_values=("",))


@pytest.mark.parametrize(
    ("name", "values", "found"),
    [
        ("customerID", range(1000, 1000 + 2 * N_ROWS, 2), True),
        ("Order Number", [f"A{number}" for number in range(N_ROWS)], True),
        ("instant", range(1, N_ROWS + 1), True),
        ("instant", [*range(N_ROWS, 0, -1)], True),
        ("session", UUIDS, True),
        ("population", range(1000, 1000 + 2 * N_ROWS, 2), False),
        ("id", np.linspace(0, 1, N_ROWS), False),
        ("paid", range(1000, 1000 + 2 * N_ROWS, 2), False),
        ("name", [f"A{number}" for number in range(N_ROWS)], False),
        ("id", [*range(N_ROWS - 1), 5], False),
        ("order_no", range(1000, 1000 + 3 * N_ROWS // 2, 1)[:N_ROWS], True),
        ("Number of employees", range(1000, 1000 + 9 * N_ROWS, 9), False),
        ("price_index", range(1000, 1000 + 9 * N_ROWS, 9), False),
        ("Number of orders", [f"A{number}" for number in range(N_ROWS)], False),
    ],
)
def test_find_id_unique_column_named_or_counted_like_one_is_it(name: str, values: Any, found: bool):
    assert find_id(_profiles({name: values}), ColumnRoles("y")) == (name if found else None)


def test_find_id_of_several_the_named_one_is_it():
    profiles = _profiles({"instant": range(N_ROWS), "row_id": range(10, 10 + N_ROWS)})
    assert find_id(profiles, ColumnRoles("y")) == "row_id"


def test_find_id_users_word_wins():
    profiles = _profiles({"id": range(N_ROWS), "code": range(10, 10 + N_ROWS)})
    assert find_id(profiles, ColumnRoles("y", id="code")) == "code"


def test_find_id_column_with_another_role_is_not_it():
    profiles = _profiles({"id": range(N_ROWS)})
    for roles in (ColumnRoles("y", time="id"), ColumnRoles("y", group="id"), ColumnRoles("y", left_out=("id",))):
        assert find_id(profiles, roles) is None


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (["k"] * N_ROWS, "has the same value in every row: 'k'"),
        ([None] * N_ROWS, "has no value at all"),
        ([1.5, 2.5, 3.5, 1.0, 2.0, *[None] * (N_ROWS - 5)], "is missing in 195 of 200 rows"),
        ([f"n {number}" for number in range(N_ROWS)], "is free text with 200 different values"),
        ([[1]] * N_ROWS, "holds values of type list"),
        ([f"c{number % 10}" if number < 100 else f"n{number // 2}" for number in range(N_ROWS)], "is free text"),
        (UUIDS, "identifies rows"),
    ],
)
def test_reason_to_leave_out_what_says_nothing_is_told(values: list[Any], reason: str):
    assert str(reason_to_leave_out(_profiles({"x": values})["x"])).startswith(reason)


@pytest.mark.parametrize(
    "values",
    [
        ["k", *[None] * 9] * 20,
        [f"c{number % 50}" for number in range(N_ROWS)],
        [f"c{number}" if number < 30 else f"c{number % 4}" for number in range(N_ROWS)],
        range(1000, 1000 + 2 * N_ROWS, 2),
        [0, 1] * 100,
    ],
)
def test_reason_to_leave_out_what_says_something_stays(values: Any):
    assert reason_to_leave_out(_profiles({"x": values})["x"]) is None


def test_reason_to_leave_out_few_rows_with_a_value_cannot_be_learned():
    frame = pd.DataFrame({"x": [1, 2, None, None, None, None], "y": range(6)})
    profile = profile_columns(frame, target="y", missing_values=())["x"]
    assert reason_to_leave_out(profile) == "is missing in 4 of 6 rows"


def test_assign_roles_every_column_has_exactly_one():
    dates = pd.date_range("2020-01-01", periods=N_ROWS)
    profiles = _profiles({"id": range(N_ROWS), "a": [1, 2] * 100, "when": dates, "day": dates, "k": [1] * N_ROWS})

    found = assign_roles(profiles, ColumnRoles("y", left_out=("day",)), id_column="id", time_column=None)

    assert (found.features, found.datetimes) == (("a",), ("when",))
    assert [(one.column, one.reason.split(":")[0]) for one in found.left_out] == [
        ("day", "left out by the user"),
        ("k", "has the same value in every row"),
    ]


def test_assign_roles_group_and_whole_numbers_of_time_are_no_features():
    profiles = _profiles({"shop": [1, 2] * 100, "step": [*range(100), *range(100)], "a": [1, 2] * 100})

    found = assign_roles(profiles, ColumnRoles("y", group="shop"), id_column=None, time_column="step")

    assert (found.features, found.left_out) == (("a",), ())


def test_assign_roles_number_named_like_one_of_rows_is_a_feature_with_a_warning():
    profiles = _profiles({"price_index": range(0, 9 * N_ROWS, 9), "employees": range(0, 7 * N_ROWS, 7)})

    found = assign_roles(profiles, ColumnRoles("y"), id_column=None, time_column=None)

    assert found.features == ("price_index", "employees")
    assert found.warnings == (
        "Column 'price_index' was taken for a feature; if it only numbers things, use --leave-out.",
    )


def test_assign_roles_repeated_identifier_suggests_groups():
    profiles = _profiles({"customer_id": [number // 2 for number in range(N_ROWS)], "a": [1, 2] * 100})

    found = assign_roles(profiles, ColumnRoles("y"), id_column=None, time_column=None)
    with_group = assign_roles(profiles, ColumnRoles("y", group="a"), id_column=None, time_column=None)

    assert [one.column for one in found.left_out] == ["customer_id"]
    assert "--group 'customer_id'" in found.warnings[0]
    assert with_group.warnings == ()
