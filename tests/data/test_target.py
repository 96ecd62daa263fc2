"""The target: its task, classes and codes."""

import numpy as np
import pandas as pd
import pytest

from ml_project.data.target import read_target
from ml_project.errors import TargetError


def read(values, **keywords):
    return read_target(pd.DataFrame({"y": values}), "y", **keywords)


@pytest.mark.parametrize(
    ("values", "task"),
    [
        ([0, 1, 1], "binary"),
        (["yes", "no", "no"], "binary"),
        ([True, False, True], "binary"),
        ([1.5, 2.5, 1.5], "binary"),
        (["a", "b", "c"], "multiclass"),
        ([0, 1, 2] * 4, "multiclass"),
        ([3.0, 4.0, 5.0] * 4, "multiclass"),
        (list(range(30)) * 3, "regression"),
        ([1, 2, 3, 4], "regression"),
        ([0.5, 1.0, 2.0] * 4, "regression"),
    ],
)
def test_read_target_infers_the_task(values, task):
    assert read(values).task == task


def test_read_target_positive_class_comes_last():
    target = read(["yes", "no", "yes"], positive_class="no")
    assert target.classes == ("yes", "no")
    assert target.values.tolist() == [0, 1, 0]
    assert read([0, 1, 0], positive_class="0").classes == (1, 0)


def test_read_target_whole_numbers_stored_as_floats_are_whole_classes():
    target = read([1.0, 2.0, 1.0])
    assert [type(value) for value in target.classes] == [int, int]
    assert target.values.tolist() == [0, 1, 0]


def test_read_target_regression_gives_floats():
    target = read([1, 2, 3, 4])
    assert target.classes is None
    assert target.values.dtype == np.float64


@pytest.mark.parametrize(
    ("values", "keywords", "message"),
    [
        ([1, None, 2], {}, "'y' is missing in 1 of 3 rows"),
        ([1, 1, 1], {}, r"constant \(every row has 1\)"),
        ([], {}, r"constant \(there are no rows\)"),
        (["a", "b", "c"], {"task": "binary"}, "has 3 classes, but modelling.task is 'binary'"),
        (["a", "b"], {"task": "regression"}, "holds str such as 'a'"),
        (["a", "b"], {"positive_class": "c"}, r"positive_class is 'c', but the classes of 'y' are \['a', 'b'\]"),
    ],
)
def test_read_target_unusable_target_says_why(values, keywords, message):
    with pytest.raises(TargetError, match=message):
        read(values, **keywords)


def test_read_target_missing_column_names_the_columns():
    with pytest.raises(TargetError, match=r"'z' is not in the data; set data.target_column to one of \['y'\]"):
        read_target(pd.DataFrame({"y": [1]}), "z")
