"""Dimensions reduced to those that separate the classes best."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin


class DiscriminantReduction(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]  # untyped
    """Linear discriminant analysis as a pure transformer.

    scikit-learn's class is also a classifier, refuses more components than there are classes less one, and does not
    convert to ONNX in the middle of a pipeline.

    Parameters
    ----------
    n_components
        Most components; there are never more than classes less one, nor than features. ``None`` for all.

    Attributes
    ----------
    mean_ : numpy.ndarray of shape (n_features,)
        Subtracted from each row.
    directions_ : numpy.ndarray of shape (n_features, n_components)
        Onto which each row is projected.

    Examples
    --------
    >>> X = np.array([[0.0, 5.0], [0.1, 3.0], [1.0, 4.0], [1.1, 6.0]])
    >>> DiscriminantReduction(n_components=5).fit_transform(X, [0, 0, 1, 1]).shape
    (4, 1)
    """

    def __init__(self, n_components: int | None = None) -> None:
        self.n_components = n_components

    def fit(self, X: Any, y: Any) -> Self:
        """Find the directions.

        Parameters
        ----------
        X
            Numbers without missing values, of shape ``(n_rows, n_features)``.
        y
            Classes of shape ``(n_rows,)``.
        """
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        rows = np.asarray(X, dtype=np.float64)
        analysis = LinearDiscriminantAnalysis(solver="svd").fit(rows, y)
        self.n_features_in_ = rows.shape[1]
        self.mean_ = np.asarray(analysis.xbar_)
        self.directions_ = np.asarray(analysis.scalings_)[:, : self.n_components][:, : len(analysis.classes_) - 1]
        return self

    def transform(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the rows projected, of shape ``(n_rows, n_components)``."""
        projected: npt.NDArray[np.float64] = (np.asarray(X, dtype=np.float64) - self.mean_) @ self.directions_
        return projected

    @property
    def _n_features_out(self) -> int:
        return int(self.directions_.shape[1])
