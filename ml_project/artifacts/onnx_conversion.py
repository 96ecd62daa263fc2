"""Preprocessing alone, or preprocessing and model, as one ONNX model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ml_project.artifacts.onnx_graph import CannotConvertError, GraphBuilder
from ml_project.artifacts.onnx_models import convert_model
from ml_project.artifacts.onnx_preprocessing import convert_columns, convert_numbers, packing_for
from ml_project.artifacts.packing import PACKING, Packing
from ml_project.data.columns import FeatureKind


def convert(model: Any, kinds: Mapping[str, FeatureKind], n_classes: int | None) -> bytes:
    """Return preprocessing and model as an ONNX model, from engineered columns to the model's output.

    Parameters
    ----------
    model
        Fitted pipeline whose first step is a ColumnTransformer and whose last is the model.
    kinds
        ``number`` or ``category`` by engineered column.
    n_classes
        Number of classes, ``None`` in a regression.

    Raises
    ------
    CannotConvertError
        When a step has no conversion.
    """
    graph, packing, matrix = _start(model, kinds)
    output = convert_model(graph, model.steps[-1][1], matrix, n_classes)
    return graph.finish(output, (None,) if n_classes is None else (None, n_classes), _metadata(packing))


def convert_preprocessing(model: Any, kinds: Mapping[str, FeatureKind]) -> bytes:
    """Return preprocessing alone as an ONNX model, from engineered columns to the matrix that the model takes.

    Parameters
    ----------
    model, kinds
        As in :func:`convert`; the last step is left out.

    Raises
    ------
    CannotConvertError
        When a step has no conversion.
    """
    graph, packing, matrix = _start(model, kinds)
    return graph.finish(matrix, (None, None), _metadata(packing))


def _start(model: Any, kinds: Mapping[str, FeatureKind]) -> tuple[GraphBuilder, Packing, str]:
    """Return a graph of everything but the last step, what its input is, and the name of its result."""
    (_, encoding), *between, _ = model.steps
    if not hasattr(encoding, "transformers_"):
        raise CannotConvertError(f"preprocessing starts with {type(encoding).__name__}, not with a ColumnTransformer")
    packing = packing_for(encoding, kinds)
    graph = GraphBuilder(packing.n_columns)
    matrix = convert_columns(graph, encoding, kinds, packing)
    for _, step in between:
        matrix = convert_numbers(graph, step, matrix)
    return graph, packing, matrix


def _metadata(packing: Packing) -> dict[str, str]:
    return {PACKING: packing.to_json()}
