"""Preprocessing and model as one ONNX model, accepted only where it reproduces them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.artifacts.engines import NativeEngine, OnnxEngine
from ml_project.artifacts.onnx_graph import CannotConvertError, GraphBuilder
from ml_project.artifacts.onnx_models import convert_model
from ml_project.artifacts.onnx_preprocessing import convert_columns, convert_numbers, packing_for
from ml_project.artifacts.packing import PACKING
from ml_project.data.columns import MISSING_CATEGORY, Columns, FeatureKind

TOLERANCE = 1e-5
"""Largest difference accepted: of a probability, or of a value relative to its size or the mean size of values."""
N_EDGE_ROWS = 500

Floats = npt.NDArray[np.floating[Any]]


def convert(model: Any, kinds: Mapping[str, FeatureKind], n_classes: int | None) -> bytes:
    """Return preprocessing and model as an ONNX model.

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
    (_, encoding), *between, (_, last) = model.steps
    if not hasattr(encoding, "transformers_"):
        raise CannotConvertError(f"preprocessing starts with {type(encoding).__name__}, not with a ColumnTransformer")
    packing = packing_for(encoding, kinds)
    graph = GraphBuilder(packing.n_columns)
    matrix = convert_columns(graph, encoding, kinds, packing)
    for _, step in between:
        matrix = convert_numbers(graph, step, matrix)
    return graph.finish(convert_model(graph, last, matrix, n_classes), n_classes, {PACKING: packing.to_json()})


def compare(
    native: NativeEngine, onnx: OnnxEngine, engineered: Columns, *, classification: bool
) -> tuple[float, str | None]:
    """Return the largest difference of two engines, and why ONNX cannot stand in for the native one, if so.

    Parameters
    ----------
    native, onnx
        The engines.
    engineered
        Engineered columns of real rows; rows with missing, unseen, huge and in-between values are made of them.
    classification
        Whether the outputs are probabilities.
    """
    rows = {"of the holdout": engineered, "with unusual values": edge_rows(engineered, native.kinds)}
    largest = 0.0
    for origin, columns in rows.items():
        try:
            wanted = native.compute(columns)
        except ValueError as error:
            return largest, f"the model refuses rows {origin}, and ONNX would not: {str(error).splitlines()[0]}"
        difference, n_labels = _differences(wanted, onnx.compute(columns), classification=classification)
        largest = max(largest, difference)
        if n_labels:
            return largest, f"ONNX gives other labels for {n_labels} of {len(wanted)} rows {origin}"
        if not difference <= TOLERANCE:
            return largest, f"ONNX differs by up to {difference:.2g} on rows {origin}, more than {TOLERANCE:g}"
    return largest, None


def _differences(wanted: Floats, found: Floats, *, classification: bool) -> tuple[float, int]:
    """Return the largest difference and the number of different labels."""
    if wanted.shape != found.shape:
        return float("inf"), 0
    if len(wanted) == 0:
        return 0.0, 0
    absolute = np.abs(wanted - found)
    if not classification:
        size = np.maximum(np.abs(wanted), max(float(np.abs(wanted).mean()), np.finfo(np.float64).tiny))
        return float((absolute / size).max()), 0
    labels = [np.argmax(output.astype(np.float32), axis=1) for output in (wanted, found)]
    return float(absolute.max()), int((labels[0] != labels[1]).sum())


def edge_rows(engineered: Columns, kinds: Mapping[str, FeatureKind]) -> dict[str, npt.NDArray[Any]]:
    """Return rows made of real ones, in which each value may have become an unusual one.

    Unusual are missing and unseen values, the extremes and beyond, huge and tiny numbers, and the middle between two
    neighbouring numbers and its own neighbours, where trees split.
    """
    random = np.random.default_rng(0)
    n_rows = len(next(iter(engineered.values()))) if engineered else 0
    chosen = random.integers(0, n_rows, N_EDGE_ROWS) if n_rows else np.empty(0, dtype=np.intp)
    edges = {}
    for name, kind in kinds.items():
        values = np.asarray(engineered[name])[chosen]
        unusual = _unusual_numbers(engineered[name]) if kind == "number" else _unusual_texts(engineered[name])
        drawn = unusual[random.integers(0, len(unusual), len(values))]
        edges[name] = np.where(random.random(len(values)) < 0.3, drawn, values)
    return edges


def _unusual_numbers(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    known = np.unique(values[~np.isnan(values)])
    if len(known) == 0:
        known = np.zeros(1)
    middles = (known[1:] + known[:-1]) / 2
    low, high = known[0], known[-1]
    huge = 1e6 * max(1.0, abs(low), abs(high))
    others = np.array([np.nan, 0.0, 1e-30, -1e-30, low - 1, low, high, high + 1, huge, -huge])
    return np.concatenate(
        [middles, np.nextafter(middles, np.inf), np.nextafter(middles, -np.inf), np.repeat(others, 5)]
    )


def _unusual_texts(values: npt.NDArray[Any]) -> npt.NDArray[np.object_]:
    known = sorted({value for value in values.tolist() if value is not None})
    texts: list[str | None] = [None, MISSING_CATEGORY, "never seen before", " ", *known]
    return np.array(texts, dtype=object)
