"""Values as JSON texts and rows, whatever a record holds."""

import datetime as dt
import json
from fractions import Fraction

import numpy as np
import pytest

from ml_project.monitoring.items import Feedback
from ml_project.monitoring.rows import LabelRow, to_json_text, to_label_row, to_plain_ascii, to_prediction_rows
from tests.monitoring.batches import make_batch


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "null"),
        (True, "true"),
        (0.1, "0.1"),
        (float("-inf"), "null"),
        (np.float64("nan"), "null"),
        (np.int64(3), "3"),
        (np.array([1.0, np.nan]), "[1.0,null]"),
        (2**70, "1180591620717411303424"),
        ("\0", '"\\u0000"'),
        ({"a": ["\ud800", float("nan"), dt.date(2026, 1, 2)]}, '{"a":["\\ud800",null,"2026-01-02"]}'),
        ({1: (2, 3)}, '{"1":[2,3]}'),
    ],
)
def test_to_json_text_value_becomes_valid_json(value, expected):
    assert to_json_text(value) == expected
    json.loads(expected)


def test_to_json_text_unknown_object_becomes_its_text():
    assert to_json_text({"a": Fraction(1, 2)}) == '{"a":"1/2"}'


def test_to_prediction_rows_part_of_a_batch_takes_its_values():
    batch = make_batch(["a", "b", "c"], engineered={"x": np.arange(3.0)}, outliers=[(), ("age",), ()])
    rows = to_prediction_rows(batch, 1, 3)
    assert [(row[0], row[5], row[7]) for row in rows] == [("b", '{"x":1.0}', '["age"]'), ("c", '{"x":2.0}', "[]")]


def test_to_prediction_rows_latency_that_is_no_number_is_missing():
    assert to_prediction_rows(make_batch(latency_seconds=float("nan")), 0, 1)[0][-1] is None


def test_to_label_row_same_moment_keys_keep_the_order():
    rows = [to_label_row(Feedback("a", number, 1.0)) for number in range(20)]
    assert sorted(rows) == rows


def test_to_plain_ascii_texts_are_escaped_and_cut():
    row = to_prediction_rows(make_batch(["x" * 100], request_id="\ud800", records=[{"a": "ä"}]), 0, 1)[0]
    plain = to_plain_ascii(row)
    assert (plain[0], plain[2], plain[4]) == ("x" * 64, "\\ud800", '{"a":"\\u00e4"}')
    assert plain[1] == row[1]
    label = to_plain_ascii(LabelRow("1", "ä", '"ä"', row[1]))
    assert (label.prediction_id, label.label) == ("\\xe4", '"\\u00e4"')
