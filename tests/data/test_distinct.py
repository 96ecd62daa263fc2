"""A column in Arrow becomes the same raw data as in pandas."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import get_args

import numpy as np
import pyarrow as pa
import pytest

from ml_project.data.coercion import convert_column
from ml_project.data.distinct import RepeatingTexts, distinct_in_arrow, distinct_values
from ml_project.data.raw_schema import ColumnKind, ColumnRule
from ml_project.data.sources.arrow_source import to_frame

MISSING = ("", "NA")
TEXTS = ["1", " 2 ", "NA", None, "3.0", "x", "1", "", "2024-05-17", "true", " a"]
COLUMNS = {
    "text": pa.array(TEXTS),
    "large text": pa.array(TEXTS, pa.large_string()),
    "dictionary": pa.array(TEXTS).dictionary_encode(),
    "part of a dictionary": pa.array(TEXTS).dictionary_encode().slice(4, 3),
    "dictionary with null": pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 1]), pa.array(["a", None])),
    "dictionary of numbers": pa.array([1, 2, None, 1]).dictionary_encode(),
    "int": pa.array([1, 0, 2, 2**60]),
    "int8 with null": pa.array([1, None, 0, 3], pa.int8()),
    "uint64": pa.array([1, 2**63], pa.uint64()),
    "big int with null": pa.array([2**53 + 1, None, 5]),
    "float": pa.array([1.0, -0.0, float("nan"), None, 0.5, 3e300, float("inf")]),
    "float32": pa.array([1.0, None, 0.1], pa.float32()),
    "float16": pa.array([np.float16(0.5), None, np.float16(2)], pa.float16()),
    "bool": pa.array([True, False]),
    "bool with null": pa.array([True, None, False]),
    "all null": pa.nulls(3),
    "date": pa.array([dt.date(2024, 5, 17), None]),
    "timestamp": pa.array([dt.datetime(2024, 5, 17, 8, 30, 0, 5), None], pa.timestamp("us")),
    "nanoseconds": pa.array([1_000_000_001, None], pa.timestamp("ns")),
    "time zone": pa.array([dt.datetime(2024, 5, 17, 8), None], pa.timestamp("us", "Europe/Berlin")),
    "decimal": pa.array([Decimal("1.5"), Decimal(2), None]),
    "list": pa.array([[1], None]),
    "empty": pa.array([], pa.string()),
}


@pytest.mark.parametrize("kind", get_args(ColumnKind))
@pytest.mark.parametrize("array", COLUMNS.values(), ids=COLUMNS)
def test_distinct_in_arrow_converts_to_the_same_as_in_pandas(array: pa.Array, kind: ColumnKind):
    rule = ColumnRule(name="x", kind=kind, nullable=True, allowed=("a", "1") if kind == "category" else None)
    column = pa.chunked_array([array, array.slice(1)])
    found = convert_column(distinct_in_arrow(column, kind), rule, MISSING)
    in_pandas = to_frame(pa.table({"x": column}))["x"]
    expected = convert_column(distinct_values(in_pandas, kind), rule, MISSING)
    np.testing.assert_array_equal(found.spread(), expected.spread())
    assert found.spread().dtype == expected.spread().dtype
    assert {text: rows.tolist() for text, rows in found.unusable.items()} == {
        text: rows.tolist() for text, rows in expected.unusable.items()
    }


def test_distinct_in_arrow_without_chunks_is_empty():
    column = pa.chunked_array([], pa.string())
    assert (
        convert_column(distinct_in_arrow(column, "text"), ColumnRule(name="x", kind="text"), MISSING).spread().size == 0
    )


def test_repeating_texts_forget_their_codes_when_something_is_made_of_them():
    texts = RepeatingTexts.spread(np.array(["a", "b", None], dtype=object), np.array([0, 1, -1]))
    for derived in (texts[:2], texts.copy(), np.concatenate([texts, texts]), texts[[0, 1]], texts.astype(object)):
        assert getattr(derived, "codes", None) is None
