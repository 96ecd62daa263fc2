"""Rare categories become one, in a way that ONNX can express."""

from __future__ import annotations

from collections import Counter
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

RARE_CATEGORY = "(rare)"
UNSEEN_CATEGORY = "(unseen)"


class RareCategories(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]  # untyped bases
    """Replaces the rare categories of each column by one text, and those never seen in training by another.

    scikit-learn's encoders can group rare categories themselves, but those do not convert to ONNX (skl2onnx 1.20).
    The encoder that follows never sees :data:`UNSEEN_CATEGORY` in training, and so treats it as unknown.

    Parameters
    ----------
    min_rows
        A category with fewer training rows is rare.
    max_categories
        Most categories per column, counting the rare ones as one; ``None`` for any number.

    Attributes
    ----------
    kept_ : list of list of str
        Categories that stay, per column.
    rare_ : list of list of str
        Categories that become one, per column.

    Examples
    --------
    >>> decks = np.array([["C"], ["C"], ["G"], ["T"]], dtype=object)
    >>> rare = RareCategories(min_rows=2).fit(decks)
    >>> rare.transform(np.array([["C"], ["T"], ["Z"]], dtype=object)).ravel().tolist()
    ['C', '(rare)', '(unseen)']
    """

    def __init__(self, min_rows: int = 1, max_categories: int | None = None) -> None:
        self.min_rows = min_rows
        self.max_categories = max_categories

    def fit(self, X: Any, y: Any = None) -> Self:
        """Count the categories of each column.

        Parameters
        ----------
        X
            Texts of shape ``(n_rows, n_features)``.
        y
            Ignored.
        """
        values = np.asarray(X, dtype=object)
        self.n_features_in_ = values.shape[1]
        split = [self._split(column.tolist()) for column in values.T]
        self.kept_ = [kept for kept, _ in split]
        self.rare_ = [rare for _, rare in split]
        return self

    def transform(self, X: Any) -> npt.NDArray[np.object_]:
        """Return the categories that stay, with the others replaced, of shape ``(n_rows, n_features)``."""
        values = np.asarray(X, dtype=object)
        replaced = np.empty(values.shape, dtype=object)
        for position, column in enumerate(values.T):
            names = self.replacements(position)
            replaced[:, position] = [names.get(value, UNSEEN_CATEGORY) for value in column.tolist()]
        return replaced

    def replacements(self, position: int) -> dict[str, str]:
        """Return what becomes of each category seen in training, for the column at a position."""
        kept = {category: category for category in self.kept_[position]}
        return kept | dict.fromkeys(self.rare_[position], RARE_CATEGORY)

    def _split(self, column: list[str]) -> tuple[list[str], list[str]]:
        """Return the categories that stay and the rare ones, both sorted; ties go by the alphabet."""
        ranked = sorted(Counter(column).items(), key=lambda item: (-item[1], item[0]))
        kept = [category for category, count in ranked if count >= self.min_rows]
        if self.max_categories is not None and len(ranked) > self.max_categories:
            kept = kept[: self.max_categories - 1]
        return sorted(kept), sorted({category for category, _ in ranked}.difference(kept))
