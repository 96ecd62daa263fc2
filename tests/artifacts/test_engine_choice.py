"""The fastest engine that reproduces the fitted pipeline is used, and the manifest says why."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from catboost import CatBoostClassifier, CatBoostRegressor
from imblearn.pipeline import Pipeline as ImbalancedPipeline
from lightgbm import LGBMRegressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier, StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PowerTransformer, StandardScaler
from sklearn.svm import SVC
from xgboost import XGBClassifier, XGBRegressor

from ml_project.artifacts import edge_rows
from ml_project.artifacts.engine_choice import choose_engine
from ml_project.artifacts.loading import load_artifact
from ml_project.artifacts.manifest import PREPROCESSING, EngineChoice
from ml_project.artifacts.serving_model import serving_model
from ml_project.errors import ArtifactError, ArtifactIncompatibleError, InvalidDataError
from tests.artifacts.fitted import Fitted, fit, records_of
from tests.artifacts.test_loading import rewrite
from tests.example.features import FEATURE_PROCESSES

QUIET = {"verbose": False, "allow_writing_files": False}

CLASSIFIERS = {
    "support vectors": SVC(probability=True, random_state=0),
    "neighbours": KNeighborsClassifier(),
    "network": MLPClassifier((8,), max_iter=300, tol=1e-2, random_state=0),
    "naive Bayes": GaussianNB(),
    "stack": StackingClassifier([("forest", RandomForestClassifier(10, random_state=0))], LogisticRegression(), cv=2),
    "calibrated forest": CalibratedClassifierCV(RandomForestClassifier(10, random_state=0), cv=2),
    "pipeline": make_pipeline(StandardScaler(), KNeighborsClassifier()),
    "leaf-wise CatBoost": CatBoostClassifier(iterations=10, grow_policy="Lossguide", **QUIET),
}


REGRESSORS = {
    "neighbours": KNeighborsRegressor(),
    "XGBoost of logarithms": XGBRegressor(n_estimators=5, objective="reg:squaredlogerror"),
    "leaf-wise CatBoost": CatBoostRegressor(iterations=10, grow_policy="Lossguide", **QUIET),
    "LightGBM of roots": LGBMRegressor(n_estimators=5, reg_sqrt=True, verbosity=-1),
}


def choose(fitted: Fitted, model: Any, wanted: Any = "auto") -> EngineChoice:
    features = fitted.estimator.named_steps["features"].fitted_
    choice, _ = choose_engine(wanted, model, features, fitted.raw.iloc[fitted.holdout_rows], fitted.target.task)
    return choice


@pytest.mark.filterwarnings("ignore:.*`probability` parameter.*:FutureWarning")  # scikit-learn's of SVC
@pytest.mark.parametrize("model", CLASSIFIERS.values(), ids=CLASSIFIERS)
def test_choose_engine_model_without_onnx_predicts_on_arrays(linear: Fitted, model: Any):
    choice = choose(linear, linear.with_last_step(model))
    assert choice.name == "mixed"
    assert choice.max_difference < 1e-6
    assert [engine.name for engine in choice.refused] == ["onnx"]
    assert "cannot be built" in choice.refused[0].reason
    assert choice.reason.startswith("reproduces the model on 262 rows of the holdout and ")


@pytest.mark.parametrize("model", REGRESSORS.values(), ids=REGRESSORS)
def test_choose_engine_regressor_without_onnx_predicts_on_arrays(model: Any):
    fitted = fit("linear", "fare")
    choice = choose(fitted, fitted.with_last_step(model))
    assert choice.name == "mixed"
    assert choice.max_difference < 1e-6


def test_choose_engine_multi_class_model_without_onnx_predicts_on_arrays():
    fitted = fit("linear", "embarked")
    assert (
        choose(fitted, fitted.with_last_step(XGBClassifier(n_estimators=5, multi_strategy="multi_output_tree"))).name
        == "mixed"
    )


def test_choose_engine_standard_candidate_takes_onnx(linear: Fitted):
    choice = choose(linear, linear.with_last_step(LogisticRegression()))
    assert (choice.name, choice.refused) == ("onnx", ())


def test_choose_engine_onnx_wanted_but_impossible_is_refused(linear: Fitted):
    model = linear.with_last_step(KNeighborsClassifier())
    with pytest.raises(ArtifactError, match=r"'onnx', but it cannot be built: there is no conversion of sklearn\.KNei"):
        choose(linear, model, "onnx")


def test_choose_engine_native_wanted_tries_nothing(linear: Fitted):
    choice = choose(linear, linear.with_last_step(LogisticRegression()), "native")
    assert choice == EngineChoice(name="native", reason="artifacts.engine is 'native'")


def test_choose_engine_preprocessing_without_onnx_stays_native(linear: Fitted):
    steps = linear.with_last_step(LogisticRegression()).steps
    features = linear.estimator.named_steps["features"]
    model = Pipeline([*steps[:-1], ("power", PowerTransformer()), ("model", LogisticRegression())])
    model.fit(features.transform(linear.raw), linear.target.values)
    choice = choose(linear, model)
    assert choice.name == "native"
    assert [(engine.name, engine.reason) for engine in choice.refused] == [
        (name, "it cannot be built: there is no conversion of PowerTransformer") for name in ("onnx", "mixed")
    ]


def test_choose_engine_broken_model_has_reasons_instead_of_a_crash(linear: Fitted):
    model = linear.with_last_step(LogisticRegression())
    del model.steps[-1][1].coef_
    choice = choose(linear, model)
    assert choice.name == "native"
    assert all("AttributeError" in engine.reason for engine in choice.refused)


def test_choose_engine_model_that_refuses_missing_numbers_is_not_replaced_by_onnx_that_does_not(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(edge_rows, "N_UNUSUAL_ROWS", 50)  # they are asked for one by one
    fitted = fit("histogram_boosting", imputing=None, scaling=None)
    columns = fitted.estimator.named_steps["features"].fitted_
    known = fitted.raw.dropna(subset=["age", "fare", "embarked"])
    steps = serving_model(fitted.estimator).steps[:-1]
    preprocessed = Pipeline(steps).transform(fitted.estimator.named_steps["features"].transform(known))
    forest = LogisticRegression(max_iter=5000).fit(preprocessed, known["survived"])
    choice, _ = choose_engine("auto", Pipeline([*steps, ("model", forest)]), columns, known.iloc[:100], "binary")
    assert choice.name == "mixed"
    assert "the model refuses rows with unusual values, and it does not" in choice.refused[0].reason


@pytest.fixture
def stack(linear: Fitted) -> ImbalancedPipeline:
    """A fitted estimator without ONNX, with a forest in it that wants two threads."""
    forest = RandomForestClassifier(10, n_jobs=2, random_state=0)
    return with_features(linear, StackingClassifier([("forest", forest)], LogisticRegression(), cv=2))


def with_features(fitted: Fitted, model: Any) -> ImbalancedPipeline:
    """Return a whole estimator with another model fitted behind the preprocessing."""
    return ImbalancedPipeline([fitted.estimator.steps[0], *fitted.with_last_step(model).steps])


def test_mixed_artifact_predicts_what_the_estimator_does(linear: Fitted, stack: ImbalancedPipeline, tmp_path: Path):
    artifact = load_artifact(linear.export(tmp_path / "model.zip", estimator=stack), FEATURE_PROCESSES)
    assert artifact.manifest.engine.name == artifact.pipeline.engine.name == "mixed"
    assert PREPROCESSING in artifact.members
    predictions = artifact.pipeline.predict(linear.raw)
    wanted = stack.predict_proba(linear.raw)[:, 1]
    assert predictions["proba_1"].to_numpy() == pytest.approx(wanted, abs=1e-12)
    records = artifact.pipeline.predict_records(records_of(linear.raw.drop(columns="survived")))
    assert [prediction["label"] for prediction in records] == predictions["label"].tolist()


def test_mixed_artifact_of_other_libraries_is_refused(linear: Fitted, stack: ImbalancedPipeline, tmp_path: Path):
    path = linear.export(tmp_path / "model.zip", estimator=stack)
    versions = {"sklearn": "0.24.1", "onnxruntime": "1.999.0"}
    with pytest.raises(ArtifactIncompatibleError, match=r"onnxruntime = .*\n.*sklearn = "):
        load_artifact(rewrite(path, path, {"library_versions": versions}), FEATURE_PROCESSES)


@pytest.mark.parametrize("engine", ["auto", "native"])
def test_engine_refused_number_is_invalid_data(linear: Fitted, tmp_path: Path, engine: str):
    neighbours = with_features(linear, KNeighborsClassifier())
    path = linear.export(tmp_path / "model.zip", estimator=neighbours, config=linear.with_engine(engine))
    compute = load_artifact(path, FEATURE_PROCESSES).pipeline.engine.compute
    row = {name: values[:1].copy() for name, values in linear.engineered().items()}
    row["fare"][0] = np.inf
    with pytest.raises(InvalidDataError, match="refuses these rows: Input X contains infinity"):
        compute(row)
