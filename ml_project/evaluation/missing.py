"""Which metrics a task has, and why rows may not define one of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.config import Task

METRICS: dict[Task, tuple[str, ...]] = {
    "binary": (
        "accuracy",
        "balanced_accuracy",
        "precision",
        "recall",
        "f1",
        "roc_auc",
        "average_precision",
        "log_loss",
        "brier",
        "mcc",
    ),
    "multiclass": ("accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "log_loss", "roc_auc_ovr", "mcc"),
    "regression": ("rmse", "mae", "median_ae", "r2", "mape", "max_error"),
}


def missing_reasons(task: Task, y_true: npt.NDArray[Any], n_classes: int | None = None) -> dict[str, str]:
    """Return why metrics are undefined for these targets, by metric; empty where all are defined.

    Parameters
    ----------
    task, y_true
        As for :func:`compute_metrics`.
    n_classes
        Number of classes that the model knows; in a regression not needed.
    """
    if len(y_true) == 0:
        return dict.fromkeys(METRICS[task], "there are no rows")
    if task == "regression":
        return _missing_number_reasons(y_true)
    absent = sorted(set(range(n_classes or 0)) - set(np.unique(y_true).tolist()))
    one_class = len(np.unique(y_true)) < 2
    reasons = dict.fromkeys(("mcc", "roc_auc"), "the rows hold one class only") if one_class else {}
    if task == "binary":
        of_positive = ("precision", "recall", "f1", "average_precision")
        return reasons | (dict.fromkeys(of_positive, "no row is of the positive class") if 1 in absent else {})
    reasons.pop("roc_auc", None)
    return reasons | ({"roc_auc_ovr": f"{len(absent)} of {n_classes} classes have no row"} if absent else {})


def _missing_number_reasons(y_true: npt.NDArray[Any]) -> dict[str, str]:
    constant = {"r2": "all targets are equal"} if np.ptp(y_true) == 0 else {}
    return constant | ({"mape": "some targets are 0"} if (np.asarray(y_true) == 0).any() else {})
