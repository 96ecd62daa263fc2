"""What lies outside of the training's values is found, and nothing else."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from ml_project.data.raw_schema import ColumnRule, RawSchema
from ml_project.validation.outliers import OutlierCheck, TrainingRange, training_ranges

SCHEMA = RawSchema(
    columns=(
        ColumnRule(name="port", kind="category", allowed=("C", "Q", "S"), nullable=True),
        ColumnRule(name="age", kind="number", nullable=True),
        ColumnRule(name="rooms", kind="integer", nullable=True),
        ColumnRule(name="known", kind="boolean"),
        ColumnRule(name="name", kind="text"),
        ColumnRule(name="born", kind="datetime"),
    )
)


@pytest.fixture
def raw():
    return pd.DataFrame(
        {
            "port": pd.Series(["S", None, "C"], dtype="str"),
            "age": [30.0, None, 0.5],
            "rooms": pd.Series([1, 4, None], dtype="Int64"),
            "known": [True, True, True],
            "name": pd.Series(["a", "b", "c"], dtype="str"),
            "born": pd.Series([pd.Timestamp("2024-05-17")] * 3, dtype="datetime64[us]"),
        }
    )


@pytest.fixture
def check(raw):
    return OutlierCheck(training_ranges(raw, SCHEMA), SCHEMA)


def record(**changes):
    values = {"port": "S", "age": 20.0, "rooms": 2, "known": False, "name": "z", "born": dt.datetime(1900, 1, 1)}
    return {**values, **changes}


def test_training_ranges_have_numbers_and_categories_only(raw):
    assert training_ranges(raw, SCHEMA) == {
        "port": TrainingRange(seen=("C", "S")),
        "age": TrainingRange(low=0.5, high=30.0),
        "rooms": TrainingRange(low=1.0, high=4.0),
    }


def test_training_ranges_column_missing_in_every_row_has_none(raw):
    raw["age"], raw["port"] = np.nan, pd.Series([None] * 3, dtype="str")
    assert set(training_ranges(raw, SCHEMA)) == {"rooms"}


def test_training_ranges_no_rows_are_none(raw):
    assert training_ranges(raw.iloc[:0], SCHEMA) == {}


def test_training_ranges_of_many_rows_hold_the_central_share():
    schema = RawSchema(columns=(ColumnRule(name="age", kind="number"),))
    ages = np.random.default_rng(0).permutation(np.arange(100_000.0))
    age = training_ranges(pd.DataFrame({"age": ages}), schema)["age"]
    assert ((ages >= age.low) & (ages <= age.high)).mean() == pytest.approx(0.999, abs=1e-4)


def test_training_ranges_few_rows_hold_every_value():
    schema = RawSchema(columns=(ColumnRule(name="age", kind="number"),))
    ages = np.random.default_rng(0).normal(size=1_000)
    age = training_ranges(pd.DataFrame({"age": ages}), schema)["age"]
    assert (age.low, age.high) == (ages.min(), ages.max())


def test_training_ranges_survive_json(raw):
    for name, range_ in training_ranges(raw, SCHEMA).items():
        assert TrainingRange.model_validate_json(range_.model_dump_json()) == range_, name


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ()),
        ({"age": 30.0, "rooms": 1}, ()),
        ({"age": np.nextafter(30.0, 31.0)}, ("age",)),
        ({"age": -0.0, "rooms": 5}, ("age", "rooms")),
        ({"rooms": 0, "port": "Q"}, ("port", "rooms")),
        ({"age": None, "rooms": None, "port": None}, ()),
    ],
)
def test_find_names_fields_outside_in_schema_order(check, changes, expected):
    assert check.find([record(**changes)]) == [expected]


def test_find_keeps_the_order_of_records(check):
    assert check.find([record(age=99.0), record(), record(port="Q")]) == [("age",), (), ("port",)]
    assert check.find([]) == []


def test_find_ignores_ranges_of_fields_that_a_record_lacks(raw):
    schema = SCHEMA.select(["rooms"])
    assert OutlierCheck(training_ranges(raw, SCHEMA), schema).find([{"rooms": 9}]) == [("rooms",)]
