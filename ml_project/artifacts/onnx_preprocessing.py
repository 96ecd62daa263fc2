"""Fitted preprocessing as an ONNX graph, in double precision and with the arithmetic of scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ml_project.artifacts.onnx_categories import convert_categories
from ml_project.artifacts.onnx_graph import CannotConvertError, GraphBuilder
from ml_project.data.columns import FeatureKind


def convert_columns(graph: GraphBuilder, transformer: Any, kinds: Mapping[str, FeatureKind]) -> str:
    """Return the matrix that a fitted ColumnTransformer makes of engineered columns.

    Parameters
    ----------
    graph
        Graph to add to.
    transformer
        Fitted ColumnTransformer.
    kinds
        ``number`` or ``category`` by engineered column.

    Raises
    ------
    CannotConvertError
        When a part of it has no conversion.
    """
    from onnx import TensorProto

    blocks, places = [], []
    for name, part, columns in transformer.transformers_:
        names = list(columns)
        place = _positions(transformer.output_indices_[name])
        if not names or not place:
            continue
        found = {kinds[column] for column in names}
        if found == {"number"}:
            inputs = graph.concatenate([graph.input(column, TensorProto.DOUBLE) for column in names])
            blocks.append(convert_numbers(graph, part, inputs))
        elif found == {"category"}:
            blocks.append(convert_categories(graph, part, names))
        else:
            raise CannotConvertError(f"the step {name!r} mixes numbers and categories")
        places.extend(place)
    return graph.take_columns(graph.concatenate(blocks), np.argsort(places))


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
        if scaler.clip:
            raise CannotConvertError("there is no conversion of MinMaxScaler(clip=True)")
        scaled = graph.node("Mul", matrix, graph.constant(scaler.scale_))
        return graph.node("Add", scaled, graph.constant(scaler.min_))
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
        if reduction.whiten:
            raise CannotConvertError("there is no conversion of PCA(whiten=True)")
        center, axes = reduction.mean_, reduction.components_.T
    else:
        center, axes = reduction.mean_, reduction.directions_
    return graph.node("MatMul", graph.node("Sub", matrix, graph.constant(center)), graph.constant(axes))


def _indicate(graph: GraphBuilder, indicator: Any, matrix: str) -> str:
    return graph.take_columns(graph.cast(graph.node("IsNaN", matrix), _double()), indicator.features_)


def _positions(place: slice) -> list[int]:
    return list(range(place.start, place.stop))


def _double() -> int:
    from onnx import TensorProto

    element_type: int = TensorProto.DOUBLE
    return element_type


_CONVERSIONS: dict[str, Callable[[GraphBuilder, Any, str], str]] = {
    "SimpleImputer": _impute,
    "MissingIndicator": _indicate,
    "StandardScaler": _scale,
    "MinMaxScaler": _scale,
    "RobustScaler": _scale,
    "PCA": _project,
    "DiscriminantReduction": _project,
}
