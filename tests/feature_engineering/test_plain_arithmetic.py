"""Plain arithmetic for all rows at once gives the bits that Python gives row by row."""

import math

import numpy as np
import pytest

from ml_project.errors import FeatureError
from ml_project.feature_engineering.plain_arithmetic import compute_arithmetic, is_plain_arithmetic
from ml_project.feature_engineering.row_function import row_feature

FACTOR = 2.0


def with_a_variable(a, b):
    """Return something."""
    total = a + b
    return -total / 3 + 1.5


def with_a_branch(a, b):
    return a if a > b else b


def with_a_default(a, b=1.0):
    return a + b


PLAIN = [
    lambda a, b: a / (b + 1),
    lambda a, b: a * b - 0.1 * a,
    lambda a, b: -a - b / 7,
    lambda a, b: a,
    lambda a, b: (a - b) * (a + b) / 3e300,
    with_a_variable,
]
NOT_PLAIN = [
    lambda a, b: a**b,
    lambda a, b: a // b,
    lambda a, b: a % b,
    lambda a, b: round(a),
    lambda a, b: a and b,
    lambda a, b: FACTOR * a,
    lambda a, b: 1.0,
    lambda a, b: None,
    lambda a, b: a + 2**60,
    lambda a, b: a == b,
    lambda *values: values,
    with_a_branch,
    with_a_default,
    math.hypot,
]
NUMBERS = [0.0, -0.0, 1.0, -1.0, 0.1, 1 / 3, 5e-324, 1e308, -1e308, 7e-310, 123456789.123, float("nan")]


@pytest.mark.parametrize("function", PLAIN)
def test_compute_arithmetic_gives_the_bits_of_python(function):
    random = np.random.default_rng(0)
    a = np.concatenate([np.repeat(NUMBERS, len(NUMBERS)), random.normal(size=500)])
    b = np.concatenate([np.tile(NUMBERS, len(NUMBERS)), random.normal(size=500)])
    usable = b != -1
    a, b = a[usable], b[usable]
    assert is_plain_arithmetic(function)
    expected = np.array([function(*row) for row in zip(a.tolist(), b.tolist(), strict=True)], dtype=np.float64)
    found = compute_arithmetic(function, [a, b])
    if found is None:  # something infinite became NaN on the way
        finite = np.isfinite(a) & np.isfinite(b) & (np.abs(a) < 1e100) & (np.abs(b) < 1e100)
        expected, found = expected[finite], compute_arithmetic(function, [a[finite], b[finite]])
    assert found.dtype == np.float64
    same_bits = found.view(np.int64) == expected.view(np.int64)
    assert (same_bits | (np.isnan(found) & np.isnan(expected))).all()


@pytest.mark.parametrize("function", NOT_PLAIN)
def test_is_plain_arithmetic_of_anything_else_is_false(function):
    assert not is_plain_arithmetic(function)


def test_compute_arithmetic_does_not_return_its_argument():
    array = np.array([1.0, 2.0])
    assert not np.shares_memory(compute_arithmetic(lambda a: a, [array]), array)


@row_feature(inputs=("fare", "people"), kind="number", missing="propagates")
def per_person(fare: float, people: float) -> float:
    return fare / people


@row_feature(inputs=("fare", "people"), kind="number", missing="propagates")
def doubled(fare: float, people: float) -> float:
    return fare * 2


def test_row_feature_of_arithmetic_is_missing_where_an_input_is_that_does_not_count():
    columns = {"fare": np.full(100, 3.0), "people": np.where(np.arange(100) % 2, np.nan, 1.0)}
    assert doubled.compute(columns, {}).tolist()[0] == 6.0
    assert np.isnan(doubled.compute(columns, {})[1::2]).all()


def test_row_feature_of_arithmetic_dividing_by_zero_names_the_row():
    columns = {"fare": np.full(100, 3.0), "people": np.where(np.arange(100) == 70, 0.0, 1.0)}
    with pytest.raises(FeatureError, match="raised ZeroDivisionError") as caught:
        per_person.compute(columns, {})
    assert caught.value.problems[0].row == 70
