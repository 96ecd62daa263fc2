"""Tests of the check of true targets."""

import pandas as pd
import pytest

from ml_project.errors import TargetError
from ml_project.evaluation.target_codes import encode_target


def test_encode_target_classes_become_codes_in_order():
    assert encode_target(pd.DataFrame({"y": [1, 0, 1]}), "y", (0, 1)).tolist() == [1, 0, 1]
    assert encode_target(pd.DataFrame({"y": pd.array([True, False], "boolean")}), "y", (False, True)).tolist() == [1, 0]


def test_encode_target_column_absent_is_refused():
    with pytest.raises(TargetError, match="'y' is not in the data"):
        encode_target(pd.DataFrame({"x": [1]}), "y", None)


def test_encode_target_no_rows_is_refused():
    with pytest.raises(TargetError, match="no rows to evaluate"):
        encode_target(pd.DataFrame({"y": []}), "y", None)


def test_encode_target_missing_values_name_at_most_five_rows():
    with pytest.raises(TargetError, match="unusable in 7 of 8 rows") as caught:
        encode_target(pd.DataFrame({"y": [1.0] + [None] * 7}), "y", None)
    assert [problem.row for problem in caught.value.problems] == [1, 2, 3, 4, 5]


def test_encode_target_unknown_class_names_known_ones():
    with pytest.raises(TargetError, match="row 1, y = 'maybe': the class is unknown to the model, which knows 'no'"):
        encode_target(pd.DataFrame({"y": ["no", "maybe"]}), "y", ("no", "yes"))


def test_encode_target_text_in_regression_is_refused():
    with pytest.raises(TargetError, match="must be a number, but holds str"):
        encode_target(pd.DataFrame({"y": ["a"]}), "y", None)
