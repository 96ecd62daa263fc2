"""An engine that differs from the fitted pipeline is refused, however rare the rows on which it does."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ml_project.artifacts import onnx_boosters, onnx_forests, onnx_trees
from ml_project.artifacts.edge_rows import AT_THRESHOLDS, edge_rows
from ml_project.artifacts.engine_comparison import Comparison
from ml_project.artifacts.engines import NativeEngine, OnnxEngine, OnnxGraph
from ml_project.artifacts.onnx_conversion import convert, convert_preprocessing
from ml_project.artifacts.serving_model import serving_model
from ml_project.errors import InvalidDataError
from tests.artifacts.fitted import Fitted, compare, fit

ROWS = {"x": np.arange(4.0)}


class Engine:
    """An engine that computes what it is told to, and refuses negative numbers where it is told to."""

    name = "told"
    classification = True

    def __init__(self, outputs: Any, *, refuses: float = -np.inf) -> None:
        self.outputs, self.refuses = outputs, refuses

    def compute(self, engineered: Any) -> Any:
        if (engineered["x"] < self.refuses).any():
            raise InvalidDataError("too small")
        return self.outputs(engineered["x"])


def probabilities(x: Any) -> Any:
    return np.column_stack([0.5 - x / 10, 0.5 + x / 10])


def differ(wanted: Any, found: Any, *, classification: bool = True, **made: Any) -> Any:
    return Comparison(wanted, ROWS, made, classification=classification).with_engine(found)


def native_and_model(name: str, target: str = "survived") -> tuple[Fitted, NativeEngine]:
    fitted = fit(name, target)
    kinds = fitted.estimator.named_steps["features"].kinds
    classification = fitted.target.classes is not None
    return fitted, NativeEngine(serving_model(fitted.estimator), kinds, classification=classification)


def converted(fitted: Fitted, native: NativeEngine) -> OnnxEngine:
    classes = fitted.target.classes
    return OnnxEngine(convert(native.model, native.kinds, None if classes is None else len(classes)))


def test_with_engine_same_outputs_are_accepted():
    found = differ(Engine(probabilities), Engine(probabilities))
    assert (found.largest, found.reason, found.n_rows) == (0.0, None, 4)


@pytest.mark.parametrize(("shift", "accepted"), [(9e-6, True), (1.1e-5, False), (np.nan, False)])
def test_with_engine_probabilities_may_differ_by_the_tolerance(shift: float, accepted: bool):
    found = differ(Engine(lambda x: probabilities(x + 1)), Engine(lambda x: probabilities(x + 1) + shift))
    assert (found.reason is None) == accepted


def test_with_engine_other_label_by_a_hair_is_refused():
    found = differ(Engine(probabilities), Engine(lambda x: probabilities(x) + np.array([-1e-6, 1e-6])))
    assert found.reason == "it gives other labels for 1 of 4 rows of the holdout"


def test_with_engine_values_differ_relative_to_real_ones_and_not_to_made_ones():
    wanted, found = Engine(lambda x: 100 + x), Engine(lambda x: 100 + x + np.where(x > 1e6, 0, 1))
    made = {"with unusual values": {"x": np.array([0.0, 1e12])}}
    reason = differ(wanted, found, classification=False, **made).reason
    assert reason == "it differs by up to 0.0099 on rows of the holdout, more than 1e-05"


def test_with_engine_equal_infinities_do_not_differ():
    wanted = Engine(lambda x: np.where(x > 2, np.inf, x))
    assert differ(wanted, Engine(wanted.outputs), classification=False).reason is None


def test_with_engine_refusing_the_same_rows_is_accepted():
    found = differ(Engine(probabilities, refuses=1), Engine(probabilities, refuses=1))
    assert (found.reason, found.n_rows) == (None, 3)


def test_with_engine_predicting_a_refused_row_is_refused():
    found = differ(Engine(probabilities, refuses=1), Engine(probabilities))
    assert found.reason == "the model refuses rows of the holdout, and it does not: too small"


def test_with_engine_refusing_a_row_is_refused():
    assert differ(Engine(probabilities), Engine(probabilities, refuses=1)).reason == (
        "it refuses rows of the holdout that the model does not"
    )


@pytest.mark.parametrize(("output", "accepted"), [(0.5, True), (np.nan, False)])
def test_with_engine_may_predict_finite_outputs_beyond_single_precision(output: float, accepted: bool):
    made = {"with numbers beyond single precision": {"x": np.array([-1e39])}}
    found = Engine(lambda x: np.where(x[:, None] < 0, output, probabilities(x)))
    assert (differ(Engine(probabilities, refuses=-1), found, **made).reason is None) == accepted


def test_with_engine_other_shape_is_refused():
    found = differ(Engine(probabilities), Engine(lambda x: probabilities(x)[:, :1]))
    assert found.reason == "its outputs for a row have the shape (1,), not (2,)"


def differ_at_thresholds(fitted: Fitted, native: NativeEngine) -> bool:
    """Return whether the rows at the thresholds of trees alone tell the engines apart."""
    preprocess = OnnxGraph(convert_preprocessing(native.model, native.kinds)).compute
    made = edge_rows(native.model.steps[-1][1], preprocess, fitted.engineered(), native.kinds)
    alone = Comparison(native, made[AT_THRESHOLDS], {}, classification=native.classification)
    return alone.with_engine(converted(fitted, native)).reason is not None


@pytest.mark.parametrize("target", ["survived", "fare"])
@pytest.mark.parametrize("name", ["histogram_boosting", "lightgbm"])
def test_compare_trees_with_rounded_thresholds_are_refused(name: str, target: str, monkeypatch: pytest.MonkeyPatch):
    fitted, native = native_and_model(name, target)
    assert not differ_at_thresholds(fitted, native)
    add = onnx_trees._SingleLeaves.add

    def add_rounded(table: Any, tree: Any) -> None:
        add(table, replace(tree, threshold=tree.threshold.astype(np.float32).astype(np.float64)))

    monkeypatch.setattr(onnx_trees._SingleLeaves, "add", add_rounded)
    assert differ_at_thresholds(fitted, native)
    assert compare(native, converted(fitted, native), fitted.engineered()).reason is not None


@pytest.mark.parametrize("name", ["random_forest", "xgboost", "catboost"])
def test_compare_trees_that_do_not_round_their_input_are_refused(name: str, monkeypatch: pytest.MonkeyPatch):
    fitted, native = native_and_model(name)
    assert not differ_at_thresholds(fitted, native)
    add_trees = onnx_trees.add_trees

    def add_unrounded(*arguments: Any, single: bool, **options: Any) -> str:
        return add_trees(*arguments, single=False, **options)

    for module in (onnx_boosters, onnx_forests):
        monkeypatch.setattr(module, "add_trees", add_unrounded)
    assert differ_at_thresholds(fitted, native)


def test_compare_trees_that_compare_the_other_way_at_thresholds_are_refused(monkeypatch: pytest.MonkeyPatch):
    fitted, native = native_and_model("xgboost")
    monkeypatch.setitem(onnx_trees._MODES, "BRANCH_LT", onnx_trees._MODES["BRANCH_LEQ"])
    assert differ_at_thresholds(fitted, native)


def test_compare_other_model_is_refused():
    fitted, native = native_and_model("decision_tree")
    other = converted(*native_and_model("rule"))
    assert "it gives other labels for" in (compare(native, other, fitted.engineered()).reason or "")
