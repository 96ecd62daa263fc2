"""A batch is held against what it is expected to show."""

import numpy as np
import pandas as pd
import pytest

from ml_project.data.raw_schema import BatchExpectations, ColumnRule, RawSchema
from ml_project.validation.expectations import check_batch

SCHEMA = RawSchema(
    columns=(
        ColumnRule(name="id", kind="integer", unique=True),
        ColumnRule(
            name="age",
            kind="number",
            nullable=True,
            expectations=BatchExpectations(max_missing_rate=0.1, mean_between=(20, 40)),
        ),
        ColumnRule(
            name="flag",
            kind="boolean",
            expectations=BatchExpectations(share_between={"true": (0.4, 0.6)}),
        ),
        ColumnRule(
            name="level",
            kind="integer",
            nullable=True,
            expectations=BatchExpectations(share_between={"1": (0.4, 1), "2": (0.1, 0.6)}),
        ),
    )
)


@pytest.fixture
def batch():
    rows = np.arange(40)
    return pd.DataFrame({"id": rows, "age": 30.0, "flag": rows % 2 == 0, "level": 1.0 + rows % 2})


def test_check_batch_as_expected_has_no_problem(batch):
    assert check_batch(batch, SCHEMA) == []


def test_check_batch_titanic_has_no_problem(titanic, titanic_schema):
    assert check_batch(titanic, titanic_schema) == []


def test_check_batch_states_found_and_expected(batch):
    odd = batch.assign(age=[50.0] * 30 + [np.nan] * 10, flag=True, level=1.0)

    assert [str(problem) for problem in check_batch(odd, SCHEMA)] == [
        "age: 25.0% of the values are missing, expected at most 10.0%",
        "age: the mean is 50, expected 20 to 40",
        "flag: 100.0% of the values are true, expected 40.0% to 60.0%",
        "level: 0.0% of the values are 2, expected 10.0% to 60.0%",
    ]


def test_check_batch_repeated_values_are_counted_and_sampled(batch):
    problems = check_batch(batch.assign(id=1), SCHEMA)

    assert len(problems) == 5
    text = "row 1, id = 1: must be unique, but an earlier row has the same value (39 repeated values in all)"
    assert str(problems[0]) == text


def test_check_batch_small_batch_is_checked_for_uniqueness_only(batch):
    small = batch.iloc[:29].assign(age=99.0, id=[1, 1, *range(2, 29)])

    assert [problem.row for problem in check_batch(small, SCHEMA)] == [1]


def test_check_batch_all_missing_column_breaks_missing_rate_only(batch):
    problems = check_batch(batch.assign(age=np.nan, level=np.nan), SCHEMA)

    assert [str(problem) for problem in problems] == ["age: 100.0% of the values are missing, expected at most 10.0%"]


def test_check_batch_empty_has_no_problem(batch):
    assert check_batch(batch.iloc[:0], SCHEMA) == []
