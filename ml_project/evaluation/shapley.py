"""SHAP values for every kind of model: only its outputs are looked at, on engineered columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml_project.data.columns import Columns
from ml_project.evaluation.formulas import Floats
from ml_project.evaluation.model_rows import Compute, choose_rows, count_rows, show_progress

_N_BACKGROUND_ROWS = 20
_MOST_MODEL_ROWS, _MOST_ORDERS = 150_000, 3
"""Rows for which SHAP asks the model, all together; it decides the number of orders of features tried per row."""


@dataclass(frozen=True)
class ShapValues:
    """Effects of features on single predictions.

    Attributes
    ----------
    values
        Shape ``(n_rows, n_features, n_outputs)``: how far the feature moves the output away from its mean.
    ranks
        Shape ``(n_rows, n_features)``: rank of the feature's value, 0 lowest to 1 highest; NaN for categories and
        missing values.
    features
        Names of the features.
    outputs
        What is moved: probability of the positive class, of each of several classes, or the value.
    """

    values: Floats
    ranks: Floats
    features: tuple[str, ...]
    outputs: tuple[str, ...]

    def importance(self) -> pd.DataFrame:
        """Return the mean size of the effects: ``feature``, ``mean_absolute_shap`` and, for several, one per output."""
        sizes = np.abs(self.values).mean(axis=0)
        frame = pd.DataFrame({"feature": self.features, "mean_absolute_shap": sizes.sum(axis=1)})
        if len(self.outputs) > 1:
            frame = pd.concat([frame, pd.DataFrame(sizes, columns=list(self.outputs))], axis="columns")
        return frame.sort_values("mean_absolute_shap", ascending=False, kind="stable", ignore_index=True)


def shap_values(
    compute: Compute,
    engineered: Columns,
    *,
    outputs: Sequence[str],
    n_rows: int,
    seed: int,
    background: Columns | None = None,
) -> ShapValues | None:
    """Return SHAP values by permutations of features, against a background of 20 rows.

    Parameters
    ----------
    compute
        The model, from engineered columns to outputs.
    engineered
        Engineered columns to explain; at most ``n_rows`` random rows are.
    outputs
        Names of the outputs: one for a binary task (its last probability) or a regression, else one per class.
    n_rows
        Most rows to explain.
    seed
        Start of the random sequence.
    background
        Engineered columns that stand for a feature left out, training rows for instance; by default ``engineered``.

    Returns
    -------
    ShapValues or None
        ``None`` where there are fewer than two rows to compare.

    References
    ----------
    S. Lundberg and S.-I. Lee, A Unified Approach to Interpreting Model Predictions, 2017.
    """
    generator = np.random.default_rng(seed)
    around = engineered if background is None else background
    explained, compared = (
        {name: values[rows] for name, values in columns.items()}
        for columns, rows in (
            (engineered, choose_rows(count_rows(engineered), n_rows, generator)),
            (around, choose_rows(count_rows(around), _N_BACKGROUND_ROWS, generator)),
        )
    )
    if count_rows(explained) == 0 or count_rows(compared) < 2:
        return None
    coding = _Coding.of(explained, compared)
    matrix = coding.encode(explained)

    def model(rows: Floats) -> Floats:
        return _select(compute(coding.decode(rows)), len(outputs))

    values = _explain(model, matrix, coding.encode(compared), seed)
    return ShapValues(values, coding.ranks(matrix), tuple(engineered), tuple(outputs))


def _explain(model: Callable[[Floats], Floats], matrix: Floats, background: Floats, seed: int) -> Floats:
    import shap

    n_features = matrix.shape[1]
    per_order = (2 * n_features + 1) * len(background)
    n_orders = int(np.clip(_MOST_MODEL_ROWS // (per_order * len(matrix)), 1, _MOST_ORDERS))
    masker = shap.maskers.Independent(background, max_samples=len(background))
    explainer = shap.explainers.Permutation(model, masker, seed=seed)
    parts = [
        np.asarray(explainer(matrix[[row]], max_evals=n_orders * (2 * n_features + 1), silent=True).values)
        for row in show_progress(range(len(matrix)), "SHAP values")
    ]
    return np.concatenate(parts).reshape(len(matrix), n_features, -1)


@dataclass(frozen=True)
class _Coding:
    """Categories as whole numbers, because SHAP's masking needs one matrix of numbers."""

    categories: dict[str, npt.NDArray[np.object_] | None]

    @classmethod
    def of(cls, *parts: Columns) -> _Coding:
        found: dict[str, npt.NDArray[np.object_] | None] = {}
        for name, values in parts[0].items():
            texts = {value for part in parts for value in part[name].tolist()} if values.dtype == object else set()
            ordered = sorted(texts, key=lambda text: (text is None, text or ""))
            found[name] = np.array(ordered, dtype=object) if values.dtype == object else None
        return cls(found)

    def encode(self, columns: Columns) -> Floats:
        """Return a matrix of shape ``(n_rows, n_features)``."""
        coded = []
        for name, categories in self.categories.items():
            codes = {} if categories is None else {value: code for code, value in enumerate(categories.tolist())}
            values = columns[name] if categories is None else [codes[value] for value in columns[name].tolist()]
            coded.append(np.asarray(values, dtype=np.float64))
        return np.stack(coded, axis=1)

    def decode(self, matrix: Floats) -> dict[str, npt.NDArray[Any]]:
        """Return the columns of a matrix."""
        return {
            name: np.ascontiguousarray(column) if categories is None else categories[column.astype(np.int64)]
            for (name, categories), column in zip(self.categories.items(), np.asarray(matrix).T, strict=True)
        }

    def ranks(self, matrix: Floats) -> Floats:
        """Return the ranks of numbers from 0 to 1, and NaN for categories, missing values and constants."""
        frame = pd.DataFrame(matrix, columns=list(self.categories))
        ranks = frame.rank()
        ranks = (ranks - ranks.min()) / (ranks.max() - ranks.min()).replace(0, np.nan)
        coded = [name for name, categories in self.categories.items() if categories is not None]
        ranks[coded] = np.nan
        return ranks.to_numpy(dtype=np.float64)


def _select(outputs: npt.NDArray[Any], n_outputs: int) -> Floats:
    values = np.asarray(outputs, dtype=np.float64)
    return values[:, -1] if values.ndim == 2 and n_outputs == 1 else values
