"""Where the trees of a fitted model split, and the engineered numbers that lie on both sides of a split.

A tree that compares in single precision, or with a rounded threshold, sends only numbers next to the threshold to
another leaf. So those numbers are found exactly, by bisection through the preprocessing, which ONNX Runtime computes:
where it differed from scikit-learn's in the last bit, the numbers would still be neighbours of the right ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.artifacts.tree_readers import read_trees
from ml_project.data.columns import Columns, FeatureKind

MAX_THRESHOLDS = 64
"""Most thresholds of one column."""

_WIDTH = 1e-6
"""How far around a guess a number is looked for, relative to its size and the span of its column."""

_LOWEST = np.iinfo(np.int64).min

Floats = npt.NDArray[np.float64]
Compute = Callable[[Columns], npt.NDArray[np.floating[Any]]]


def numbers_at_thresholds(
    model: Any, preprocessing: Compute, engineered: Columns, kinds: Mapping[str, FeatureKind]
) -> dict[str, Floats]:
    """Return, by engineered number, the largest numbers before and the smallest ones after the splits of trees.

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

    Returns
    -------
    dict of str to numpy.ndarray
        Numbers by name; columns without any are left out, such as all of a model without trees, or where the
        preprocessing mixes columns.
    """
    by_place = _thresholds_by_column(model)
    spans = {
        name: span for name, kind in kinds.items() if kind == "number" and (span := _span(engineered[name])) is not None
    }
    if not by_place or not spans:
        return {}
    preprocess = _Preprocessing(preprocessing, engineered, kinds)
    places = {name: place for name, place in _places(preprocess, spans).items() if place in by_place}
    if not places:
        return {}
    transform = _Transform(preprocess, places)
    thresholds = np.column_stack([np.resize(by_place[place], MAX_THRESHOLDS) for place in places.values()])
    below, above, bounded = _pass(transform, thresholds, np.array([spans[name] for name in places]).T)
    found = {}
    for column, name in enumerate(places):
        inside = bounded[:, column]
        known = np.concatenate([below[inside, column], above[inside, column]])
        found[name] = np.unique([known, np.nextafter(known, np.inf), np.nextafter(known, -np.inf)])
    return found


def _thresholds_by_column(model: Any) -> dict[int, Floats]:
    """Return some thresholds of each preprocessed column, evenly chosen."""
    trees = read_trees(model)
    if not trees:
        return {}
    columns = np.concatenate([tree.feature for tree in trees])
    numbers = np.concatenate([tree.threshold for tree in trees])
    chosen = {}
    for column in np.unique(columns[columns >= 0]).tolist():
        known = np.unique(numbers[columns == column])
        known = known[np.isfinite(known)]
        chosen[column] = known[np.unique(np.linspace(0, len(known) - 1, MAX_THRESHOLDS).round().astype(np.intp))]
    return chosen


def _span(values: npt.NDArray[Any]) -> tuple[float, float] | None:
    """Return the smallest and largest of the known numbers, where there are two."""
    known = values[~np.isnan(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    return (low, high) if low < high else None


class _Preprocessing:
    """The preprocessing of a typical row, of which some numbers are replaced."""

    def __init__(self, compute: Compute, engineered: Columns, kinds: Mapping[str, FeatureKind]) -> None:
        self._compute = compute
        self._typical = {name: _typical(engineered[name], kind) for name, kind in kinds.items()}

    def __call__(self, replaced: Mapping[str, Floats]) -> Floats:
        n_rows = len(next(iter(replaced.values())))
        columns = {name: np.full(n_rows, value) for name, value in self._typical.items()}
        return np.asarray(self._compute({**columns, **replaced}), dtype=np.float64)


def _typical(values: npt.NDArray[Any], kind: FeatureKind) -> Any:
    if kind == "category":
        return next((value for value in values.tolist() if value is not None), None)
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else 0.0


def _places(preprocess: _Preprocessing, spans: Mapping[str, tuple[float, float]]) -> dict[str, int]:
    """Return which preprocessed column each number becomes, where it is exactly one and of no other number."""
    changed = {}
    for name, span in spans.items():
        outputs = preprocess({name: np.array(span)})
        changed[name] = np.flatnonzero(outputs[0] != outputs[1])
    n_sources = np.bincount(np.concatenate(list(changed.values())).astype(np.intp), minlength=1)
    return {name: int(places[0]) for name, places in changed.items() if len(places) == 1 and n_sources[places[0]] == 1}


class _Transform:
    """Preprocesses a matrix of one number per column, each of which becomes one column of the result."""

    def __init__(self, preprocess: _Preprocessing, places: Mapping[str, int]) -> None:
        self._preprocess = preprocess
        self._names = list(places)
        self._places = list(places.values())

    def __call__(self, numbers: Floats) -> Floats:
        replaced = {name: numbers[:, column] for column, name in enumerate(self._names)}
        return self._preprocess(replaced)[:, self._places]


def _pass(transform: _Transform, thresholds: Floats, spans: Floats) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Return the numbers next to which transformed numbers pass thresholds: above or at them, in either precision.

    Parameters
    ----------
    transform
        What happens to numbers before they are compared.
    thresholds
        Thresholds of shape ``(n_thresholds, n_columns)``.
    spans
        Two numbers per column, of shape ``(2, n_columns)``, from which the transformation is guessed.

    Returns
    -------
    tuple
        The last numbers that do not pass, the first ones that do, both of shape ``(4 * n_thresholds, n_columns)``, and
        where such a pair was found.
    """
    start, end = transform(spans)
    guesses = spans[0] + (thresholds - start) * ((spans[1] - spans[0]) / (end - start))
    width = _WIDTH * (np.abs(guesses) + spans[1] - spans[0])
    single_thresholds = _single(thresholds)

    def passes(numbers: Floats) -> npt.NDArray[np.bool_]:
        double, double_at, single, single_at = np.split(transform(numbers), 4)
        passed = (
            double > thresholds,
            double_at >= thresholds,
            _single(single) > thresholds,
            _single(single_at) >= single_thresholds,
        )
        return np.concatenate(passed)

    return _bisect(passes, np.tile(guesses - width, (4, 1)), np.tile(guesses + width, (4, 1)))


def _single(values: Floats) -> Floats:
    return values.astype(np.float32).astype(np.float64)


def _bisect(
    passes: Callable[[Floats], npt.NDArray[np.bool_]], low: Floats, high: Floats
) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Return neighbouring numbers of which the first does not pass and the second does, and where bounds hold."""
    bounded = ~passes(low) & passes(high)
    below, above = _to_order(low), _to_order(high)
    while ((above - below)[bounded] > 1).any():
        middle = (below >> 1) + (above >> 1) + (below & above & 1)
        passed = passes(_from_order(middle))
        above, below = np.where(passed, middle, above), np.where(passed, below, middle)
    return _from_order(below), _from_order(above), bounded


def _to_order(values: Floats) -> npt.NDArray[np.int64]:
    """Return whole numbers in the order of numbers, neighbours for neighbours."""
    bits = values.view(np.int64)
    return np.where(bits < 0, _LOWEST - bits, bits)


def _from_order(places: npt.NDArray[np.int64]) -> Floats:
    return np.where(places < 0, _LOWEST - places, places).view(np.float64)
