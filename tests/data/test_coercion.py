"""Untyped data becomes raw data, whatever dtypes it comes in; what cannot is reported, all of it."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from ml_project.data.coercion import coerce
from ml_project.data.raw_schema import ColumnRule, RawSchema
from ml_project.errors import InvalidDataError

MISSING = ("", "NA")


def schema_of(kind, *, nullable=True, **limits):
    return RawSchema(columns=(ColumnRule(name="x", kind=kind, nullable=nullable, **limits),))


def coerced(values, kind, *, nullable=True, **limits):
    frame = values.to_frame("x") if isinstance(values, pd.Series) else pd.DataFrame({"x": values})
    return coerce(frame, schema_of(kind, nullable=nullable, **limits), missing_values=MISSING)["x"]


NUMBERS = {
    "text": pd.Series(["1", " 2 ", "NA", "3.0"]),
    "object": pd.Series([1, "2", None, 3.0], dtype=object),
    "decimal": pd.Series([Decimal(1), Decimal(2), None, Decimal("3.0")], dtype=object),
    "float": pd.Series([1, 2, np.nan, 3]),
    "float32": pd.Series([1, 2, np.nan, 3], dtype="float32"),
    "Int64": pd.Series([1, 2, None, 3], dtype="Int64"),
    "Float64": pd.Series([1, 2, None, 3], dtype="Float64"),
    "category": pd.Series(["1", "2", None, "3"], dtype="category"),
    "category of numbers": pd.Series([1, 2, None, 3], dtype="category"),
    "arrow int": pd.Series([1, 2, None, 3], dtype="int64[pyarrow]"),
    "arrow float": pd.Series([1, 2, None, 3], dtype="double[pyarrow]"),
    "arrow text": pd.Series(["1", "2", None, "3"], dtype="string[pyarrow]"),
    "python text": pd.Series(["1", "2", None, "3"], dtype=pd.StringDtype("python")),
}


@pytest.mark.parametrize("values", NUMBERS.values(), ids=NUMBERS)
@pytest.mark.parametrize("kind", ["integer", "number"])
def test_coerce_numbers_of_any_dtype_gives_floats_with_nan(values, kind):
    pd.testing.assert_series_equal(coerced(values, kind), pd.Series([1, 2, np.nan, 3], name="x"))


@pytest.mark.parametrize("dtype", ["object", "float", "float32", "Int64", "category of numbers", "arrow float"])
def test_coerce_numbers_to_text_writes_whole_ones_without_decimals(dtype):
    expected = pd.Series(["1", "2", None, "3"], name="x", dtype="str")
    pd.testing.assert_series_equal(coerced(NUMBERS[dtype], "text"), expected)


@pytest.mark.parametrize(
    ("kind", "dtype", "nullable_dtype"),
    [
        ("integer", "int64", "float64"),
        ("number", "float64", "float64"),
        ("boolean", "bool", "boolean"),
        ("category", "str", "str"),
        ("text", "str", "str"),
        ("datetime", "datetime64[us]", "datetime64[us]"),
    ],
)
def test_coerce_dtype_depends_on_rules_only(kind, dtype, nullable_dtype):
    limits = {"allowed": ("1",)} if kind == "category" else {}
    complete = ["2024-05-17"] if kind == "datetime" else ["1"]

    assert coerced(complete, kind, nullable=False, **limits).dtype == dtype
    assert coerced(complete, kind, **limits).dtype == nullable_dtype
    assert coerced([None, None], kind, **limits).dtype == nullable_dtype
    assert coerced(pd.Series([], dtype="str"), kind, nullable=False, **limits).dtype == dtype
    assert coerced([*complete, "NA"], kind, nullable=False, **limits).isna().tolist() == [False, True]


def test_coerce_nan_of_any_bits_becomes_the_one_nan():
    odd = np.array([0x7FF8000000000001, 0xFFF8000000000000], dtype=np.uint64).view(np.float64)
    assert coerced(odd, "number").to_numpy().tobytes() == np.array([np.nan, np.nan]).tobytes()


def test_coerce_booleans_and_texts_keep_their_meaning():
    assert coerced(["TRUE", "no", " 1 ", "Yes", "0"], "boolean").tolist() == [True, False, True, True, False]
    assert coerced([" keep ", "NA ", "12"], "text").tolist() == [" keep ", np.nan, "12"]
    assert coerced([" a ", "NA", "z"], "category", allowed=("a", "NA")).tolist() == ["a", "NA", "z"]


def test_coerce_moments_become_naive_utc():
    moments = [
        "2024-05-17T08:30:00+02:00",
        pd.Timestamp("2024-05-17 08:30", tz="Europe/Berlin"),
        dt.datetime(2024, 5, 17, 6, 30),
        dt.datetime(2024, 5, 17, 6, 30, tzinfo=dt.UTC),
    ]
    expected = [pd.Timestamp("2024-05-17 06:30")]

    assert coerced(moments, "datetime").tolist() == expected * 4
    for typed in (
        pd.Series(moments[1:2]),
        pd.Series(expected, dtype="datetime64[ns]"),
        pd.Series(expected, dtype="timestamp[ms][pyarrow]"),
        pd.Series(moments[3:], dtype="timestamp[us, tz=UTC][pyarrow]"),
    ):
        found = coerced(typed, "datetime")
        pd.testing.assert_series_equal(found, pd.Series(expected, name="x", dtype="datetime64[us]"))


def test_coerce_unusable_values_are_reported_with_count_samples_and_rows():
    schema = RawSchema(columns=(ColumnRule(name="a", kind="number"), ColumnRule(name="b", kind="integer")))
    frame = pd.DataFrame({"a": ["1 200", "inf", "3"] * 4, "b": ["1.5", "x", str(2**53 + 1)] * 4})

    with pytest.raises(InvalidDataError, match="do not have the type") as caught:
        coerce(frame, schema, missing_values=MISSING)

    lines = str(caught.value).splitlines()
    assert "  - row 0, a = '1 200': is not a number" in lines
    assert "  - row 1, a = 'inf': must be finite" in lines
    assert any(line.startswith("  - row 0, b = '1.5': is not a whole number (8 values in all)") for line in lines)
    assert len([line for line in lines if "whole number" in line and "b = " in line]) == 5 + 4
    assert {problem.row for problem in caught.value.problems} >= {0, 1, 3}


@pytest.mark.parametrize("values", [[np.inf], [3.5], [2.0**60], [True], np.array([2**60]), [dt.datetime(2024, 1, 1)]])
def test_coerce_typed_values_unusable_as_integers_are_refused(values):
    with pytest.raises(InvalidDataError, match="row 0, x = "):
        coerced(values, "integer")


def test_coerce_missing_values_of_config_count_for_plain_numbers_too():
    raw = coerce(pd.DataFrame({"x": ["999", "1"]}), schema_of("integer"), missing_values=("999",))
    assert raw["x"].isna().tolist() == [True, False]


def test_coerce_columns_missing_renamed_or_repeated_are_all_named():
    schema = RawSchema(columns=tuple(ColumnRule(name=name, kind="text") for name in ("fare", "cabin", "sex", "age")))
    frame = pd.DataFrame([["1"] * 5], columns=["Fare ", "sex", "sex", "kabin", "note"])

    with pytest.raises(InvalidDataError, match="columns of the schema") as caught:
        coerce(frame, schema, missing_values=MISSING)

    found = {problem.field: problem.problem for problem in caught.value.problems}
    assert "'Fare '" in found["fare"]
    assert "'kabin'" in found["cabin"]
    assert "2 times" in found["sex"]
    assert "the columns found are Fare , sex, sex, kabin, note" in found["age"]


def test_coerce_keeps_schema_order_and_index_and_input():
    schema = RawSchema(columns=(ColumnRule(name="a", kind="integer"), ColumnRule(name="b", kind="text")))
    frame = pd.DataFrame({"note": ["n", "m"], "b": ["x", "y"], "a": ["1", "2"]}, index=[7, 7])
    before = frame.copy(deep=True)

    raw = coerce(frame, schema, missing_values=MISSING)
    raw.loc[7, "a"] = 0

    pd.testing.assert_frame_equal(frame, before)
    assert raw.columns.tolist() == ["a", "b"]
    assert raw.index.tolist() == [7, 7]


def test_coerce_typed_result_is_no_view_of_its_input():
    frame = pd.DataFrame({"x": [1.0, 2.0]})
    raw = coerce(frame, schema_of("number"), missing_values=MISSING)
    raw.iloc[0, 0] = 9.0
    assert frame["x"].tolist() == [1.0, 2.0]
