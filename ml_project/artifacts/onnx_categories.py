"""Fitted encoders of categories as tables in an ONNX graph.

The encoder is asked once for the result of every category that it knows, of a missing and of an unseen one, and the
graph looks them up. So any encoder converts that treats its columns apart, whatever it does to them.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.artifacts.onnx_graph import CannotConvertError, GraphBuilder
from ml_project.data.columns import MISSING_CATEGORY

_UNSEEN = "\ufffd never seen"


def convert_categories(graph: GraphBuilder, part: Any, names: Sequence[str]) -> str:
    """Return the looked-up results of an encoder, one table per column.

    Parameters
    ----------
    graph
        Graph to add to.
    part
        Fitted encoder, or a fitted pipeline with one.
    names
        The engineered columns that it encodes.

    Raises
    ------
    CannotConvertError
        When the categories are not known, or results depend on several columns.
    """
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
    encoders = [step for step in steps if hasattr(step, "categories_")]
    if len(encoders) != 1 or len(encoders[0].categories_) != n_columns:
        raise CannotConvertError(f"{type(part).__name__} of categories has no encoder with known categories")
    texts = [[value for value in values if isinstance(value, str)] for values in encoders[0].categories_]
    return [list(dict.fromkeys([*values, MISSING_CATEGORY])) for values in texts]


def _tabulate(part: Any, names: Sequence[str], known: Sequence[Sequence[str]]) -> list[npt.NDArray[np.float64]]:
    """Return, by column, the results for each known category and, in the last row, for an unseen one."""
    import pandas as pd

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
