"""Fitted preprocessing as an ONNX graph, in double precision and with the arithmetic of scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ml_project.artifacts.onnx_categories import convert_categories, known_categories
from ml_project.artifacts.onnx_graph import INPUT, CannotConvertError, GraphBuilder
from ml_project.artifacts.packing import Packing
from ml_project.data.columns import FeatureKind


class EngineeredMatrix:
    """The input of a graph, cut into numbers and the codes of categories where nodes ask for them.

    Parameters
    ----------
    graph
        Graph to add to.
    packing
        What the columns of the input are.
    """

    def __init__(self, graph: GraphBuilder, packing: Packing) -> None:
        self._graph = graph
        self._packing = packing
        widths = [width for width in (len(packing.numbers), len(packing.categories)) if width]
        blocks = graph.split_columns(INPUT, widths)
        self._numbers = blocks[0]
        self._codes: dict[str, str] = {}
        if packing.categories:
            whole = graph.cast(blocks[-1], _integer())
            self._codes = dict(
                zip(packing.categories, graph.split_columns(whole, [1] * len(packing.categories)), strict=True)
            )

    def numbers(self, names: Sequence[str]) -> str:
        """Return some numbers as a matrix."""
        if tuple(names) == self._packing.numbers:
            return self._numbers
        return self._graph.take_columns(self._numbers, [self._packing.numbers.index(name) for name in names])

    def codes(self, names: Sequence[str]) -> dict[str, str]:
        """Return the codes of some categories, each of shape ``(n_rows, 1)``."""
        return {name: self._codes[name] for name in names}


def packing_for(transformer: Any, kinds: Mapping[str, FeatureKind]) -> Packing:
    """Return how engineered columns become the input of a graph.

    Parameters
    ----------
    transformer
        Fitted ColumnTransformer.
    kinds
        ``number`` or ``category`` by engineered column.

    Raises
    ------
    CannotConvertError
        When a part of it has no conversion.
    """
    known: dict[str, list[str]] = {}
    used: set[str] = set()
    for _, part, names, kind in _parts(transformer, kinds):
        used.update(names)
        if kind == "category":
            for name, texts in zip(names, known_categories(part, len(names)), strict=True):
                known[name] = list(dict.fromkeys([*known.get(name, []), *texts]))
    numbers = [name for name, kind in kinds.items() if kind == "number" and name in used]
    return Packing(numbers, {name: known[name] for name in kinds if name in known})


def convert_columns(graph: GraphBuilder, transformer: Any, kinds: Mapping[str, FeatureKind], packing: Packing) -> str:
    """Return the matrix that a fitted ColumnTransformer makes of engineered columns.

    Parameters
    ----------
    graph
        Graph to add to.
    transformer, kinds
        As in :func:`packing_for`.
    packing
        What :func:`packing_for` returned.

    Raises
    ------
    CannotConvertError
        When a part of it has no conversion.
    """
    matrix = EngineeredMatrix(graph, packing)
    blocks, places = [], []
    for place, part, names, kind in _parts(transformer, kinds):
        if kind == "number":
            blocks.append(convert_numbers(graph, part, matrix.numbers(names)))
        else:
            blocks.append(convert_categories(graph, part, matrix.codes(names), packing.categories))
        places.extend(place)
    return graph.put_in_order(graph.concatenate(blocks), places)


def _parts(
    transformer: Any, kinds: Mapping[str, FeatureKind]
) -> Iterator[tuple[list[int], Any, list[str], FeatureKind]]:
    """Yield places of the results, estimator, column names and their kind of each part that has results."""
    for name, part, columns in transformer.transformers_:
        place = transformer.output_indices_[name]
        names = list(columns)
        if not names or place.start == place.stop:
            continue
        found = {kinds[column] for column in names}
        if len(found) > 1:
            raise CannotConvertError(f"the step {name!r} mixes numbers and categories")
        yield list(range(place.start, place.stop)), part, names, found.pop()


def convert_numbers(graph: GraphBuilder, step: Any, matrix: str) -> str:
    """Return what a fitted transformer makes of a matrix of numbers.

    Raises
    ------
    CannotConvertError
        When there is no conversion for it.
    """
    kind = type(step).__name__
    if isinstance(step, str) or (kind == "FunctionTransformer" and step.func is None):  # "passthrough"
        return matrix
    if kind == "Pipeline":
        for _, part in step.steps:
            matrix = convert_numbers(graph, part, matrix)
        return matrix
    if kind in _CONVERSIONS:
        return _CONVERSIONS[kind](graph, step, matrix)
    if hasattr(step, "get_support"):
        return graph.take_columns(matrix, step.get_support(indices=True))
    raise CannotConvertError(f"there is no conversion of {kind}")


def _impute(graph: GraphBuilder, imputer: Any, matrix: str) -> str:
    statistics = np.asarray(imputer.statistics_, dtype=np.float64)
    missing = graph.node("IsNaN", matrix)
    filled = graph.node("Where", missing, graph.constant(np.nan_to_num(statistics)), matrix)
    if np.isnan(statistics).any() and not imputer.keep_empty_features:
        filled = graph.take_columns(filled, np.flatnonzero(~np.isnan(statistics)))
    if imputer.indicator_ is None or not len(imputer.indicator_.features_):
        return filled
    return graph.concatenate([filled, _indicate(graph, imputer.indicator_, matrix)])


def _scale(graph: GraphBuilder, scaler: Any, matrix: str) -> str:
    if type(scaler).__name__ == "MinMaxScaler":
        scaled = graph.node("Mul", matrix, graph.constant(scaler.scale_))
        moved = graph.node("Add", scaled, graph.constant(scaler.min_))
        if not scaler.clip:
            return moved
        low, high = (graph.constant(bound) for bound in scaler.feature_range)
        return graph.node("Clip", moved, low, high)
    center = (
        scaler.mean_
        if type(scaler).__name__ == "StandardScaler" and scaler.with_mean
        else getattr(scaler, "center_", None)
    )
    if center is not None:
        matrix = graph.node("Sub", matrix, graph.constant(center))
    return matrix if scaler.scale_ is None else graph.node("Div", matrix, graph.constant(scaler.scale_))


def _project(graph: GraphBuilder, reduction: Any, matrix: str) -> str:
    if type(reduction).__name__ == "PCA":
        center, axes = reduction.mean_, reduction.components_.T
        if reduction.whiten:
            axes = axes / np.sqrt(reduction.explained_variance_)
    else:
        center, axes = reduction.mean_, reduction.directions_
    return graph.node("MatMul", graph.node("Sub", matrix, graph.constant(center)), graph.constant(axes))


def _indicate(graph: GraphBuilder, indicator: Any, matrix: str) -> str:
    return graph.take_columns(graph.cast(graph.node("IsNaN", matrix), _double()), indicator.features_)


def _integer() -> int:
    from onnx import TensorProto

    element_type: int = TensorProto.INT64
    return element_type


def _double() -> int:
    from onnx import TensorProto

    element_type: int = TensorProto.DOUBLE
    return element_type


_CONVERSIONS: dict[str, Callable[[GraphBuilder, Any, str], str]] = {
    "SimpleImputer": _impute,
    "MissingIndicator": _indicate,
    "StandardScaler": _scale,
    "MinMaxScaler": _scale,
    "MaxAbsScaler": _scale,
    "RobustScaler": _scale,
    "PCA": _project,
    "DiscriminantReduction": _project,
}
