"""Fitted ensembles of scikit-learn's trees as ONNX graphs: single trees, forests, bagging and classic boosting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.artifacts.onnx_graph import CannotConvertError, GraphBuilder
from ml_project.artifacts.onnx_outputs import both_classes, finish_scores, is_classifier, to_probabilities
from ml_project.artifacts.onnx_trees import Tree, add_trees
from ml_project.artifacts.tree_readers import see_columns, sklearn_tree


def convert_trees(graph: GraphBuilder, model: Any, matrix: str) -> str:
    """Return the output of a tree or forest: the mean of its trees."""
    members = list(getattr(model, "estimators_", [model]))
    return _mean(graph, model, matrix, [sklearn_tree(member, 1 / len(members)) for member in members])


def convert_bagging(graph: GraphBuilder, model: Any, matrix: str) -> str:
    """Return the output of bagged trees, each of which may see some columns only."""
    members = _only_trees(model)
    if is_classifier(model) and any(len(member.classes_) != len(model.classes_) for member in members):
        raise CannotConvertError("only bagged trees that have seen every class have a conversion")
    trees = [sklearn_tree(member, 1 / len(members)) for member in members]
    return _mean(graph, model, matrix, see_columns(trees, model.estimators_features_))


def convert_adaboost(graph: GraphBuilder, model: Any, matrix: str) -> str:
    """Return the output of AdaBoost: each tree votes for one class with its weight."""
    n_classes = len(model.classes_)
    shares = model.estimator_weights_ / model.estimator_weights_.sum()
    trees = [
        Tree.of_sklearn(member.tree_, _votes(member.tree_, n_classes) * share)
        for member, share in zip(_only_trees(model), shares, strict=False)
    ]
    n_targets = n_classes if n_classes > 2 else 1
    scores = add_trees(graph, matrix, trees, n_targets=n_targets, comparison="BRANCH_LEQ", single=True)
    return to_probabilities(graph, scores, n_classes)


def convert_gradient_boosting(graph: GraphBuilder, model: Any, matrix: str) -> str:
    """Return the output of scikit-learn's classic gradient boosting, of which only a constant start converts."""
    if type(model.init_).__name__ not in ("DummyClassifier", "DummyRegressor"):
        raise CannotConvertError("only gradient boosting that starts with a constant has a conversion")
    factor = 2.0 if model.loss == "exponential" else 1.0  # of the score in its logistic function
    start = np.ravel(model._raw_predict_init(np.zeros((1, model.n_features_in_), dtype=np.float32)))
    trees = [
        Tree.of_sklearn(member.tree_, member.tree_.value[:, 0, 0] * model.learning_rate * factor, target)
        for members in model.estimators_
        for target, member in enumerate(members)
    ]
    n_targets = model.estimators_.shape[1]
    total = add_trees(graph, matrix, trees, n_targets=n_targets, comparison="BRANCH_LEQ", single=True)
    return finish_scores(graph, model, graph.node("Add", total, graph.constant(start * factor)))


def _mean(graph: GraphBuilder, model: Any, matrix: str, trees: list[Tree]) -> str:
    """Return the sum of trees whose leaves are shares of probabilities or values."""
    n_classes = len(model.classes_) if is_classifier(model) else 0
    n_targets = n_classes if n_classes > 2 else 1
    total = add_trees(graph, matrix, trees, n_targets=n_targets, comparison="BRANCH_LEQ", single=True)
    if not n_classes:
        return total
    # A sum of shares can leave the range of probabilities by its last digit.
    probabilities = graph.node("Clip", total, graph.constant(0.0), graph.constant(1.0))
    return both_classes(graph, probabilities) if n_classes == 2 else probabilities


def _votes(tree: Any, n_classes: int) -> npt.NDArray[np.float64]:
    """Return the scores that the leaves of a tree give to classes; of two, to the second one."""
    chosen = tree.value[:, 0, :].argmax(axis=1)
    if n_classes == 2:
        return np.where(chosen == 1, 2.0, -2.0)
    return np.where(chosen[:, None] == np.arange(n_classes), 1.0, -1 / (n_classes - 1)) / (n_classes - 1)


def _only_trees(model: Any) -> Sequence[Any]:
    if not all(hasattr(member, "tree_") for member in model.estimators_):
        raise CannotConvertError(f"only {type(model).__name__} of trees has a conversion")
    members: Sequence[Any] = model.estimators_
    return members
