"""Fitted boosters of XGBoost, LightGBM, CatBoost and scikit-learn as ONNX graphs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from ml_project.artifacts.onnx_graph import CannotConvertError, GraphBuilder
from ml_project.artifacts.onnx_outputs import Link, finish_scores, logistic
from ml_project.artifacts.onnx_trees import Tree, add_trees
from ml_project.artifacts.tree_readers import catboost_trees, histogram_trees, lightgbm_trees, xgboost_trees

_XGBOOST: Mapping[str, Link] = {
    "binary:logistic": "logistic", "multi:softprob": "identity", "reg:logistic": "logistic",
    "reg:squarederror": "identity", "reg:absoluteerror": "identity", "reg:pseudohubererror": "identity",
    "reg:quantileerror": "identity", "count:poisson": "exponential", "reg:gamma": "exponential",
    "reg:tweedie": "exponential",
}  # fmt: skip
_LIGHTGBM: Mapping[str, Link] = {
    "binary": "logistic", "multiclass": "identity", "multiclassova": "logistic", "cross_entropy": "logistic",
    "regression": "identity", "regression_l1": "identity", "huber": "identity", "fair": "identity",
    "quantile": "identity", "mape": "identity", "poisson": "exponential", "gamma": "exponential",
    "tweedie": "exponential",
}  # fmt: skip
_CATBOOST: Mapping[str, Link] = {
    "Logloss": "logistic", "CrossEntropy": "logistic", "MultiClass": "identity", "MultiClassOneVsAll": "logistic",
    "RMSE": "identity", "MAE": "identity", "Quantile": "identity", "Huber": "identity", "Expectile": "identity",
    "MAPE": "identity", "Lq": "identity", "Poisson": "exponential", "Tweedie": "exponential",
}  # fmt: skip
_HISTOGRAM: Mapping[str, Link] = {
    "log_loss": "identity", "squared_error": "identity", "absolute_error": "identity", "quantile": "identity",
    "poisson": "exponential", "gamma": "exponential",
}  # fmt: skip


def convert_histogram_boosting(graph: GraphBuilder, model: Any, matrix: str) -> str:
    """Return the output of scikit-learn's histogram boosting."""
    link = _link(_HISTOGRAM, model.loss, "loss")
    base = np.ravel(model._baseline_prediction)
    total = add_trees(graph, matrix, histogram_trees(model), n_targets=len(base), comparison="BRANCH_LEQ", single=False)
    return finish_scores(graph, model, graph.node("Add", total, graph.constant(base)), link)


def convert_xgboost(graph: GraphBuilder, model: Any, matrix: str) -> str:
    """Return the output of an XGBoost model."""
    document = json.loads(model.get_booster().save_raw("json"))
    objective = document["learner"]["objective"]["name"]
    if document["learner"]["gradient_booster"]["name"] != "gbtree":
        raise CannotConvertError("only XGBoost's gbtree booster has a conversion")
    link = _link(_XGBOOST, objective, "objective")
    base = np.atleast_1d(json.loads(document["learner"]["learner_model_param"]["base_score"])).astype(np.float64)
    if link != "identity":
        base = np.log(base / (1 - base)) if link == "logistic" else np.log(base)
    n_targets = len(model.classes_) if objective == "multi:softprob" else 1
    trees = _up_to_best(xgboost_trees(document), model, n_targets)
    total = add_trees(graph, matrix, trees, n_targets=n_targets, comparison="BRANCH_LT", single=True)
    return finish_scores(graph, model, graph.node("Add", total, graph.constant(base)), link)


def _up_to_best(trees: list[Tree], model: Any, n_targets: int) -> list[Tree]:
    """Return the trees that count where the fit was stopped early."""
    best = model.get_booster().attributes().get("best_iteration")
    per_round = n_targets * (model.num_parallel_tree or 1)
    return trees if best is None else trees[: (int(best) + 1) * per_round]


def convert_lightgbm(graph: GraphBuilder, model: Any, matrix: str) -> str:
    """Return the output of a LightGBM model."""
    document = model.booster_.dump_model()
    objective = document.get("objective", "").split(" ")[0]
    link = _link(_LIGHTGBM, objective, "objective")
    trees, n_targets = lightgbm_trees(document), document["num_tree_per_iteration"]
    scores = add_trees(graph, matrix, trees, n_targets=n_targets, comparison="BRANCH_LEQ", single=False)
    if document["average_output"]:
        scores = graph.node("Div", scores, graph.constant([len(trees) / n_targets]))
    if objective == "multiclassova":
        return logistic(graph, scores, n_targets)
    return finish_scores(graph, model, scores, link)


def convert_catboost(graph: GraphBuilder, model: Any, matrix: str) -> str:
    """Return the output of a CatBoost model."""
    loss = model.get_all_params()["loss_function"].split(":")[0]
    link = _link(_CATBOOST, loss, "loss")
    trees, bias = catboost_trees(model)
    n_targets = len(bias)
    total = add_trees(graph, matrix, trees, n_targets=n_targets, comparison="BRANCH_GT", single=True)
    scores = graph.node("Add", total, graph.constant(bias))
    return (
        logistic(graph, scores, n_targets)
        if loss == "MultiClassOneVsAll"
        else finish_scores(graph, model, scores, link)
    )


def _link(known: Mapping[str, Link], name: str, what: str) -> Link:
    if name not in known:
        raise CannotConvertError(f"there is no conversion of the {what} {name!r}")
    return known[name]
