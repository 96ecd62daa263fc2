"""Fitted preprocessing as an ONNX graph, in double precision as scikit-learn computes it.

Numbers go through the same arithmetic as in scikit-learn. Categories are tabulated: the fitted encoder is asked once
for the result of every category that it knows, of a missing and of an unseen one, and the graph looks them up. So any
encoder converts that treats its columns apart.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml_project.artifacts.onnx_graph import CannotConvertError, GraphBuilder
from ml_project.feature_engineering.engineered import MISSING_CATEGORY
from ml_project.feature_engineering.process import FeatureKind

_UNSEEN = "\ufffd never seen"
_LEARNED_CATEGORIES = ("categories_", "kept_", "rare_")


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
            blocks.append(_convert_categories(graph, part, names))
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


def _convert_categories(graph: GraphBuilder, part: Any, names: Sequence[str]) -> str:
    """Return the looked-up results of an encoder, one table per column."""
    from onnx import TensorProto

    known = _known_categories(part, len(names))
    tables = _tabulate(part, names, known)
    varying = [np.flatnonzero((table != table[-1]).any(axis=0)) for table in tables]
    constant = np.setdiff1d(np.arange(tables[0].shape[1]), np.concatenate(varying))
    varying[0] = np.concatenate([varying[0], constant])
    if len(np.unique(np.concatenate(varying))) != sum(map(len, varying)):
        raise CannotConvertError("an encoder combines several columns")
    blocks = []
    for name, values, table, outputs in zip(names, known, tables, varying, strict=True):
        code = graph.node(
            "LabelEncoder",
            graph.input(name, TensorProto.STRING),
            domain="ai.onnx.ml",
            keys_strings=values,
            values_int64s=list(range(len(values))),
            default_int64=len(values),
        )
        column = graph.node("Reshape", code, graph.constant([-1], np.int64))
        blocks.append(graph.node("Gather", graph.constant(table[:, outputs]), column, axis=0))
    return graph.take_columns(graph.concatenate(blocks), np.argsort(np.concatenate(varying)))


def _known_categories(part: Any, n_columns: int) -> list[list[str]]:
    """Return the texts that an encoder knows, by column, and the missing one."""
    steps = [step for _, step in part.steps] if type(part).__name__ == "Pipeline" else [part]
    learned = [getattr(step, name) for step in steps for name in _LEARNED_CATEGORIES if hasattr(step, name)]
    if not learned or any(len(by_column) != n_columns for by_column in learned):
        raise CannotConvertError(f"{type(part).__name__} of categories has no encoder with known categories")
    texts = [[value for by_column in learned for value in by_column[position]] for position in range(n_columns)]
    return [list(dict.fromkeys([*filter(_is_text, values), MISSING_CATEGORY])) for values in texts]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _tabulate(part: Any, names: Sequence[str], known: Sequence[Sequence[str]]) -> list[npt.NDArray[np.float64]]:
    """Return, by column, the results for each known category and, in the last row, for an unseen one."""
    unseen = dict.fromkeys(names, _UNSEEN)
    tables = []
    for name, values in zip(names, known, strict=True):
        frame = pd.DataFrame(
            [{**unseen, name: value} for value in [*values, _UNSEEN]], columns=list(names), dtype=object
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # encoders warn of the unseen category that is asked for
            result = part.transform(frame)
        dense = result.toarray() if hasattr(result, "toarray") else result
        tables.append(np.asarray(dense, dtype=np.float64))
    return tables


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
