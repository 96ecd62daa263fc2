"""Models asked by the shortest way give what scikit-learn's interface gives, to the last bit."""

from typing import Any

import numpy as np
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import Matern
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from xgboost import XGBClassifier, XGBRegressor

from ml_project.artifacts.array_models import array_predictor

MODELS = {
    "forest": RandomForestClassifier(20, random_state=0),
    "extra trees": ExtraTreesClassifier(20, random_state=0),
    "forest regressor": RandomForestRegressor(20, random_state=0),
    "extra trees regressor": ExtraTreesRegressor(20, random_state=0),
    "vote": VotingClassifier([("forest", RandomForestClassifier(5, random_state=0))], voting="soft"),
    "pipeline": make_pipeline(StandardScaler(), RandomForestClassifier(5, random_state=0)),
    "calibrated": CalibratedClassifierCV(LinearSVC(), cv=2),
    "calibrated forest": CalibratedClassifierCV(RandomForestClassifier(5, random_state=0), cv=2),
    "calibrated by steps": CalibratedClassifierCV(LinearSVC(), cv=2, method="isotonic"),
    "XGBoost": XGBClassifier(n_estimators=5, n_jobs=1),
    "XGBoost regressor": XGBRegressor(n_estimators=5, n_jobs=1),
    "LightGBM": LGBMClassifier(n_estimators=5, verbosity=-1, n_jobs=1),
    "LightGBM regressor": LGBMRegressor(n_estimators=5, verbosity=-1, n_jobs=1),
}


def data(n_classes: int) -> tuple[Any, Any]:
    return make_classification(200, n_features=6, n_informative=4, n_classes=n_classes, random_state=0)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_array_predictor_gives_the_bits_of_the_model(model: Any, n_classes: int):
    rows, targets = data(n_classes)
    model.fit(rows, targets)
    classification = hasattr(model, "predict_proba")
    wanted = model.predict_proba(rows) if classification else model.predict(rows)
    predict = array_predictor(model, classification=classification)
    assert np.array_equal(predict(rows), wanted)
    # Products of matrices of one row may be rounded otherwise than those of many, in the model as well.
    assert np.concatenate([predict(rows[[row]]) for row in range(20)]) == pytest.approx(wanted[:20], abs=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_array_predictor_of_a_gaussian_process_gives_its_probabilities(n_classes: int):
    rows, targets = data(n_classes)
    model = GaussianProcessClassifier(Matern()).fit(rows, targets)
    predict = array_predictor(model, classification=True)
    assert predict(rows + 0.1) == pytest.approx(model.predict_proba(rows + 0.1), abs=1e-12)


def test_array_predictor_stopped_early_uses_the_best_rounds():
    rows, targets = data(2)
    model = XGBClassifier(n_estimators=50, n_jobs=1, early_stopping_rounds=1, learning_rate=1.0)
    model.fit(rows[:100], targets[:100], eval_set=[(rows[100:], targets[100:])], verbose=False)
    assert model.best_iteration < model.get_booster().num_boosted_rounds() - 1
    assert np.array_equal(array_predictor(model, classification=True)(rows), model.predict_proba(rows))


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("kind", ["stack", "calibrated"])
def test_array_predictor_forest_inside_predicts_without_joblib(
    kind: str, n_classes: int, monkeypatch: pytest.MonkeyPatch
):
    rows, targets = data(n_classes)
    forest = RandomForestClassifier(5, random_state=0, n_jobs=1)
    stack = StackingClassifier([("forest", forest)], LogisticRegression(), cv=2)
    model = (stack if kind == "stack" else CalibratedClassifierCV(forest, ensemble=False)).fit(rows, targets)
    wanted = model.predict_proba(rows)
    predict = array_predictor(model, classification=True)

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr("sklearn.ensemble._forest.Parallel", refuse)
    assert np.array_equal(predict(rows), wanted)
    with pytest.raises(AssertionError):
        model.predict_proba(rows)
