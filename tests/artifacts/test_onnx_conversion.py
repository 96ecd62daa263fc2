"""ONNX must do exactly what the fitted pipeline does, or not be used."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from ml_project.artifacts.engine_choice import choose_engine
from ml_project.artifacts.engines import NativeEngine, OnnxEngine
from ml_project.artifacts.onnx_conversion import compare, convert, edge_rows
from ml_project.artifacts.onnx_graph import CannotConvertError
from ml_project.artifacts.serving_model import model_packages, serving_model
from ml_project.artifacts.trust import dump_model, load_model
from ml_project.data.columns import to_columns
from ml_project.errors import ArtifactError
from tests.artifacts.fitted import Fitted, fit

CANDIDATES = (
    "baseline", "rule", "linear", "decision_tree", "random_forest",
    "histogram_boosting", "xgboost", "lightgbm", "catboost",
)  # fmt: skip
PREPROCESSING: dict[str, dict[str, Any]] = {
    "mean and robust": {"imputing": {"number": "mean", "indicators": False}, "scaling": "robust"},
    "most frequent and min_max": {"imputing": {"category": "most_frequent"}, "scaling": "min_max"},
    "ordinal, unscaled": {"encoding": {"method": "ordinal"}, "scaling": None},
    "target encoding": {"encoding": {"method": "target"}},
    "outliers and selection": {"outlier_removal": {}, "selection": {}},
    "pca": {"reduction": {"method": "pca", "n_components": 5}},
    "lda": {"reduction": {"method": "lda"}},
    "few categories": {"encoding": {"max_categories": 3, "min_rows": 50}},
}


def engines_of(fitted: Fitted) -> tuple[NativeEngine, OnnxEngine, Any]:
    """Return both engines, the native one after a round trip through its file format, and engineered columns."""
    features, classes = fitted.estimator.named_steps["features"].fitted_, fitted.target.classes
    model = load_model(dump_model(serving_model(fitted.estimator)))
    content = convert(model, features.kinds, None if classes is None else len(classes))
    native = NativeEngine(model, features.kinds, classification=classes is not None)
    raw = to_columns(fitted.raw, features.schema.select(features.required_columns))
    return native, OnnxEngine(content), features.compute(raw)


@pytest.mark.parametrize("target", ["survived", "embarked", "fare"])
@pytest.mark.parametrize("name", CANDIDATES)
def test_convert_candidate_reproduces_it_and_survives_storage(name: str, target: str):
    fitted = fit(name, target)
    native, onnx, engineered = engines_of(fitted)
    classification = fitted.target.classes is not None
    predict = fitted.estimator.predict_proba if classification else fitted.estimator.predict
    assert np.array_equal(native.compute(engineered), predict(fitted.raw))
    difference, reason = compare(native, onnx, engineered, classification=classification)
    assert reason is None
    assert difference < 2e-6
    batch = onnx.compute(engineered)
    rows = [onnx.compute({column: values[[row]] for column, values in engineered.items()}) for row in range(200)]
    assert np.array_equal(np.concatenate(rows), batch[:200])


@pytest.mark.parametrize("preprocessing", PREPROCESSING.values(), ids=PREPROCESSING)
def test_convert_preprocessing_reproduces_it(preprocessing: dict[str, Any]):
    fitted = fit("linear", **preprocessing)
    native, onnx, engineered = engines_of(fitted)
    difference, reason = compare(native, onnx, engineered, classification=True)
    assert reason is None
    assert difference < 1e-12


def test_convert_missing_numbers_without_imputing_reproduces_trees():
    native, onnx, engineered = engines_of(fit("histogram_boosting", imputing=None, scaling=None))
    assert np.isnan(engineered["age"]).any()
    assert compare(native, onnx, engineered, classification=True)[1] is None


@pytest.mark.parametrize("target", ["survived", "embarked"])
def test_convert_large_forest_gives_one_row_the_bits_of_the_batch(target: str):
    fitted = fit("random_forest", target, settings={"n_estimators": 300})
    _, onnx, engineered = engines_of(fitted)
    batch = onnx.compute(engineered)
    rows = [onnx.compute({column: values[[row]] for column, values in engineered.items()}) for row in range(300)]
    assert np.concatenate(rows).tobytes() == batch[:300].tobytes()


@pytest.mark.parametrize("target", ["survived", "embarked", "fare"])
def test_convert_tree_of_one_leaf_reproduces_it(target: str):
    fitted = fit("decision_tree", target, settings={"max_leaf_nodes": None, "min_samples_leaf": 10_000})
    assert fitted.estimator.named_steps["model"].tree_.node_count == 1
    native, onnx, engineered = engines_of(fitted)
    difference, reason = compare(native, onnx, engineered, classification=fitted.target.classes is not None)
    assert reason is None
    assert difference < 1e-7


def test_convert_two_encoders_of_one_column_with_other_categories_reproduces_them(linear: Fitted):
    features = linear.estimator.named_steps["features"]
    engineered = features.transform(linear.raw)
    one_port = OneHotEncoder(categories=[["Q"]], handle_unknown="ignore", sparse_output=False)
    every_port = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    encoding = ColumnTransformer([("one", one_port, ["embarked"]), ("every", every_port, ["sex", "embarked"])])
    model = Pipeline([("encoding", encoding), ("model", LogisticRegression())])
    model.fit(engineered, linear.target.values)
    native = NativeEngine(model, features.kinds, classification=True)
    raw = to_columns(linear.raw, features.schema.select(features.required_columns))
    onnx = OnnxEngine(convert(model, features.kinds, 2))
    difference, reason = compare(native, onnx, features.fitted_.compute(raw), classification=True)
    assert reason is None
    assert difference < 1e-12


def test_compare_model_that_refuses_missing_values_stays_native():
    fitted = fit("rule")
    native, onnx, engineered = engines_of(fitted)

    def refuse(frame: pd.DataFrame) -> Any:
        raise ValueError("Input contains NaN")

    native._predict = refuse
    _, reason = compare(native, onnx, engineered, classification=True)
    assert reason == "the model refuses rows of the holdout, and ONNX would not: Input contains NaN"


def test_compare_other_model_gives_the_reason():
    native, _, engineered = engines_of(fit("decision_tree"))
    _, other, _ = engines_of(fit("rule"))
    reason = compare(native, other, engineered, classification=True)[1]
    assert reason is not None
    assert reason.startswith("ONNX gives other labels for")


def test_edge_rows_of_no_rows_are_none():
    assert len(edge_rows({"age": np.empty(0)}, {"age": "number"})["age"]) == 0


def test_edge_rows_have_missing_unseen_and_huge_values():
    columns = {"age": np.array([1.0, np.nan]), "sex": np.array(["f", None], dtype=object)}
    edges = edge_rows(columns, {"age": "number", "sex": "category"})
    assert np.isnan(edges["age"]).any()
    assert np.nanmax(edges["age"]) >= 1e6
    assert {"never seen before", None, "f"} <= set(edges["sex"].tolist())


def test_choose_engine_own_model_has_a_reason_instead_of_a_crash(linear: Fitted):
    model, features = with_last_step(linear, KNeighborsClassifier()), linear.estimator.named_steps["features"].fitted_
    choice, content = choose_engine("auto", model, features, linear.raw, "binary")
    assert (choice.name, content) == ("native", None)
    assert choice.reason == "conversion to ONNX failed: there is no conversion of sklearn.KNeighborsClassifier"


def test_choose_engine_onnx_wanted_but_impossible_is_refused(linear: Fitted):
    model, features = with_last_step(linear, KNeighborsClassifier()), linear.estimator.named_steps["features"].fitted_
    with pytest.raises(ArtifactError, match="'onnx', but conversion to ONNX failed: there is no conversion of"):
        choose_engine("onnx", model, features, linear.raw, "binary")


def test_choose_engine_broken_model_has_a_reason_instead_of_a_crash(linear: Fitted):
    features = linear.estimator.named_steps["features"].fitted_
    model = with_last_step(linear, LogisticRegression())
    del model.steps[-1][1].coef_
    choice, _ = choose_engine("auto", model, features, linear.raw, "binary")
    assert "AttributeError" in choice.reason


def test_convert_pipeline_without_column_transformer_is_refused():
    with pytest.raises(CannotConvertError, match="ColumnTransformer"):
        convert(Pipeline([("scale", "passthrough"), ("model", LogisticRegression())]), {}, 2)


def with_last_step(fitted: Fitted, model: Any) -> Pipeline:
    """Return the preprocessing of a fitted estimator with another model fitted behind it."""
    steps = serving_model(fitted.estimator).steps[:-1]
    engineered = fitted.estimator.named_steps["features"].transform(fitted.raw)
    preprocessed = Pipeline(steps).transform(engineered)
    return Pipeline([*steps, ("model", model.fit(preprocessed, fitted.target.values))])


@pytest.mark.parametrize(("name", "packages"), [("linear", ()), ("xgboost", ("xgboost",)), ("catboost", ("catboost",))])
def test_model_packages_are_those_beside_scikit_learn(name: str, packages: tuple[str, ...]):
    assert model_packages(dump_model(serving_model(fit(name).estimator))) == packages


def test_serving_model_runs_on_one_thread_and_leaves_the_estimator_alone():
    fitted = fit("random_forest")
    fitted.estimator.named_steps["model"].n_jobs = 2
    assert serving_model(fitted.estimator).steps[-1][1].n_jobs == 1
    assert fitted.estimator.named_steps["model"].n_jobs == 2
