"""The rows of a chunk that break the schema."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ml_project.data.coercion import coerce, convert
from ml_project.data.columns import to_columns
from ml_project.prediction.batch_parts import ChunkSummary, summarise_findings
from ml_project.prediction.batch_rows import check_chunk
from ml_project.prediction.batch_run import collect_problems
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


def test_check_chunk_valid_columns_are_those_of_the_good_rows(table: pd.DataFrame):
    chunk = check_chunk(table, SCHEMA, missing_values=("",), start=100)
    kept = coerce(table.iloc[chunk.valid_rows - 100], SCHEMA, missing_values=("",))
    assert 500 < len(kept) < 1000
    for name, expected in to_columns(kept, SCHEMA).items():
        np.testing.assert_array_equal(chunk.valid_columns()[name].spread(), expected)


def test_check_chunk_of_an_arrow_table_finds_the_same(table: pd.DataFrame):
    written = table.map(lambda value: None if value is None else str(value))
    of_frame = check_chunk(written, SCHEMA, missing_values=("",))
    for texts in (written, written.astype("category")):
        of_table = check_chunk(pa.Table.from_pandas(texts), SCHEMA, missing_values=("",))
        assert sorted((found.field, found.text, found.positions.tolist()) for found in of_table.findings) == sorted(
            (found.field, found.text, found.positions.tolist()) for found in of_frame.findings
        )
        rejected = of_frame.rejected().reset_index(drop=True)
        pd.testing.assert_frame_equal(of_table.rejected(), rejected, check_dtype=False, check_categorical=False)


def test_check_chunk_values_only_in_the_dictionary_are_no_problem():
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 1309, pa.int32()), pa.array(["male", "unknown"]))
    table = pa.Table.from_pandas(titanic())
    table = table.set_column(table.column_names.index("sex"), "sex", texts)
    assert check_chunk(table, SCHEMA, missing_values=("",)).findings == ()


def test_check_chunk_does_not_change_the_source(table: pd.DataFrame):
    before = table.copy()
    check_chunk(table, SCHEMA, missing_values=("",)).rejected()
    pd.testing.assert_frame_equal(table, before)


def test_check_chunk_of_good_rows_finds_nothing():
    chunk = check_chunk(titanic(), SCHEMA, missing_values=("",))
    assert chunk.findings == ()
    assert len(chunk.valid_rows) == len(titanic())


def test_rejected_shows_the_rows_as_they_came_with_number_and_problems():
    table = titanic().astype(object)
    table.loc[7, ["age", "sex"]] = ["old", "unknown"]
    rejected = check_chunk(table.iloc[5:], SCHEMA, missing_values=("",), start=5).rejected()
    assert rejected["row"].tolist() == [7]
    assert rejected["age"].tolist() == ["old"]
    problems = "age = 'old': is not a number; sex = 'unknown': must be one of female, male"
    assert rejected["problems"].tolist() == [problems]


def test_rejected_of_rows_rejected_before_shows_the_present_problems():
    table = titanic().astype(object).assign(row=5, problems="of an earlier run")
    table.loc[0, "age"] = "old"
    rejected = check_chunk(table.head(2), SCHEMA, missing_values=("",)).rejected()
    assert rejected[["row", "problems"]].to_numpy().tolist() == [[0, "age = 'old': is not a number"]]


def test_collect_problems_keeps_few_samples_and_counts_all():
    chunks = [
        check_chunk(titanic().assign(age=-1.0).iloc[first : first + 100], SCHEMA, missing_values=("",), start=first)
        for first in (0, 100, 200)
    ]
    summaries = [
        ChunkSummary(number=number, n_source=100, findings=summarise_findings(chunk, 2))
        for number, chunk in enumerate(chunks)
    ]
    problems = collect_problems(summaries)
    assert [problem.row for problem in problems] == [0, 1, 100, 101, 200]
    assert problems[0].problem == "must be at least 0 (300 values in all)"
