"""Which figures an evaluation has, and what their titles find."""

from __future__ import annotations

import numpy as np

from ml_project.evaluation.explanations import Explanations
from ml_project.evaluation.findings import Evaluation, Outcome
from ml_project.evaluation.metrics import greater_is_better
from ml_project.evaluation.tables import confusion_counts

FIGURES = (
    "metrics",
    "confusion_matrix",
    "roc",
    "precision_recall",
    "calibration",
    "predicted_against_actual",
    "residuals",
    "permutation_importance",
    "shap",
    "leaderboard",
)
"""Names of all figures, in the order in which a reader wants them."""


def draw_figures(evaluation: Evaluation, outcome: Outcome) -> dict[str, bytes]:
    """Return the figures of the task as PNG, by name."""
    drawn = {"metrics": _draw_metrics(evaluation)} if evaluation.metrics else {}
    drawn |= _draw_numbers(evaluation, outcome) if evaluation.classes is None else _draw_classes(evaluation, outcome)
    return drawn


def draw_explanations(explanations: Explanations, metric: str) -> dict[str, bytes]:
    """Return the figures of importances as PNG, by name."""
    from ml_project.evaluation import plots

    drawn = {}
    if explanations.permutation is not None:
        figure = plots.plot_permutation_importance(explanations.permutation, metric)
        drawn["permutation_importance"] = plots.to_png(figure)
    if explanations.shap is not None:
        drawn["shap"] = plots.to_png(plots.plot_shap_summary(explanations.shap))
    return drawn


def _draw_metrics(evaluation: Evaluation) -> bytes:
    from ml_project.evaluation import plots

    names = list(evaluation.metrics)
    if evaluation.task == "regression":  # units differ, so that each metric has its own axis
        groups = [(_direction(name), [name]) for name in names]
    else:
        more = [name for name in names if greater_is_better(name)]
        groups = [("more is better", more), ("less is better", [name for name in names if name not in more])]
    name, value = evaluation.ranking
    finding = f"{name} {plots.number_text(value)}"
    if name in evaluation.train_metrics:
        finding += f" on test rows, {plots.number_text(evaluation.train_metrics[name])} in training"
    figure = plots.plot_train_against_test(
        evaluation.metrics, evaluation.intervals, evaluation.train_metrics, groups, finding
    )
    return plots.to_png(figure)


def _draw_classes(evaluation: Evaluation, outcome: Outcome) -> dict[str, bytes]:
    from ml_project.evaluation import plots

    assert evaluation.classes is not None  # the caller knows that the task has classes
    y_true, probabilities = outcome.y_true, outcome.outputs
    names = [str(value) for value in evaluation.classes]
    counts = confusion_counts(evaluation, outcome)
    positive = names if len(names) > 2 else [f"{evaluation.target} = {name}" for name in names]
    data = (y_true, probabilities, positive)
    figures = {"confusion_matrix": plots.plot_confusion_matrix(counts, names)}
    if len(np.unique(y_true)) > 1:
        area = "roc_auc" if evaluation.task == "binary" else "roc_auc_ovr"
        figures["roc"] = plots.plot_roc(*data, _finding(evaluation, area, "AUC", "one class against the rest"))
        finding = _finding(evaluation, "average_precision", "AP", "one class against the rest")
        figures["precision_recall"] = plots.plot_precision_recall(*data, finding)
        figures["calibration"] = plots.plot_calibration(*data)
    return {name: plots.to_png(figure) for name, figure in figures.items()}


def _draw_numbers(evaluation: Evaluation, outcome: Outcome) -> dict[str, bytes]:
    from ml_project.evaluation import plots

    data = (outcome.y_true, outcome.outputs, evaluation.target)
    r2 = evaluation.metrics.get("r2", float("nan"))
    figures = {
        "predicted_against_actual": plots.plot_predicted_against_actual(*data, r2),
        "residuals": plots.plot_residuals(*data),
    }
    return {name: plots.to_png(figure) for name, figure in figures.items()}


def _finding(evaluation: Evaluation, metric: str, name: str, otherwise: str) -> str:
    if metric not in evaluation.metrics:
        return otherwise
    interval = evaluation.intervals[metric]
    text = f"{name} {evaluation.metrics[metric]:.2f}"
    if not np.isfinite(interval.low):
        return text
    return f"{text} ({evaluation.level:.0%} CI {interval.low:.2f} to {interval.high:.2f})"


def _direction(name: str) -> str:
    return "more is better" if greater_is_better(name) else "less is better"
