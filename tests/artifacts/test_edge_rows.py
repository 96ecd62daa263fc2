"""Rows made to find differences have the values that they are made for."""

from typing import Any

import numpy as np
import pytest

from ml_project.artifacts.edge_rows import rows_beyond_single_precision, rows_with, unusual_rows
from ml_project.artifacts.engines import OnnxGraph
from ml_project.artifacts.onnx_conversion import convert_preprocessing
from ml_project.artifacts.serving_model import serving_model
from ml_project.artifacts.tree_readers import read_trees
from ml_project.artifacts.tree_thresholds import numbers_at_thresholds
from tests.artifacts.fitted import Fitted, fit

COLUMNS = {"age": np.array([1.0, np.nan, 3.0]), "sex": np.array(["f", None, "m"], dtype=object)}
KINDS: Any = {"age": "number", "sex": "category"}


def test_unusual_rows_have_missing_unseen_huge_and_tiny_values():
    edges = unusual_rows(COLUMNS, KINDS)
    ages = edges["age"]
    assert np.isnan(ages).any()
    assert np.nanmax(ages) >= 1e20
    assert {5e-324, -5e-324, 1e-45, 2.0, float(np.nextafter(2.0, 3.0))} <= set(ages.tolist())
    assert np.signbit(ages[ages == 0]).any()
    assert not np.signbit(ages[ages == 0]).all()
    assert {"never seen before", None, "f"} <= set(edges["sex"].tolist())


def test_unusual_rows_of_no_rows_are_none():
    assert len(unusual_rows({"age": np.empty(0)}, {"age": "number"})["age"]) == 0


def test_rows_beyond_single_precision_have_one_such_number_each():
    columns = {**COLUMNS, "fare": np.zeros(3)}
    rows = rows_beyond_single_precision(columns, {**KINDS, "fare": "number"})
    beyond = np.abs([rows["age"], rows["fare"]]) > np.finfo(np.float32).max
    assert beyond.tolist() == [[True, False], [False, True]]
    assert np.isnan(COLUMNS["age"][1])


def test_rows_with_numbers_have_each_of_them():
    numbers = {"age": np.arange(50.0)}
    rows = rows_with(numbers, COLUMNS)
    assert rows is not None
    assert sorted(rows["age"]) == numbers["age"].tolist()
    assert set(rows["sex"]) <= {"f", None, "m"}


def test_rows_with_no_numbers_are_none():
    assert rows_with({}, COLUMNS) is None
    assert rows_with({"age": np.empty(0)}, COLUMNS) is None


def thresholds_and_numbers(fitted: Fitted) -> tuple[Any, Any, Any]:
    """Return the model's trees, the preprocessing, and numbers at the thresholds by name."""
    model = serving_model(fitted.estimator)
    kinds = fitted.estimator.named_steps["features"].kinds
    preprocess = OnnxGraph(convert_preprocessing(model, kinds)).compute
    last = model.steps[-1][1]
    return read_trees(last), preprocess, numbers_at_thresholds(last, preprocess, fitted.engineered(), kinds)


@pytest.mark.parametrize("name", ["decision_tree", "random_forest", "histogram_boosting", "xgboost", "lightgbm"])
@pytest.mark.parametrize("scaling", ["standard", None])
def test_numbers_at_thresholds_lie_on_both_sides_of_a_split(name: str, scaling: str | None):
    fitted = fit(name, scaling=scaling)
    trees, preprocess, numbers = thresholds_and_numbers(fitted)
    assert {"age", "fare"} <= set(numbers)
    columns = {column: values[:1] for column, values in fitted.engineered().items()}
    place = list(fitted.estimator.named_steps["features"].kinds).index("age")
    ages = numbers["age"]
    rows = {column: np.repeat(values, len(ages)) for column, values in columns.items()} | {"age": ages}
    numeric = [name for name, kind in fitted.estimator.named_steps["features"].kinds.items() if kind == "number"]
    place = numeric.index("age")
    preprocessed = preprocess(rows)[:, place]
    thresholds = np.unique(np.concatenate([tree.threshold[tree.feature == place] for tree in trees]))
    passed = preprocessed[:, None] <= thresholds
    gaps = np.flatnonzero((passed[:-1] != passed[1:]).any(axis=1))
    neighbours = np.nextafter(ages[gaps], np.inf) == ages[gaps + 1]
    assert len(gaps) >= min(len(thresholds), 10)
    assert neighbours.sum() >= min(len(thresholds), 10)


def test_numbers_at_thresholds_of_a_model_without_trees_are_none(linear: Fitted):
    assert thresholds_and_numbers(linear)[2] == {}


def test_numbers_at_thresholds_behind_mixed_columns_are_none():
    assert thresholds_and_numbers(fit("decision_tree", reduction={"method": "pca", "n_components": 5}))[2] == {}
