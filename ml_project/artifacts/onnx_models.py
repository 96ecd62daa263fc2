"""Fitted models as ONNX graphs, from preprocessed columns to probabilities or values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ml_project.artifacts.onnx_boosters import (
    convert_catboost,
    convert_histogram_boosting,
    convert_lightgbm,
    convert_xgboost,
)
from ml_project.artifacts.onnx_forests import (
    convert_adaboost,
    convert_bagging,
    convert_gradient_boosting,
    convert_trees,
)
from ml_project.artifacts.onnx_graph import CannotConvertError, GraphBuilder
from ml_project.artifacts.onnx_outputs import finish_scores


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
    if getattr(model, "solver", "") == "liblinear" and len(model.classes_) > 2:
        raise CannotConvertError("there is no conversion of LogisticRegression(solver='liblinear') of several classes")
    return finish_scores(graph, model, _scores(graph, model, matrix))


def _stochastic(graph: GraphBuilder, model: Any, matrix: str) -> str:
    if model.loss != "log_loss" or len(model.classes_) > 2:
        raise CannotConvertError("only SGDClassifier(loss='log_loss') of two classes has a conversion")
    return finish_scores(graph, model, _scores(graph, model, matrix))


def _exponential(graph: GraphBuilder, model: Any, matrix: str) -> str:
    return finish_scores(graph, model, _scores(graph, model, matrix), "exponential")


def _scores(graph: GraphBuilder, model: Any, matrix: str) -> str:
    product = graph.node("MatMul", matrix, graph.constant(np.atleast_2d(model.coef_).T))
    return graph.node("Add", product, graph.constant(np.atleast_1d(model.intercept_)))


_CONVERSIONS: dict[str, Callable[[GraphBuilder, Any, str], str]] = {
    "sklearn.DummyClassifier": _dummy,
    "sklearn.DummyRegressor": _dummy,
    **dict.fromkeys(
        (
            "sklearn.LogisticRegression", "sklearn.LogisticRegressionCV", "sklearn.LinearDiscriminantAnalysis",
            "sklearn.LinearRegression", "sklearn.Ridge", "sklearn.RidgeCV", "sklearn.Lasso", "sklearn.LassoCV",
            "sklearn.ElasticNet", "sklearn.ElasticNetCV", "sklearn.BayesianRidge", "sklearn.ARDRegression",
            "sklearn.HuberRegressor", "sklearn.QuantileRegressor", "sklearn.SGDRegressor", "sklearn.LinearSVR",
        ),
        _linear,
    ),
    "sklearn.SGDClassifier": _stochastic,
    "sklearn.PoissonRegressor": _exponential,
    "sklearn.GammaRegressor": _exponential,
    **dict.fromkeys(
        (
            "sklearn.DecisionTreeClassifier", "sklearn.DecisionTreeRegressor", "sklearn.ExtraTreeClassifier",
            "sklearn.ExtraTreeRegressor", "sklearn.RandomForestClassifier", "sklearn.RandomForestRegressor",
            "sklearn.ExtraTreesClassifier", "sklearn.ExtraTreesRegressor",
        ),
        convert_trees,
    ),
    "sklearn.BaggingClassifier": convert_bagging,
    "sklearn.BaggingRegressor": convert_bagging,
    "sklearn.AdaBoostClassifier": convert_adaboost,
    "sklearn.GradientBoostingClassifier": convert_gradient_boosting,
    "sklearn.GradientBoostingRegressor": convert_gradient_boosting,
    "sklearn.HistGradientBoostingClassifier": convert_histogram_boosting,
    "sklearn.HistGradientBoostingRegressor": convert_histogram_boosting,
    "xgboost.XGBClassifier": convert_xgboost,
    "xgboost.XGBRegressor": convert_xgboost,
    "lightgbm.LGBMClassifier": convert_lightgbm,
    "lightgbm.LGBMRegressor": convert_lightgbm,
    "catboost.CatBoostClassifier": convert_catboost,
    "catboost.CatBoostRegressor": convert_catboost,
}  # fmt: skip
