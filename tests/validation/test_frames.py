"""Raw data is checked row by row."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from ml_project.data.raw_schema import RawSchema
from ml_project.errors import InvalidDataError
from ml_project.validation.frames import check_raw, failing_rows, validate_raw


def test_check_raw_titanic_has_no_problem(titanic, titanic_schema):
    assert check_raw(titanic, titanic_schema) == []
    assert validate_raw(titanic, titanic_schema) is titanic
    assert check_raw(titanic.iloc[:0], titanic_schema) == []
    assert check_raw(titanic.iloc[[5]], titanic_schema) == []
    assert check_raw(titanic[titanic.columns[::-1]], titanic_schema) == []


@pytest.fixture
def broken(titanic):
    frame = titanic.sample(frac=1, random_state=0)
    frame.iloc[:7, frame.columns.get_loc("fare")] = -1.0
    frame.iloc[3, frame.columns.get_loc("sex")] = "x"
    frame["sibsp"] = frame["sibsp"].astype(float)
    frame.iloc[9, frame.columns.get_loc("sibsp")] = np.nan
    return frame


def test_check_raw_broken_rows_are_counted_and_sampled(broken, titanic_schema):
    before = broken.copy(deep=True)

    lines = [str(problem) for problem in check_raw(broken, titanic_schema)]

    assert lines == [
        "row 3, sex = 'x': must be one of female, male",
        "row 9, sibsp: is required",
        "row 0, fare = -1.0: must be at least 0 (7 rows in all)",
        *(f"row {row}, fare = -1.0: must be at least 0" for row in (1, 2, 3, 4)),
    ]
    pd.testing.assert_frame_equal(broken, before)


def test_failing_rows_has_every_row_with_every_problem(broken, titanic_schema):
    rows = failing_rows(broken, titanic_schema)

    assert list(rows) == [*range(7), 9]
    assert [problem.field for problem in rows[3]] == ["sex", "fare"]


def test_validate_raw_broken_rows_are_refused(broken, titanic_schema):
    with pytest.raises(InvalidDataError, match="must be one of female, male"):
        validate_raw(broken, titanic_schema)


def test_check_raw_of_data_not_coerced_is_refused(titanic, titanic_schema):
    with pytest.raises(InvalidDataError, match="fare: has dtype str, expected float64") as caught:
        check_raw(titanic.assign(fare="1").drop(columns="age"), titanic_schema)
    assert [problem.field for problem in caught.value.problems] == ["age", "fare"]


def test_check_raw_of_all_missing_column_follows_nullability(titanic, titanic_schema):
    empty = titanic.assign(cabin=pd.Series([None] * len(titanic), dtype="str"))
    assert check_raw(empty, titanic_schema) == []
    required = RawSchema(columns=(titanic_schema.rule("cabin").model_copy(update={"nullable": False}),))
    assert "1309 rows in all" in str(check_raw(empty, required)[0])


def test_frames_module_does_not_import_pandera():
    code = "import sys, ml_project.validation.frames; assert 'pandera' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
