"""Tests that figures can be drawn of hard inputs and that every text lies inside the image."""

import numpy as np
import pandas as pd
import pytest

from ml_project.evaluation import plots
from ml_project.evaluation.plots.style import number_text, shorten
from ml_project.evaluation.shapley import ShapValues

LONG = "a class or feature with a very long name $ that nobody can read"


def overhang(figure):
    """Return by how many inches something drawn reaches beyond the image."""
    figure.canvas.draw()
    drawn = figure.get_tightbbox(figure.canvas.get_renderer())
    return max(-drawn.x0, -drawn.y0, drawn.x1 - figure.get_figwidth(), drawn.y1 - figure.get_figheight())


def classes_of(n_classes):
    generator = np.random.default_rng(0)
    names = [f"{LONG} {code}" for code in range(n_classes)]
    return generator.integers(n_classes, size=150), generator.dirichlet(np.ones(n_classes), 150), names


@pytest.mark.parametrize("n_classes", [2, 12])
@pytest.mark.parametrize("draw", [plots.plot_roc, plots.plot_precision_recall])
def test_plot_curves_long_names_stay_inside(draw, n_classes):
    assert overhang(draw(*classes_of(n_classes), "AUC 0.87 (95% CI 0.83 to 0.91)")) < 0.01


@pytest.mark.parametrize("n_classes", [2, 12, 40])
def test_plot_confusion_matrix_long_names_stay_inside(n_classes):
    counts = np.random.default_rng(0).integers(0, 2000, (n_classes, n_classes))
    counts[0] = 0
    assert overhang(plots.plot_confusion_matrix(counts, [f"{LONG} {code}" for code in range(n_classes)])) < 0.01


@pytest.mark.parametrize("n_rows", [1, 2, 150])
def test_plot_calibration_few_rows_can_be_drawn(n_rows):
    y_true, probabilities, names = classes_of(3)
    assert overhang(plots.plot_calibration(y_true[:n_rows], probabilities[:n_rows], names)) < 0.01


@pytest.mark.parametrize(
    ("n_rows", "spread", "shift"),
    [(1, 0.0, 0.0), (2, 3.0, -20.0), (200, 0.0, 0.0), (200, 3.0, -20.0), (4000, 3.0, 0.0)],
)
def test_plot_numbers_any_skew_stays_inside(n_rows, spread, shift):
    generator = np.random.default_rng(0)
    y_true = generator.lognormal(3, spread, n_rows) + shift
    values = y_true + generator.normal(0, 1, n_rows)
    assert overhang(plots.plot_predicted_against_actual(y_true, values, LONG[:30], 0.5)) < 0.01
    assert overhang(plots.plot_residuals(y_true, values, LONG[:30])) < 0.01


def test_plot_numbers_perfect_constant_prediction_can_be_drawn():
    assert overhang(plots.plot_residuals(np.zeros(3), np.zeros(3), "y")) < 0.01
    assert overhang(plots.plot_predicted_against_actual(np.zeros(3), np.zeros(3), "y", np.nan)) < 0.01


@pytest.mark.parametrize("metric", ["roc_auc", "neg_log_loss"])
def test_plot_leaderboard_failed_and_long_candidates_stay_inside(metric):
    names = ["forest", LONG, "rule", "baseline"]
    frame = pd.DataFrame({"candidate": names, "selected": [True, False, False, False], "metric": metric})
    frame = frame.assign(mean=[-0.3, np.nan, -0.5, -0.7], std=[0.1, np.nan, 0.0, np.nan])
    assert overhang(plots.plot_leaderboard(frame)) < 0.01


def test_plot_leaderboard_all_failed_can_be_drawn():
    frame = pd.DataFrame({"candidate": ["a"], "selected": [False], "metric": "r2", "mean": [np.nan], "std": [np.nan]})
    assert overhang(plots.plot_leaderboard(frame)) < 0.01


@pytest.mark.parametrize("n_features", [1, 30])
def test_plot_permutation_importance_long_names_stay_inside(n_features):
    names = [f"{LONG} {number}" for number in range(n_features)]
    frame = pd.DataFrame({"feature": names, "mean": np.linspace(0.2, -0.1, n_features), "std": 0.01})
    assert overhang(plots.plot_permutation_importance(frame, "neg_root_mean_squared_error"[4:])) < 0.01


@pytest.mark.parametrize(("n_outputs", "n_rows"), [(1, 1), (1, 40), (3, 40), (12, 2)])
def test_plot_shap_summary_long_names_stay_inside(n_outputs, n_rows):
    values = np.random.default_rng(0).normal(size=(n_rows, 3, n_outputs))
    ranks = np.full((n_rows, 3), np.nan)
    names = tuple(f"{LONG} {number}" for number in range(n_outputs))
    assert overhang(plots.plot_shap_summary(ShapValues(values, ranks, ("a", "b", LONG), names))) < 0.01


def test_to_png_same_figure_gives_same_bytes():
    first, second = (plots.to_png(plots.plot_roc(*classes_of(2), "x")) for _ in range(2))
    assert first == second


def test_shorten_dollar_signs_are_literal():
    assert shorten("a$b$") == "a\\$b\\$"


def test_number_text_not_finite_is_readable():
    assert number_text(float("nan")) == "n/a"
