"""Columns selected forward, by how well a linear model predicts from them."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin

_N_FOLDS = 3


class ForwardSelection(SelectorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Keeps a share of the columns, adding the one that helps most, one after another.

    Each step is judged by the cross-validated R² of a ridge regression; classes are predicted as one 0/1 column each
    (a linear probability model), which is several times faster than a logistic regression and works for any classes.

    Parameters
    ----------
    share
        Share of columns to keep, above 0 and at most 1; at least one column is kept, and no constant
        one.
    classification
        Whether the target holds classes.
    seed
        Start of the random sequence that deals rows to folds.

    Attributes
    ----------
    support_ : numpy.ndarray of bool, shape (n_features,)
        Which columns are kept.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(30, 4))
    >>> ForwardSelection(share=0.25).fit(X, 2 * X[:, 2]).support_.tolist()
    [False, False, True, False]
    """

    def __init__(self, share: float = 0.5, classification: bool = False, seed: int = 0) -> None:
        self.share = share
        self.classification = classification
        self.seed = seed

    def fit(self, X: Any, y: Any) -> Self:
        """Choose the columns.

        Parameters
        ----------
        X
            Numbers without missing values, of shape ``(n_rows, n_features)``.
        y
            Targets of shape ``(n_rows,)``.
        """
        from sklearn.feature_selection import SequentialFeatureSelector
        from sklearn.linear_model import Ridge
        from sklearn.model_selection import KFold

        rows, targets = np.asarray(X, dtype=np.float64), np.asarray(y)
        self.n_features_in_ = rows.shape[1]
        n_kept = max(1, round(self.share * self.n_features_in_))
        varying = np.flatnonzero(np.ptp(rows, axis=0) > 0)
        if n_kept >= len(varying):
            # Constant columns tell nothing; they are kept only where a pipeline would be left without any column.
            self.support_ = np.isin(np.arange(self.n_features_in_), varying) if len(varying) else _first(rows)
            return self
        if self.classification:
            targets = (targets[:, None] == np.unique(targets)).astype(np.float64)
        folds = KFold(min(_N_FOLDS, len(rows)), shuffle=True, random_state=self.seed)
        search = SequentialFeatureSelector(Ridge(), n_features_to_select=n_kept, cv=folds, n_jobs=1)
        chosen = varying[search.fit(rows[:, varying], targets).get_support()]
        self.support_ = np.isin(np.arange(self.n_features_in_), chosen)
        return self

    def _get_support_mask(self) -> npt.NDArray[np.bool_]:
        return self.support_


def _first(rows: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    return np.isin(np.arange(rows.shape[1]), 0)
