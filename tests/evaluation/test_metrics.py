"""Tests of the metrics and their intervals against scikit-learn's and against plain resampling."""

import numpy as np
import pytest
from sklearn import metrics as reference

from ml_project.evaluation.metrics import METRICS, bootstrap_intervals, compute_metrics, missing_reasons


def classification(n_rows, n_classes, seed=0):
    generator = np.random.default_rng(seed)
    y_true = generator.integers(n_classes, size=n_rows)
    raw = generator.dirichlet(np.ones(n_classes), n_rows) + 0.4 * np.eye(n_classes)[y_true]
    tied = np.round(raw, 1)
    return y_true, tied / tied.sum(axis=1, keepdims=True)


def expected_metrics(task, y_true, outputs):
    if task == "regression":
        return {
            "rmse": reference.root_mean_squared_error(y_true, outputs),
            "mae": reference.mean_absolute_error(y_true, outputs),
            "median_ae": reference.median_absolute_error(y_true, outputs),
            "r2": reference.r2_score(y_true, outputs),
            "mape": reference.mean_absolute_percentage_error(y_true, outputs),
            "max_error": reference.max_error(y_true, outputs),
        }
    labels = outputs.argmax(axis=1)
    shared = {
        "accuracy": reference.accuracy_score(y_true, labels),
        "balanced_accuracy": reference.balanced_accuracy_score(y_true, labels),
        "log_loss": reference.log_loss(y_true, outputs),
        "mcc": reference.matthews_corrcoef(y_true, labels),
    }
    if task == "multiclass":
        return shared | {
            "f1_macro": reference.f1_score(y_true, labels, average="macro"),
            "f1_weighted": reference.f1_score(y_true, labels, average="weighted"),
            "roc_auc_ovr": reference.roc_auc_score(y_true, outputs, multi_class="ovr"),
        }
    return shared | {
        "precision": reference.precision_score(y_true, labels),
        "recall": reference.recall_score(y_true, labels),
        "f1": reference.f1_score(y_true, labels),
        "roc_auc": reference.roc_auc_score(y_true, outputs[:, 1]),
        "average_precision": reference.average_precision_score(y_true, outputs[:, 1]),
        "brier": reference.brier_score_loss(y_true, outputs[:, 1]),
    }


@pytest.mark.parametrize(("task", "n_classes"), [("binary", 2), ("multiclass", 3), ("multiclass", 12)])
def test_compute_metrics_classification_equals_scikit_learn(task, n_classes):
    y_true, outputs = classification(300, n_classes)
    metrics = compute_metrics(task, y_true, outputs)
    assert tuple(metrics) == METRICS[task]
    assert metrics == pytest.approx(expected_metrics(task, y_true, outputs))


@pytest.mark.parametrize("n_rows", [2, 3, 300])
def test_compute_metrics_regression_equals_scikit_learn(n_rows):
    generator = np.random.default_rng(1)
    y_true = generator.lognormal(3, 2, n_rows)
    outputs = y_true * generator.lognormal(0, 0.5, n_rows)
    assert compute_metrics("regression", y_true, outputs) == pytest.approx(
        expected_metrics("regression", y_true, outputs)
    )


def test_compute_metrics_class_absent_leaves_out_with_reason():
    y_true, outputs = classification(50, 2)
    metrics = compute_metrics("binary", np.zeros_like(y_true), outputs)
    missing = {name for name, value in metrics.items() if np.isnan(value)}
    assert missing == {"precision", "recall", "f1", "roc_auc", "average_precision", "mcc"}
    assert set(missing_reasons("binary", np.zeros_like(y_true), 2)) == missing


def test_compute_metrics_third_class_absent_leaves_out_area_only():
    y_true, outputs = classification(60, 3)
    y_true = np.where(y_true == 2, 0, y_true)
    assert {name for name, value in compute_metrics("multiclass", y_true, outputs).items() if np.isnan(value)} == {
        "roc_auc_ovr"
    }
    assert missing_reasons("multiclass", y_true, 3) == {"roc_auc_ovr": "1 of 3 classes have no row"}


@pytest.mark.parametrize(
    ("task", "y_true", "outputs"),
    [
        ("binary", np.array([1]), np.array([[0.3, 0.7]])),
        ("multiclass", np.array([2]), np.array([[0.3, 0.3, 0.4]])),
        ("regression", np.array([0.0]), np.array([1.5])),
    ],
)
def test_compute_metrics_one_row_gives_reasons_for_every_nan(task, y_true, outputs):
    missing = {name for name, value in compute_metrics(task, y_true, outputs).items() if np.isnan(value)}
    assert missing == set(missing_reasons(task, y_true, outputs.shape[-1]))
    assert all(np.isnan(interval.low) for interval in bootstrap_intervals(task, y_true, outputs).values())


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_compute_metrics_no_row_is_all_nan(task):
    outputs = np.empty(0) if task == "regression" else np.empty((0, 3))
    metrics = compute_metrics(task, np.empty(0), outputs)
    assert all(np.isnan(value) for value in metrics.values())
    assert set(missing_reasons(task, np.empty(0), 3)) == set(metrics)


def test_compute_metrics_constant_prediction_follows_scikit_learns_zero():
    y_true, _ = classification(40, 2)
    metrics = compute_metrics("binary", y_true, np.tile([0.9, 0.1], (40, 1)))
    assert (metrics["precision"], metrics["mcc"], metrics["roc_auc"]) == (0.0, 0.0, 0.5)


@pytest.mark.parametrize(("task", "n_classes"), [("binary", 2), ("multiclass", 3)])
def test_bootstrap_intervals_same_as_resampling_row_by_row(task, n_classes):
    y_true, outputs = classification(80, n_classes)
    drawn = np.random.default_rng(7).integers(80, size=(30, 80))
    plain = [expected_metrics(task, y_true[rows], outputs[rows]) for rows in drawn]
    intervals = bootstrap_intervals(task, y_true, outputs, n_samples=30, level=0.9, seed=7)
    for name in METRICS[task]:
        low, high = np.quantile([metrics[name] for metrics in plain], [0.05, 0.95])
        assert (intervals[name].low, intervals[name].high) == pytest.approx((low, high)), name


def test_bootstrap_intervals_regression_same_as_resampling_row_by_row():
    generator = np.random.default_rng(3)
    y_true = generator.normal(10, 2, 41)
    outputs = y_true + generator.normal(size=41)
    drawn = np.random.default_rng(7).integers(41, size=(60, 41))
    plain = [expected_metrics("regression", y_true[rows], outputs[rows]) for rows in drawn]
    intervals = bootstrap_intervals("regression", y_true, outputs, n_samples=60, seed=7)
    for name in METRICS["regression"]:
        expected = np.quantile([metrics[name] for metrics in plain], [0.025, 0.975])
        assert (intervals[name].low, intervals[name].high) == pytest.approx(tuple(expected)), name


def test_bootstrap_intervals_same_seed_same_result():
    y_true, outputs = classification(50, 2)
    assert bootstrap_intervals("binary", y_true, outputs, seed=1) == bootstrap_intervals(
        "binary", y_true, outputs, seed=1
    )


def test_bootstrap_intervals_any_scorer_lies_around_its_score():
    y_true, outputs = classification(100, 3)
    interval = bootstrap_intervals("multiclass", y_true, outputs, n_samples=50, scorers=["f1_micro"])["f1_micro"]
    assert interval.low < reference.f1_score(y_true, outputs.argmax(axis=1), average="micro") < interval.high
