"""The rows of a chunk that break the schema."""

import numpy as np
import pandas as pd
import pytest

from ml_project.data.coercion import convert
from ml_project.prediction.batch_rows import ProblemCollector, check_chunk
from ml_project.validation.frames import failing_rows
from tests.artifacts.fitted import SCHEMA, titanic

WRONG = {
    "passenger_id": [None, 0, -1, "x"],
    "survived": [2, "maybe", None],
    "pclass": [0, 4, None, "1.5"],
    "name": ["", None, "x" * 300],
    "sex": ["unknown", None, "Male"],
    "age": [-1, 121, "old", None, "inf"],
    "fare": [-0.01, 1e9, None, "1,5"],
    "embarked": ["X", None],
}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """The Titanic table in which about every second row has a wrong value."""
    random = np.random.default_rng(0)
    wrong = titanic().astype(object)
    for row in random.choice(len(wrong), len(wrong) // 2, replace=False):
        column = random.choice(list(WRONG))
        wrong.loc[row, column] = random.choice(np.array([*WRONG[column], None], dtype=object))
    return wrong


def test_check_chunk_finds_the_rows_that_coercion_and_check_of_raw_data_refuse(table: pd.DataFrame):
    found = np.flatnonzero(check_chunk(table, SCHEMA, missing_values=("",)).invalid)
    conversion = convert(table, SCHEMA, missing_values=("",))
    unusable = {row for texts in conversion.unusable.values() for rows in texts.values() for row in rows.tolist()}
    assert set(found.tolist()) == unusable | set(failing_rows(conversion.raw, SCHEMA))


def test_check_chunk_valid_raw_has_the_dtypes_of_raw_data(table: pd.DataFrame):
    valid = check_chunk(table, SCHEMA, missing_values=("",)).valid_raw()
    assert 500 < len(valid) < 1000
    assert (valid.dtypes == titanic().dtypes).all()


def test_check_chunk_does_not_change_the_source(table: pd.DataFrame):
    before = table.copy()
    check_chunk(table, SCHEMA, missing_values=("",)).rejected()
    pd.testing.assert_frame_equal(table, before)


def test_check_chunk_of_good_rows_finds_nothing():
    chunk = check_chunk(titanic(), SCHEMA, missing_values=("",))
    assert chunk.findings == ()
    pd.testing.assert_frame_equal(chunk.valid_raw(), titanic())


def test_rejected_shows_the_rows_as_they_came_with_number_and_problems():
    table = titanic().astype(object)
    table.loc[7, ["age", "sex"]] = ["old", "unknown"]
    rejected = check_chunk(table.iloc[5:], SCHEMA, missing_values=("",)).rejected()
    assert rejected["row"].tolist() == [7]
    assert rejected["age"].tolist() == ["old"]
    problems = "age = 'old': is not a number; sex = 'unknown': must be one of female, male"
    assert rejected["problems"].tolist() == [problems]


def test_problem_collector_keeps_few_samples_and_counts_all():
    collector = ProblemCollector()
    for first in (0, 100, 200):
        collector.add(check_chunk(titanic().assign(age=-1.0).iloc[first : first + 100], SCHEMA, missing_values=("",)))
    problems = collector.problems()
    assert [problem.row for problem in problems] == [0, 1, 2, 3, 4]
    assert problems[0].problem == "must be at least 0 (300 values in all)"
