"""ONNX must do exactly what the fitted pipeline does, or not be used."""

from typing import Any

import numpy as np
import pytest
from catboost import CatBoostClassifier, CatBoostRegressor
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import BayesianRidge, HuberRegressor, LogisticRegression, PoissonRegressor, SGDClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, OneHotEncoder
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from xgboost import XGBClassifier, XGBRegressor

from ml_project.artifacts.engines import NativeEngine, OnnxEngine
from ml_project.artifacts.onnx_conversion import convert
from ml_project.artifacts.onnx_graph import CannotConvertError
from ml_project.artifacts.serving_model import model_packages, serving_model
from ml_project.artifacts.trust import dump_model, load_model
from tests.artifacts.fitted import Fitted, compare, fit

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
    return native, OnnxEngine(content), fitted.engineered()


@pytest.mark.parametrize("target", ["survived", "embarked", "fare"])
@pytest.mark.parametrize("name", CANDIDATES)
def test_convert_candidate_reproduces_it_and_survives_storage(name: str, target: str):
    fitted = fit(name, target)
    native, onnx, engineered = engines_of(fitted)
    classification = fitted.target.classes is not None
    predict = fitted.estimator.predict_proba if classification else fitted.estimator.predict
    assert np.array_equal(native.compute(engineered), predict(fitted.raw))
    found = compare(native, onnx, engineered)
    assert found.reason is None
    assert found.largest < 2e-6
    batch = onnx.compute(engineered)
    rows = [onnx.compute({column: values[[row]] for column, values in engineered.items()}) for row in range(200)]
    assert np.array_equal(np.concatenate(rows), batch[:200])


@pytest.mark.parametrize("preprocessing", PREPROCESSING.values(), ids=PREPROCESSING)
def test_convert_preprocessing_reproduces_it(preprocessing: dict[str, Any]):
    fitted = fit("linear", **preprocessing)
    native, onnx, engineered = engines_of(fitted)
    found = compare(native, onnx, engineered)
    assert found.reason is None
    assert found.largest < 1e-12


QUIET = {
    "lightgbm": {"verbosity": -1, "n_jobs": 1},
    "catboost": {"verbose": False, "allow_writing_files": False, "thread_count": 1},
}
FEW = {"n_estimators": 8}
CLASSIFIERS = {
    "linear discriminant": LinearDiscriminantAnalysis(),
    "extra trees": ExtraTreesClassifier(8, random_state=0),
    "bagged trees": BaggingClassifier(DecisionTreeClassifier(max_depth=4), 8, max_features=0.6, random_state=0),
    "AdaBoost": AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=8),
    "gradient boosting": GradientBoostingClassifier(n_estimators=8),
    "LightGBM's forest": LGBMClassifier(**FEW, boosting_type="rf", bagging_freq=1, bagging_fraction=0.5,
                                        **QUIET["lightgbm"]),
    "XGBoost, parallel trees": XGBClassifier(**FEW, n_jobs=1, num_parallel_tree=2, subsample=0.5),
}  # fmt: skip
MULTI_CLASSIFIERS = {
    "LightGBM, one against all": LGBMClassifier(**FEW, objective="multiclassova", **QUIET["lightgbm"]),
    "CatBoost, one against all": CatBoostClassifier(8, loss_function="MultiClassOneVsAll", **QUIET["catboost"]),
}
BINARY_CLASSIFIERS = {
    "stochastic": SGDClassifier(loss="log_loss", random_state=0),
    "exponential gradient boosting": GradientBoostingClassifier(n_estimators=8, loss="exponential"),
    "CatBoost of cross-entropy": CatBoostClassifier(8, loss_function="CrossEntropy", **QUIET["catboost"]),
}
REGRESSORS = {
    "Bayesian ridge": BayesianRidge(),
    "Huber": HuberRegressor(max_iter=2000),
    "Poisson": PoissonRegressor(max_iter=2000),
    "gradient boosting": GradientBoostingRegressor(n_estimators=8),
    "bagged trees": BaggingRegressor(DecisionTreeRegressor(max_depth=4), 8, max_features=0.6, random_state=0),
    "histogram of counts": HistGradientBoostingRegressor(max_iter=8, loss="poisson"),
    **{f"XGBoost {name}": XGBRegressor(**FEW, n_jobs=1, objective=name)
       for name in ("reg:absoluteerror", "reg:pseudohubererror", "count:poisson", "reg:tweedie")},
    **{f"LightGBM {name}": LGBMRegressor(**FEW, objective=name, **QUIET["lightgbm"])
       for name in ("regression_l1", "huber", "quantile", "poisson", "tweedie")},
    **{f"CatBoost {name}": CatBoostRegressor(iterations=8, loss_function=name, **QUIET["catboost"])
       for name in ("MAE", "Quantile:alpha=0.9", "Poisson", "Tweedie:variance_power=1.5")},
}  # fmt: skip


def assert_reproduced(fitted: Fitted, model: Pipeline) -> None:
    """Check that ONNX reproduces a model, with the same bits for one row as for many."""
    kinds, classes = fitted.estimator.named_steps["features"].kinds, fitted.target.classes
    onnx = OnnxEngine(convert(model, kinds, None if classes is None else len(classes)))
    engineered = fitted.engineered()
    found = compare(NativeEngine(model, kinds, classification=classes is not None), onnx, engineered)
    assert found.reason is None
    assert found.largest is not None
    assert found.largest < 2e-6
    rows = [onnx.compute({column: values[[row]] for column, values in engineered.items()}) for row in range(50)]
    assert np.concatenate(rows).tobytes() == onnx.compute(engineered)[:50].tobytes()


