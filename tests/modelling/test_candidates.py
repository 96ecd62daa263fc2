"""The standard candidates."""

from dataclasses import replace

import pytest
from sklearn.datasets import make_classification, make_regression

from ml_project.errors import ConfigError
from ml_project.modelling.candidates import FitSettings, select_candidates
from ml_project.modelling.search_space import Choice, Real, Whole
from ml_project.modelling.standard_candidates import STANDARD_CANDIDATES

BY_NAME = {candidate.name: candidate for candidate in STANDARD_CANDIDATES}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("name", BY_NAME)
def test_candidate_with_default_hyperparameters_fits_every_task(name, task):
    if task == "regression":
        features, target = make_regression(80, 4, random_state=0)
    else:
        n_classes = 2 if task == "binary" else 3
        features, target = make_classification(
            80, 4, n_informative=3, n_redundant=0, n_classes=n_classes, random_state=0
        )
    candidate = BY_NAME[name]
    defaults = {parameter.name: parameter.default for parameter in candidate.hyperparameters(task)}
    estimator = candidate.build(FitSettings(task)).set_params(**defaults).fit(features, target)
    assert len(estimator.predict(features)) == 80
    if task != "regression":
        assert estimator.predict_proba(features).shape == (80, n_classes)


@pytest.mark.parametrize(
    ("name", "parameter", "value"), [("xgboost", "device", "cuda"), ("lightgbm", "device_type", "gpu")]
)
def test_candidate_that_can_use_a_gpu_is_told_to(name, parameter, value):
    candidate = BY_NAME[name]
    assert candidate.uses_gpu
    assert candidate.build(FitSettings("binary", device="gpu")).get_params()[parameter] == value
    assert candidate.build(FitSettings("binary")).get_params()[parameter] == "cpu"


def test_catboost_is_told_to_use_a_gpu():
    assert BY_NAME["catboost"].build(FitSettings("binary", device="gpu")).get_params()["task_type"] == "GPU"


def test_select_candidates_keeps_order_of_names():
    assert [candidate.name for candidate in select_candidates(STANDARD_CANDIDATES, ("xgboost", "linear"))] == [
        "xgboost",
        "linear",
    ]


def test_select_candidates_unknown_or_doubled_name_lists_all():
    with pytest.raises(ConfigError, match="did you mean 'random_forest'") as caught:
        select_candidates(STANDARD_CANDIDATES, ("random_forst", "linear", "linear"))
    assert "modelling.candidates = 'linear': is named twice" in str(caught.value)


@pytest.mark.parametrize(
    ("parameter", "problem"),
    [
        (Whole("depth", 5, 2, default=3), "'depth' needs low <= default <= high, but has 5, 3, 2"),
        (Real("alpha", 0.0, 1.0, default=4.0), "'alpha' needs low <= default <= high"),
        (Real("alpha", 0.0, 1.0, default=0.5, log=True), "'alpha' needs low > 0 for log=True"),
        (Choice("kind", ("a", "b"), default="c"), "'kind' has the default 'c', not of"),
    ],
)
def test_select_candidates_impossible_search_space_is_refused(parameter, problem):
    candidate = replace(BY_NAME["linear"], name="own", search_space=(parameter,))
    with pytest.raises(ConfigError, match=f"candidate 'own': its hyper-parameter {problem}"):
        select_candidates((*STANDARD_CANDIDATES, candidate), ("own",))


def test_select_candidates_name_registered_twice_is_refused():
    with pytest.raises(ConfigError, match="'linear': is registered twice"):
        select_candidates((*STANDARD_CANDIDATES, BY_NAME["linear"]), ("linear",))


def test_select_candidates_without_names_takes_all_registered():
    assert select_candidates(STANDARD_CANDIDATES, None) == STANDARD_CANDIDATES
