"""Figures of one consistent style, made of matplotlib objects without global state."""

from ml_project.evaluation.plots.classes import (
    plot_calibration,
    plot_confusion_matrix,
    plot_precision_recall,
    plot_roc,
)
from ml_project.evaluation.plots.comparisons import plot_leaderboard, plot_train_against_test
from ml_project.evaluation.plots.importances import plot_permutation_importance, plot_shap_summary
from ml_project.evaluation.plots.numbers import plot_predicted_against_actual, plot_residuals
from ml_project.evaluation.plots.style import number_text, to_png

__all__ = [
    "number_text",
    "plot_calibration",
    "plot_confusion_matrix",
    "plot_leaderboard",
    "plot_permutation_importance",
    "plot_precision_recall",
    "plot_predicted_against_actual",
    "plot_residuals",
    "plot_roc",
    "plot_shap_summary",
    "plot_train_against_test",
    "to_png",
]
