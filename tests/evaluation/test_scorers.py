"""Tests of the choice of scorers."""

import numpy as np
import pytest

from ml_project.errors import ConfigError
from ml_project.evaluation.scorers import (
    default_metric,
    display_value,
    greater_is_better,
    resolve_scorer,
    score_names,
    score_outputs,
)

TRUTH = {
    "binary": np.array([0, 1, 1, 0, 1]),
    "multiclass": np.array([0, 1, 2, 0, 2]),
    "regression": np.arange(1.0, 6.0),
}
OUTPUTS = {
    "binary": np.array([[0.8, 0.2], [0.4, 0.6], [0.1, 0.9], [0.4, 0.6], [0.7, 0.3]]),
    "multiclass": np.array([[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.1, 0.2, 0.7], [0.4, 0.3, 0.3], [0.5, 0.2, 0.3]]),
    "regression": np.array([1.5, 2.0, 3.5, 3.0, 5.0]),
}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_score_names_every_name_scores_its_task(task):
    names = score_names(task)
    assert default_metric(task) in names
    scores = {name: score_outputs(resolve_scorer(name, task), task, TRUTH[task], OUTPUTS[task]) for name in names}
    assert {name for name, score in scores.items() if np.isnan(score)} == set()


def test_resolve_scorer_unknown_name_names_closest():
    with pytest.raises(ConfigError, match=r"no scorer is named 'roc_acu'; did you mean 'roc_auc'"):
        resolve_scorer("roc_acu", "binary")


def test_resolve_scorer_loss_without_sign_names_negated_score():
    with pytest.raises(ConfigError, match="neg_log_loss"):
        resolve_scorer("log_loss", "binary")


@pytest.mark.parametrize(
    ("name", "task", "reason"),
    [
        ("r2", "binary", "measures numbers"),
        ("neg_mean_squared_error", "multiclass", "measures numbers"),
        ("roc_auc", "regression", "measures classes"),
        ("roc_auc", "multiclass", "is for two classes"),
        ("f1_samples", "multiclass", "several labels"),
        ("v_measure_score", "binary", "compares clusterings"),
    ],
)
def test_resolve_scorer_other_task_is_refused_with_reason(name, task, reason):
    with pytest.raises(ConfigError, match=f"{reason}, so it does not fit a {task} task"):
        resolve_scorer(name, task)


def test_score_outputs_class_absent_gives_nan():
    assert np.isnan(score_outputs(resolve_scorer("roc_auc", "binary"), "binary", np.ones(3), OUTPUTS["binary"][:3]))


def test_score_outputs_probabilities_in_single_precision_need_not_sum_to_one():
    scorer = resolve_scorer("neg_log_loss", "multiclass")
    single = OUTPUTS["multiclass"].astype(np.float32)
    expected = score_outputs(scorer, "multiclass", TRUTH["multiclass"], OUTPUTS["multiclass"])
    assert score_outputs(scorer, "multiclass", TRUTH["multiclass"], single) == pytest.approx(expected, rel=1e-5)


def test_display_value_loses_sign_only_of_losses():
    assert display_value("neg_root_mean_squared_error", -0.3) == ("root_mean_squared_error", 0.3)
    assert display_value("roc_auc", 0.8) == ("roc_auc", 0.8)
    assert display_value("neg_negative_likelihood_ratio", -2.0) == ("negative_likelihood_ratio", 2.0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("roc_auc", True), ("neg_log_loss", True), ("root_mean_squared_error", False), ("rmse", False), ("r2", True)],
)
def test_greater_is_better_follows_the_name_of_the_number(name, expected):
    assert greater_is_better(name) is expected
