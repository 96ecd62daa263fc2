"""What models make of their scores, as nodes of an ONNX graph: probabilities and other links."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from ml_project.artifacts.onnx_graph import GraphBuilder

Link = Literal["identity", "exponential", "logistic"]


def is_classifier(model: Any) -> bool:
    """Return whether a fitted model has classes."""
    return len(getattr(model, "classes_", ())) > 0


def finish_scores(graph: GraphBuilder, model: Any, scores: str, link: Link = "identity") -> str:
    """Return probabilities of a classifier's scores, or the values of a regressor's.

    Parameters
    ----------
    graph, scores
        Graph to add to, and the scores in it, of which a binary classifier has one per row.
    model
        Fitted model.
    link
        What turns a regressor's score into a value.
    """
    if is_classifier(model):
        return to_probabilities(graph, scores, len(model.classes_))
    if link == "exponential":
        return graph.exponential(scores, 1)
    return logistic(graph, scores, 1) if link == "logistic" else scores


def logistic(graph: GraphBuilder, scores: str, n_columns: int) -> str:
    """Return ``1 / (1 + exp(-score))`` of each score."""
    return _logistic_of_negated(graph, graph.node("Neg", scores), n_columns)


def _logistic_of_negated(graph: GraphBuilder, negated: str, n_columns: int) -> str:
    one = graph.constant([1.0])
    return graph.node("Div", one, graph.node("Add", graph.exponential(negated, n_columns), one))


def to_probabilities(graph: GraphBuilder, scores: str, n_classes: int) -> str:
    """Return the probabilities of all classes: the logistic function of one score, or the softmax of several."""
    if n_classes == 2:
        return _logistic_of_negated(graph, graph.concatenate([scores, graph.node("Neg", scores)]), 2)
    highest = graph.node("ReduceMax", scores, graph.constant([1], np.int64), keepdims=1)
    powers = graph.exponential(graph.node("Sub", scores, highest), n_classes)
    return graph.node("Div", powers, sum_of_columns(graph, powers, n_classes))


def both_classes(graph: GraphBuilder, second: str) -> str:
    """Return the probabilities of two classes, of which the second one's are given."""
    return graph.concatenate([graph.node("Sub", graph.constant([1.0]), second), second])


def sum_of_columns(graph: GraphBuilder, matrix: str, n_columns: int) -> str:
    """Return the sums of rows, added one after another: else a sum would depend on how rows lie in memory."""
    total = graph.take_columns(matrix, [0])
    for position in range(1, n_columns):
        total = graph.node("Add", total, graph.take_columns(matrix, [position]))
    return total
