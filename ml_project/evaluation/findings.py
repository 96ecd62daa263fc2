"""What an evaluation finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml_project.config import Task
from ml_project.evaluation.explanations import Explanations
from ml_project.evaluation.metrics import Interval


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found; nothing of it is on disk yet.

    Attributes
    ----------
    task, target, classes
        Kind of target, its name, and its classes in the order of their codes (``None`` in a regression).
    ranking
        Name and value of the metric that ranked the candidates, as displayed; NaN where the rows do not define it.
    metrics, train_metrics
        Metrics on the evaluated and on the training rows, those that are defined.
    intervals
        Confidence intervals of ``metrics``.
    level
        Their level.
    missing
        Why a metric is not defined, by its name.
    n_rows, n_train_rows
        Numbers of rows.
    tables
        ``metrics``, ``target``, ``classes``, ``confusion_matrix``, ``features``, importances: those that the task has.
    figures
        PNG images by name.
    explanations
        Importances, where the config asks for them.
    """

    task: Task
    target: str
    classes: tuple[Any, ...] | None
    ranking: tuple[str, float]
    metrics: Mapping[str, float]
    train_metrics: Mapping[str, float]
    intervals: Mapping[str, Interval]
    level: float
    missing: Mapping[str, str]
    n_rows: int
    n_train_rows: int
    tables: Mapping[str, pd.DataFrame] = field(repr=False)
    figures: Mapping[str, bytes] = field(repr=False)
    explanations: Explanations | None = None


@dataclass(frozen=True)
class Outcome:
    """True values and outputs of the same rows.

    Attributes
    ----------
    y_true
        Codes of classes, or numbers, of shape ``(n_rows,)``.
    outputs
        Probabilities of shape ``(n_rows, n_classes)``, or values of shape ``(n_rows,)``.
    """

    y_true: npt.NDArray[Any]
    outputs: npt.NDArray[np.float64]
