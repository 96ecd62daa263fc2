"""Coercion and check of a frame, and the validator of records, give the same verdicts and the same values."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_project.data.coercion import coerce, convert
from ml_project.data.columns import to_columns
from ml_project.data.raw_schema import RawSchema
from ml_project.errors import InvalidDataError
from ml_project.validation.frames import failing_rows
from ml_project.validation.record_fast_path import ManyRecordsPath
from ml_project.validation.records import RecordColumns, RecordValidator

from .conftest import EVERY_KIND, MISSING_VALUES

UTC_PLUS_2 = dt.timezone(dt.timedelta(hours=2))
HARD_VALUES: tuple[Any, ...] = (
    *(None, float("nan"), np.nan, pd.NA, pd.NaT, np.datetime64("NaT", "us"), Decimal("NaN")),
    *("", " ", "NA", " NA ", "nan", "null", "None", "?", "na", "NAN", "-nan"),
    *(0, 1, -1, 2, 3, 12, 999, 1000, 2**53, 2**53 + 1, -(2**53), -(2**53) - 1, 2**63, 2**64, 10**400),
    *(0.0, -0.0, 0.5, 3.0, 3.5, -1.5, 1e6, 1e16, 1e300, float("inf"), -float("inf"), 5e-324),
    *("0", "-0", "1", "12", " 12 ", "12 ", "+12", "3.0", "3.5", "-0.0", ".5", "5.", "1e3", "1e-3", "1e999", "1 200"),
    *("1,5", "1_000", "0x1f", "\uff11\uff12", "inf", "-Infinity", "9007199254740993", "3.00000000000000000001"),
    *("1\n", "\x1f1", "0.1234567890123456789", "123456789012345.678901234567891", "1" * 500),
    *(True, False, np.True_, "true", "FALSE", " Yes", "no", "y", "truee"),
    *(np.int64(3), np.uint8(3), np.float32(0.5), np.float64(3), np.float32(0.1), np.str_("a"), np.longdouble(1.5)),
    *(Decimal("3"), Decimal("3.5"), Decimal("Infinity"), Decimal("1e400"), uuid.UUID(int=1)),
    *("a", " a ", "b", " b", "A", "12 ", "abcdefg", "ab c", "a\n", "äöü", "é", "\ud800", "日本語の言葉"),
    *("a\x00b", "\u00a0"),
    *(dt.datetime(2024, 5, 17, 8, 30, 0, 1), dt.datetime(1999, 12, 31, 23, 59), dt.date(2024, 5, 17), dt.datetime.max),
    *(dt.datetime(2000, 1, 1, 1, tzinfo=UTC_PLUS_2), dt.datetime.min.replace(tzinfo=UTC_PLUS_2), dt.time(8, 30)),
    *("2024-05-17", "2024-05-17T08:30:00", "2024-05-17 08:30:00.123456789", "2024-05-17T08:30:00+02:00", "20240517"),
    *("2024-05-17T08:30:00Z", " 2024-05-17 ", "17.05.2024", "2024-13-01", "2024", "24:00", "0001-01-01T00:00:00+05:00"),
    *(pd.Timestamp("2024-05-17 08:30:00.123456789"), pd.Timestamp("1999-12-31", tz="Europe/Berlin"), pd.Timestamp(0)),
    *(pd.Timestamp("1900-01-01 00:00:00.123456789"), np.datetime64("2024-05-17"), np.datetime64("12024-05-17")),
    *(np.datetime64("2024-05-17T08:30:00.123456789", "ns"), np.timedelta64(1, "s"), dt.timedelta(1)),
    *([], [1], {}, {"a": 1}, (1,), b"12", 1j, object),
)
values = st.one_of(
    st.sampled_from(HARD_VALUES),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.integers(-5, 1100).map(lambda number: f" {number}"),
    st.floats().map(repr),
    st.datetimes(),
    st.datetimes().map(lambda moment: moment.isoformat()),
)
valid_rows = st.fixed_dictionaries(
    {
        "whole": st.integers(-2, 999) | st.integers(-2, 999).map(str) | st.integers(-2, 999).map(float),
        "whole_or_none": st.none() | st.integers(-(2**53), 2**53) | st.just("-0.0"),
        "level": st.sampled_from([0, 1, "1", "0.0", 1.0]),
        "size": st.floats(-1.4, 1e6) | st.floats(-1.4, 1e6).map(repr) | st.integers(-1, 10),
        "size_or_none": st.none() | st.floats(allow_infinity=False) | st.just("?"),
        "step": st.sampled_from([None, 0.5, 3, "3", "0.50"]),
        "flag": st.sampled_from([True, False, "yes", "0", 1, 0.0]),
        "flag_or_none": st.sampled_from([None, True, "NO", "NA"]),
        "only_true": st.sampled_from([None, True, "1"]),
        "group": st.sampled_from(["a", "NA", "12", " a", 12, 12.0]),
        "group_or_none": st.sampled_from([None, "a", " b", "a ", "NA"]),
        "word": st.sampled_from(["a", " ab ", "äöü", 12, 0.5]),
        "code_or_none": st.sampled_from([None, "a1", "1", 7, "NA", "a b"]),
        "moment": st.datetimes(min_value=dt.datetime(2000, 1, 1)) | st.just("2024-05-17T08:30:00Z"),
        "moment_or_none": st.none() | st.datetimes() | st.dates() | st.just(""),
    }
)
changes = st.dictionaries(st.sampled_from(EVERY_KIND.names), values)
any_rows = st.builds(lambda row, changed: row | changed, valid_rows, changes)

Found = set[tuple[int, str | None, str]]


def found_in_frame(frame: pd.DataFrame, schema: RawSchema) -> Found:
    conversion = convert(frame, schema, missing_values=MISSING_VALUES)
    unusable = {
        (int(row), name, text)
        for name, by_problem in conversion.unusable.items()
        for text, rows in by_problem.items()
        for row in rows
    }
    failing = failing_rows(conversion.raw, schema)
    places = {(row, name) for row, name, _ in unusable}
    broken = {(row, found.field, found.problem) for row, problems in failing.items() for found in problems}
    return unusable | {found for found in broken if found[:2] not in places}


def found_in_records(rows: list[dict[str, Any]], schema: RawSchema) -> Found:
    try:
        RecordValidator(schema, missing_values=MISSING_VALUES).validate_many(rows)
    except InvalidDataError as error:
        return {(problem.row or 0, problem.field, problem.problem) for problem in error.problems}
    return set()


def as_frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    columns = {}
    for name in EVERY_KIND.names:
        column = np.empty(len(rows), dtype=object)
        column[:] = [row[name] for row in rows]
        columns[name] = pd.Series(column, dtype=object)
    return pd.DataFrame(columns)


def assert_same_columns(frame: pd.DataFrame, rows: list[dict[str, Any]]) -> None:
    of_frame = to_columns(coerce(frame, EVERY_KIND, missing_values=MISSING_VALUES), EVERY_KIND)
    validated = RecordValidator(EVERY_KIND, missing_values=MISSING_VALUES).validate_many(rows)
    of_records = RecordColumns(EVERY_KIND)(validated)
    assert list(of_frame) == list(of_records)
    for name, array in of_frame.items():
        assert array.dtype == of_records[name].dtype
        if array.dtype == object:
            assert array.tolist() == of_records[name].tolist()
            assert {type(value) for value in of_records[name]} <= {str, type(None)}
        else:
            assert array.tobytes() == of_records[name].tobytes(), name


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(any_rows, min_size=1, max_size=5))
def test_frame_and_records_any_rows_give_same_problems(rows):
    found = found_in_records(rows, EVERY_KIND)

    assert found_in_frame(as_frame(rows), EVERY_KIND) == found


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(valid_rows, min_size=1, max_size=5))
def test_frame_and_records_valid_rows_give_same_arrays(rows):
    assert found_in_records(rows, EVERY_KIND) == set()

    assert_same_columns(as_frame(rows), rows)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(valid_rows, min_size=1, max_size=5))
def test_frame_with_inferred_dtypes_valid_rows_gives_same_arrays(rows):
    assert_same_columns(pd.DataFrame(rows), rows)


@pytest.fixture(scope="module")
def good_row():
    return RecordValidator(EVERY_KIND, missing_values=MISSING_VALUES).example()


def test_frame_and_records_every_hard_value_in_every_column_give_same_problems(good_row):
    rows = [good_row | dict.fromkeys(EVERY_KIND.names, value) for value in HARD_VALUES]

    found = found_in_records(rows, EVERY_KIND)

    assert found_in_frame(as_frame(rows), EVERY_KIND) == found
    broken = {(row, name) for row, name, _ in found}
    for name in EVERY_KIND.names:
        usable = [row for row in range(len(rows)) if (row, name) not in broken]
        assert usable
        kept = [good_row | {name: HARD_VALUES[row]} for row in usable]
        assert_same_columns(as_frame(kept), kept)


MANY_PATH = ManyRecordsPath(EVERY_KIND, MISSING_VALUES)


def assert_same_values_or_refused(row: dict[str, Any]) -> None:
    """What is accepted together has to be what a record alone becomes."""
    found = MANY_PATH.validate([row])
    if found is not None:
        alone = RecordValidator(EVERY_KIND, missing_values=MISSING_VALUES).validate(row)
        assert list(found[0]) == list(alone)
        assert repr(found[0]) == repr(alone)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_rows)
def test_many_records_path_any_row_is_refused_or_as_it_is_alone(row):
    assert_same_values_or_refused(row)


def test_many_records_path_every_hard_value_is_refused_or_as_it_is_alone(good_row):
    for name in EVERY_KIND.names:
        for value in HARD_VALUES:
            assert_same_values_or_refused(good_row | {name: value})


def test_many_records_path_clean_rows_are_accepted_unless_one_of_them_is_not_clean(good_row):
    validated = MANY_PATH.validate([good_row] * 3)

    assert validated == [RecordValidator(EVERY_KIND, missing_values=MISSING_VALUES).validate(good_row)] * 3
    for change in ({"word": " NA "}, {"word": "é"}, {"colour": "red"}, {"size": "1"}):
        assert MANY_PATH.validate([good_row, good_row | change]) is None


def test_validator_of_many_records_names_the_row_of_each_problem(good_row):
    validator = RecordValidator(EVERY_KIND, missing_values=MISSING_VALUES)
    rows = [good_row] * 50 + [good_row | {"whole": -100}]

    with pytest.raises(InvalidDataError, match="does not fit") as caught:
        validator.validate_many(rows)

    assert [(problem.row, problem.field) for problem in caught.value.problems] == [(50, "whole")]
    assert validator.validate_many(rows[:50]) == [validator.validate(good_row)] * 50
