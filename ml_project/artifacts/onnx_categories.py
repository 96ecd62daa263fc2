"""Fitted encoders of categories as tables in an ONNX graph.

The encoder is asked once for the result of every category that is known, of a missing and of an unseen one, and the
graph looks them up by their codes. So any encoder converts that treats its columns apart, whatever it does to them.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.artifacts.onnx_graph import CannotConvertError, GraphBuilder
from ml_project.data.columns import MISSING_CATEGORY

_UNSEEN = "\ufffd never seen"


def known_categories(part: Any, n_columns: int) -> list[list[str]]:
    """Return the texts that an encoder knows, by column, and the missing one.

    Parameters
    ----------
    part
        Fitted encoder, or a fitted pipeline with one.
    n_columns
        Number of columns that it encodes.

    Raises
    ------
    CannotConvertError
        When the categories are not known.
    """
    steps = [step for _, step in part.steps] if type(part).__name__ == "Pipeline" else [part]
    encoders = [step for step in steps if hasattr(step, "categories_")]
    if len(encoders) != 1 or len(encoders[0].categories_) != n_columns:
        raise CannotConvertError(f"{type(part).__name__} of categories has no encoder with known categories")
    texts = [[value for value in values if isinstance(value, str)] for values in encoders[0].categories_]
    return [list(dict.fromkeys([*values, MISSING_CATEGORY])) for values in texts]


def convert_categories(
    graph: GraphBuilder, part: Any, codes: Mapping[str, str], known: Mapping[str, Sequence[str]]
) -> str:
    """Return the looked-up results of an encoder, one table per column.

    Parameters
    ----------
    graph
        Graph to add to.
    part
        Fitted encoder, or a fitted pipeline with one.
    codes
        Codes in the graph, of shape ``(n_rows, 1)``, by engineered column that it encodes.
    known
        Texts by engineered column, in the order of their codes; the next code is that of unseen ones.

    Raises
    ------
    CannotConvertError
        When results depend on several columns.
    """
    tables = _tabulate(part, list(codes), known)
    varying = [np.flatnonzero((table != table[-1]).any(axis=0)) for table in tables]
    n_outputs = tables[0].shape[1]
    constant = np.setdiff1d(np.arange(n_outputs), np.concatenate(varying))
    varying[0] = np.concatenate([varying[0], constant])
    places = np.concatenate(varying)
    if len(np.unique(places)) != len(places):
        raise CannotConvertError("an encoder combines several columns")
    blocks = [
        graph.node("Gather", graph.constant(table[:, outputs]), code, axis=0)
        for code, table, outputs in zip(codes.values(), tables, varying, strict=True)
        if len(outputs)
    ]
    joined = blocks[0] if len(blocks) == 1 else graph.node("Concat", *blocks, axis=2)
    flat = graph.node("Reshape", joined, graph.constant([-1, n_outputs], np.int64))
    return graph.put_in_order(flat, places)


def _tabulate(part: Any, names: Sequence[str], known: Mapping[str, Sequence[str]]) -> list[npt.NDArray[np.float64]]:
    """Return, by column, the results for each known category and, in the last row, for an unseen one."""
    import pandas as pd

    unseen = dict.fromkeys(names, _UNSEEN)
    tables = []
    for name in names:
        frame = pd.DataFrame([{**unseen, name: value} for value in [*known[name], _UNSEEN]], columns=list(names))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # encoders warn of the unseen category that is asked for
            result = part.transform(frame.astype(object))
        dense = result.toarray() if hasattr(result, "toarray") else result
        tables.append(np.asarray(dense, dtype=np.float64))
    return tables