@pytest.mark.parametrize("target", ["survived", "embarked"])
@pytest.mark.parametrize("model", CLASSIFIERS.values(), ids=CLASSIFIERS)
def test_convert_classifier_reproduces_it(model: Any, target: str):
    fitted = fit("rule", target)
    assert_reproduced(fitted, fitted.with_last_step(model))


@pytest.mark.parametrize("model", BINARY_CLASSIFIERS.values(), ids=BINARY_CLASSIFIERS)
def test_convert_classifier_of_two_classes_reproduces_it(model: Any):
    fitted = fit("rule")
    assert_reproduced(fitted, fitted.with_last_step(model))


@pytest.mark.parametrize("model", MULTI_CLASSIFIERS.values(), ids=MULTI_CLASSIFIERS)
def test_convert_classifier_of_several_classes_reproduces_it(model: Any):
    fitted = fit("rule", "embarked")
    assert_reproduced(fitted, fitted.with_last_step(model))


@pytest.mark.parametrize("model", REGRESSORS.values(), ids=REGRESSORS)
def test_convert_regressor_reproduces_it(model: Any):
    fitted = fit("rule", "fare")
    assert_reproduced(fitted, fitted.with_last_step(model))


@pytest.mark.parametrize(
    "step", [MinMaxScaler(clip=True), MaxAbsScaler(), PCA(3, whiten=True)], ids=["clip", "largest", "whiten"]
)
def test_convert_step_between_preprocessing_and_model_reproduces_it(step: Any):
    fitted = fit("rule")
    steps, engineered = serving_model(fitted.estimator).steps, fitted.estimator.named_steps["features"]
    model = Pipeline([*steps[:-1], ("step", step), ("model", LogisticRegression())])
    assert_reproduced(fitted, model.fit(engineered.transform(fitted.raw), fitted.target.values))


def test_convert_xgboost_stopped_early_reproduces_it():
    fitted = fit("rule")
    steps = serving_model(fitted.estimator).steps[:-1]
    rows = Pipeline(steps).transform(fitted.estimator.named_steps["features"].transform(fitted.raw))
    model = XGBClassifier(n_estimators=50, early_stopping_rounds=1, learning_rate=1.0)
    targets = fitted.target.values
    model.fit(rows[:900], targets[:900], eval_set=[(rows[900:], targets[900:])], verbose=False)
    assert model.best_iteration < model.get_booster().num_boosted_rounds() - 1
    assert_reproduced(fitted, Pipeline([*steps, ("model", model)]))


def test_convert_missing_numbers_without_imputing_reproduces_trees():
    native, onnx, engineered = engines_of(fit("histogram_boosting", imputing=None, scaling=None))
    assert np.isnan(engineered["age"]).any()
    assert compare(native, onnx, engineered).reason is None


@pytest.mark.parametrize("target", ["survived", "embarked"])
def test_convert_large_forest_gives_one_row_the_bits_of_the_batch(target: str):
    fitted = fit("rule", target)
    model = fitted.with_last_step(RandomForestClassifier(150, max_depth=5, random_state=0))
    onnx = OnnxEngine(convert(model, fitted.estimator.named_steps["features"].kinds, len(fitted.target.classes or ())))
    engineered = fitted.engineered()
    batch = onnx.compute(engineered)
    rows = [onnx.compute({column: values[[row]] for column, values in engineered.items()}) for row in range(300)]
    assert np.concatenate(rows).tobytes() == batch[:300].tobytes()


@pytest.mark.parametrize("target", ["survived", "embarked", "fare"])
def test_convert_tree_of_one_leaf_reproduces_it(target: str):
    fitted = fit("decision_tree", target, settings={"max_leaf_nodes": None, "min_samples_leaf": 10_000})
    assert fitted.estimator.named_steps["model"].tree_.node_count == 1
    native, onnx, engineered = engines_of(fitted)
    found = compare(native, onnx, engineered)
    assert found.reason is None
    assert found.largest < 1e-7


def test_convert_two_encoders_of_one_column_with_other_categories_reproduces_them(linear: Fitted):
    features = linear.estimator.named_steps["features"]
    engineered = features.transform(linear.raw)
    one_port = OneHotEncoder(categories=[["Q"]], handle_unknown="ignore", sparse_output=False)
    every_port = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    encoding = ColumnTransformer([("one", one_port, ["embarked"]), ("every", every_port, ["sex", "embarked"])])
    model = Pipeline([("encoding", encoding), ("model", LogisticRegression())])
    model.fit(engineered, linear.target.values)
    native = NativeEngine(model, features.kinds, classification=True)
    found = compare(native, OnnxEngine(convert(model, features.kinds, 2)), linear.engineered())
    assert found.reason is None
    assert found.largest < 1e-12


def test_convert_pipeline_without_column_transformer_is_refused():
    with pytest.raises(CannotConvertError, match="ColumnTransformer"):
        convert(Pipeline([("scale", "passthrough"), ("model", LogisticRegression())]), {}, 2)


@pytest.mark.parametrize(("name", "packages"), [("linear", ()), ("xgboost", ("xgboost",)), ("catboost", ("catboost",))])
def test_model_packages_are_those_beside_scikit_learn(name: str, packages: tuple[str, ...]):
    assert model_packages(dump_model(serving_model(fit(name).estimator))) == packages


def test_serving_model_runs_on_one_thread_and_leaves_the_estimator_alone():
    fitted = fit("random_forest")
    fitted.estimator.named_steps["model"].n_jobs = 2
    assert serving_model(fitted.estimator).steps[-1][1].n_jobs == 1
    assert fitted.estimator.named_steps["model"].n_jobs == 2
