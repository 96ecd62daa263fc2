"""Tests of permutation importance and SHAP values."""

import numpy as np
import pytest

from ml_project.evaluation.explanations import explain
from ml_project.evaluation.permutation import permutation_importance
from ml_project.evaluation.scorers import resolve_scorer
from ml_project.evaluation.shapley import shap_values
from ml_project.evaluation.target_codes import encode_target

GENERATOR = np.random.default_rng(0)
COLUMNS = {
    "strong": GENERATOR.normal(size=60),
    "useless": np.full(60, np.nan),
    "colour": np.array(["red", None, "blue"] * 20, dtype=object),
}
EFFECT = {"red": 1.0, "blue": -1.0, None: 0.0}


def add_up(columns):
    return 3 * columns["strong"] + np.array([EFFECT[colour] for colour in columns["colour"].tolist()])


def test_shap_values_additive_model_gives_each_feature_its_own_part():
    shap = shap_values(add_up, COLUMNS, outputs=["value"], n_rows=10, seed=0)
    assert shap.features == ("strong", "useless", "colour")
    assert shap.values.shape == (10, 3, 1)
    assert shap.values[:, 1, 0] == pytest.approx(0)
    assert set(np.round(shap.values[:, 2, 0] - shap.values[:, 2, 0].min(), 6)) <= {0.0, 1.0, 2.0}
    assert shap.importance()["feature"].tolist() == ["strong", "colour", "useless"]


def test_shap_values_ranks_are_missing_for_categories_and_missing_numbers():
    shap = shap_values(add_up, COLUMNS, outputs=["value"], n_rows=10, seed=0)
    assert sorted(shap.ranks[:, 0])[0] == 0.0
    assert sorted(shap.ranks[:, 0])[-1] == 1.0
    assert np.isnan(shap.ranks[:, 1:]).all()


def test_shap_values_ranks_of_a_constant_are_missing():
    constant = COLUMNS | {"useless": np.full(60, 3.0)}
    assert np.isnan(shap_values(add_up, constant, outputs=["value"], n_rows=5, seed=0).ranks[:, 1]).all()


def test_shap_values_sum_to_difference_from_background_mean():
    background = {name: column[:15] for name, column in COLUMNS.items()}
    shap = shap_values(add_up, COLUMNS, outputs=["value"], n_rows=60, seed=0, background=background)
    assert shap.values.sum(axis=(1, 2)) == pytest.approx(add_up(COLUMNS) - add_up(background).mean())


def test_shap_values_one_background_row_gives_none():
    one = {name: column[:1] for name, column in COLUMNS.items()}
    assert shap_values(add_up, one, outputs=["value"], n_rows=10, seed=0) is None


def test_permutation_importance_finds_the_feature_that_matters_and_changes_nothing():
    before = COLUMNS["strong"].copy()
    frame = permutation_importance(
        add_up, COLUMNS, add_up(COLUMNS), task="regression", scorer=resolve_scorer("r2", "regression"), seed=0
    )
    assert frame["feature"].tolist() == ["strong", "colour", "useless"]
    assert frame["mean"].iloc[2] == 0.0
    assert (COLUMNS["strong"] == before).all()


def test_permutation_importance_undefined_score_gives_none():
    one = {name: column[:1] for name, column in COLUMNS.items()}
    scorer = resolve_scorer("r2", "regression")
    assert permutation_importance(add_up, one, np.ones(1), task="regression", scorer=scorer, seed=0) is None


@pytest.mark.parametrize(("task", "n_outputs"), [("binary", 1), ("multiclass", 3), ("regression", 1)])
def test_explain_every_task_covers_every_feature_and_repeats(task, n_outputs, pipelines, raws):
    pipeline, raw = pipelines[task], raws[task].head(30)
    y_true = encode_target(raw, "target", pipeline.classes)
    scorer = resolve_scorer("r2" if task == "regression" else "accuracy", task)
    first, second = (explain(pipeline, raw, y_true, scorer=scorer, n_rows=4, seed=1) for _ in range(2))
    assert first.shap.values.shape == (4, 4, n_outputs)
    assert np.array_equal(first.shap.values, second.shap.values)
    assert set(first.permutation["feature"]) == {"size", "weight", "colour", "both"}
    assert first.permutation.equals(second.permutation)
