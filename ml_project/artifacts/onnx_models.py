"""Fitted models as ONNX graphs, from preprocessed columns to probabilities or values."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from ml_project.artifacts.onnx_graph import CannotConvertError, GraphBuilder
from ml_project.artifacts.onnx_trees import add_trees
from ml_project.artifacts.tree_readers import (
    catboost_trees,
    histogram_trees,
    lightgbm_trees,
    sklearn_tree,
    xgboost_trees,
)


def convert_model(graph: GraphBuilder, model: Any, matrix: str, n_classes: int | None) -> str:
    """Return the output of a fitted model: probabilities of shape ``(n_rows, n_classes)``, or values ``(n_rows,)``.

    Parameters
    ----------
    graph, matrix
        Graph to add to, and the preprocessed columns in it.
    model
        Fitted classifier or regressor.
    n_classes
        Number of classes, ``None`` in a regression.

    Raises
    ------
    CannotConvertError
        When there is no conversion for it.
    """
    package = type(model).__module__.split(".")[0]
    name = f"{package}.{type(model).__name__}"
    if name not in _CONVERSIONS:
        raise CannotConvertError(f"there is no conversion of {name}")
    output = _CONVERSIONS[name](graph, model, matrix)
    return graph.node("Reshape", output, graph.constant([-1], np.int64)) if n_classes is None else output


def _dummy(graph: GraphBuilder, model: Any, matrix: str) -> str:
    if hasattr(model, "classes_") and model.strategy not in ("prior", "most_frequent"):
        raise CannotConvertError(f"there is no conversion of DummyClassifier(strategy={model.strategy!r})")
    if hasattr(model, "classes_"):
        prior = np.asarray(model.class_prior_)
        row = prior if model.strategy == "prior" else np.eye(len(prior))[prior.argmax()]
    else:
        row = np.ravel(model.constant_)
    n_rows = graph.node("Slice", graph.node("Shape", matrix), *(graph.constant([place], np.int64) for place in (0, 1)))
    shape = graph.node("Concat", n_rows, graph.constant([len(row)], np.int64), axis=0)
    return graph.node("Expand", graph.constant(row.reshape(1, -1)), shape)


def _linear(graph: GraphBuilder, model: Any, matrix: str) -> str:
    coefficients = np.atleast_2d(model.coef_)
    product = graph.node("MatMul", matrix, graph.constant(coefficients.T))
    scores = graph.node("Add", product, graph.constant(np.atleast_1d(model.intercept_)))
    if not _is_classifier(model):
        return scores
    if getattr(model, "solver", "") == "liblinear" and len(model.classes_) > 2:
        raise CannotConvertError("there is no conversion of LogisticRegression(solver='liblinear') of several classes")
    return _to_probabilities(graph, scores, len(model.classes_))


def _sklearn_trees(graph: GraphBuilder, model: Any, matrix: str) -> str:
    members = list(getattr(model, "estimators_", [model]))
    trees = [sklearn_tree(member, 1 / len(members)) for member in members]
    n_classes = len(model.classes_) if hasattr(model, "classes_") else 0
    n_targets = n_classes if n_classes > 2 else 1
    total = add_trees(graph, matrix, trees, n_targets=n_targets, comparison="BRANCH_LEQ", single=True)
    if n_classes != 2:
        return total
    return graph.concatenate([graph.node("Sub", graph.constant([1.0]), total), total])


def _histogram_boosting(graph: GraphBuilder, model: Any, matrix: str) -> str:
    if model.loss not in ("log_loss", "squared_error"):
        raise CannotConvertError(f"there is no conversion of the loss {model.loss!r}")
    base = np.ravel(model._baseline_prediction)
    total = add_trees(graph, matrix, histogram_trees(model), n_targets=len(base), comparison="BRANCH_LEQ", single=False)
    return _finish_boosting(graph, model, graph.node("Add", total, graph.constant(base)))


def _xgboost(graph: GraphBuilder, model: Any, matrix: str) -> str:
    document = json.loads(model.get_booster().save_raw("json"))
    objective = document["learner"]["objective"]["name"]
    if document["learner"]["gradient_booster"]["name"] != "gbtree":
        raise CannotConvertError("only XGBoost's gbtree booster has a conversion")
    if objective not in ("binary:logistic", "multi:softprob", "reg:squarederror"):
        raise CannotConvertError(f"there is no conversion of the objective {objective!r}")
    base = np.atleast_1d(json.loads(document["learner"]["learner_model_param"]["base_score"])).astype(np.float64)
    if objective == "binary:logistic":
        base = np.log(base / (1 - base))
    n_targets = len(model.classes_) if objective == "multi:softprob" else 1
    trees = xgboost_trees(document)
    total = add_trees(graph, matrix, trees, n_targets=n_targets, comparison="BRANCH_LT", single=True)
    return _finish_boosting(graph, model, graph.node("Add", total, graph.constant(base)))


def _lightgbm(graph: GraphBuilder, model: Any, matrix: str) -> str:
    document = model.booster_.dump_model()
    objective = document.get("objective", "")
    if objective.split(" ")[0] not in ("binary", "multiclass", "regression") or document["average_output"]:
        raise CannotConvertError(f"there is no conversion of the objective {objective!r}")
    trees, n_targets = lightgbm_trees(document), document["num_tree_per_iteration"]
    total = add_trees(graph, matrix, trees, n_targets=n_targets, comparison="BRANCH_LEQ", single=False)
    return _finish_boosting(graph, model, total)


def _catboost(graph: GraphBuilder, model: Any, matrix: str) -> str:
    loss = model.get_all_params()["loss_function"]
    if loss not in ("Logloss", "MultiClass", "RMSE"):
        raise CannotConvertError(f"there is no conversion of the loss {loss!r}")
    trees, bias = catboost_trees(model)
    n_targets = len(bias)
    total = add_trees(graph, matrix, trees, n_targets=n_targets, comparison="BRANCH_GT", single=True)
    return _finish_boosting(graph, model, graph.node("Add", total, graph.constant(bias)))


def _finish_boosting(graph: GraphBuilder, model: Any, scores: str) -> str:
    return _to_probabilities(graph, scores, len(model.classes_)) if _is_classifier(model) else scores


def _is_classifier(model: Any) -> bool:
    return len(getattr(model, "classes_", ())) > 0


def _to_probabilities(graph: GraphBuilder, scores: str, n_classes: int) -> str:
    """Return probabilities of raw scores, of which a binary model has one per row."""
    one = graph.constant([1.0])
    if n_classes == 2:
        both = graph.concatenate([scores, graph.node("Neg", scores)])
        return graph.node("Div", one, graph.node("Add", graph.exponential(both, 2), one))
    highest = graph.node("ReduceMax", scores, graph.constant([1], np.int64), keepdims=1)
    powers = graph.exponential(graph.node("Sub", scores, highest), n_classes)
    total = graph.take_columns(powers, [0])
    for position in range(1, n_classes):  # one after another, because a sum of a row depends on how rows lie in memory
        total = graph.node("Add", total, graph.take_columns(powers, [position]))
    return graph.node("Div", powers, total)


_CONVERSIONS: dict[str, Callable[[GraphBuilder, Any, str], str]] = {
    "sklearn.DummyClassifier": _dummy,
    "sklearn.DummyRegressor": _dummy,
    "sklearn.LogisticRegression": _linear,
    "sklearn.LinearRegression": _linear,
    "sklearn.Ridge": _linear,
    "sklearn.Lasso": _linear,
    "sklearn.ElasticNet": _linear,
    "sklearn.DecisionTreeClassifier": _sklearn_trees,
    "sklearn.DecisionTreeRegressor": _sklearn_trees,
    "sklearn.RandomForestClassifier": _sklearn_trees,
    "sklearn.RandomForestRegressor": _sklearn_trees,
    "sklearn.ExtraTreesClassifier": _sklearn_trees,
    "sklearn.ExtraTreesRegressor": _sklearn_trees,
    "sklearn.HistGradientBoostingClassifier": _histogram_boosting,
    "sklearn.HistGradientBoostingRegressor": _histogram_boosting,
    "xgboost.XGBClassifier": _xgboost,
    "xgboost.XGBRegressor": _xgboost,
    "lightgbm.LGBMClassifier": _lightgbm,
    "lightgbm.LGBMRegressor": _lightgbm,
    "catboost.CatBoostClassifier": _catboost,
    "catboost.CatBoostRegressor": _catboost,
}
