"""Rows on which engines are likely to differ, made of real ones."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.artifacts.tree_thresholds import Compute, numbers_at_thresholds
from ml_project.data.columns import MISSING_CATEGORY, Columns, FeatureKind

N_UNUSUAL_ROWS = 500

UNUSUAL = "with unusual values"
AT_THRESHOLDS = "at the thresholds of trees"
BEYOND = "with numbers beyond single precision"

_TINY = (0.0, -0.0, 5e-324, -5e-324, 1e-310, 1e-45, -1e-45, 1e-38, 1e-30, -1e-30)
_BEYOND = (1e39, -1e100)


def edge_rows(
    model: Any, preprocessing: Compute, engineered: Columns, kinds: Mapping[str, FeatureKind]
) -> dict[str, Columns]:
    """Return engineered columns of generated rows, by what is special about them.

    Parameters
    ----------
    model
        Fitted model.
    preprocessing
        What turns engineered columns into the columns that the model sees.
    engineered
        Engineered columns of real rows.
    kinds
        ``number`` or ``category`` by engineered column.
    """
    found = {UNUSUAL: unusual_rows(engineered, kinds), BEYOND: rows_beyond_single_precision(engineered, kinds)}
    at_thresholds = rows_with(numbers_at_thresholds(model, preprocessing, engineered, kinds), engineered)
    return found if at_thresholds is None else {**found, AT_THRESHOLDS: at_thresholds}


def unusual_rows(engineered: Columns, kinds: Mapping[str, FeatureKind]) -> Columns:
    """Return real rows in which each value may have become an unusual one.

    Unusual are missing and unseen values, the extremes and beyond, huge and tiny numbers, zero of both signs, and the
    middle between two neighbouring numbers and its own neighbours, where trees split.
    """
    random = np.random.default_rng(0)
    chosen = _choose(random, engineered, N_UNUSUAL_ROWS)
    edges = {}
    for name, kind in kinds.items():
        values = np.asarray(engineered[name])[chosen]
        unusual = _unusual_numbers(engineered[name]) if kind == "number" else _unusual_texts(engineered[name])
        drawn = unusual[random.integers(0, len(unusual), len(values))]
        edges[name] = np.where(random.random(len(values)) < 0.3, drawn, values)
    return edges


def rows_with(numbers: Mapping[str, npt.NDArray[np.float64]], engineered: Columns) -> Columns | None:
    """Return real rows with given numbers in most places, so that each of them occurs; ``None`` without numbers."""
    n_rows = max(map(len, numbers.values()), default=0)
    if not n_rows:
        return None
    random = np.random.default_rng(0)
    chosen = _choose(random, engineered, n_rows)
    rows = {name: np.asarray(values)[chosen] for name, values in engineered.items()}
    for name, values in numbers.items():
        if len(values):
            rows[name] = random.permutation(np.resize(values, n_rows))
    return rows


def rows_beyond_single_precision(engineered: Columns, kinds: Mapping[str, FeatureKind]) -> Columns:
    """Return one row per number, a real one in which this number is too large for single precision."""
    places = list(zip((name for name, kind in kinds.items() if kind == "number"), cycle(_BEYOND), strict=False))
    chosen = _choose(np.random.default_rng(0), engineered, len(places))
    rows = {name: np.asarray(values)[chosen] for name, values in engineered.items()}
    for row, (name, number) in enumerate(places[: len(chosen)]):
        rows[name][row] = number
    return rows


def _choose(random: np.random.Generator, engineered: Columns, n_rows: int) -> npt.NDArray[np.intp]:
    n_known = len(next(iter(engineered.values()))) if engineered else 0
    return random.integers(0, n_known, n_rows) if n_known else np.empty(0, dtype=np.intp)


def _unusual_numbers(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    known = np.unique(values[~np.isnan(values)])
    if len(known) == 0:
        known = np.zeros(1)
    middles = (known[1:] + known[:-1]) / 2
    low, high = known[0], known[-1]
    huge = 1e6 * max(1.0, abs(low), abs(high))
    others = np.array([np.nan, *_TINY, low - 1, low, high, high + 1, huge, -huge, 1e20, -1e20])
    return np.concatenate(
        [middles, np.nextafter(middles, np.inf), np.nextafter(middles, -np.inf), np.repeat(others, 5)]
    )


def _unusual_texts(values: npt.NDArray[Any]) -> npt.NDArray[np.object_]:
    known = sorted({value for value in values.tolist() if value is not None})
    texts: list[str | None] = [None, MISSING_CATEGORY, "never seen before", " ", *known]
    return np.array(texts, dtype=object)
