"""Estimators that answer with what they are given, so that any scikit-learn scorer can judge computed outputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin


class GivenProbabilities(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A classifier whose input is its answer.

    Parameters
    ----------
    n_classes
        Number of classes, coded ``0..n_classes-1``.
    """

    def __init__(self, n_classes: int) -> None:
        self.n_classes = n_classes
        self.classes_ = np.arange(n_classes)

    def predict_proba(self, X: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the given probabilities of shape ``(n_rows, n_classes)``, each row with the sum 1."""
        return X / X.sum(axis=1, keepdims=True)

    def predict(self, X: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Return the code of the most probable class."""
        return X.argmax(axis=1).astype(np.int64)

    def __sklearn_is_fitted__(self) -> bool:
        return True


class GivenValues(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A regressor whose input is its answer."""

    def predict(self, X: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the given values of shape ``(n_rows,)``."""
        return X

    def __sklearn_is_fitted__(self) -> bool:
        return True
