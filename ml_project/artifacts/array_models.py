"""Fitted models asked by the shortest way: a preprocessed array in, without frames and without threads.

A prediction of one row by scikit-learn's interfaces costs far more in checks and in handing tasks to threads than in
arithmetic. Here boosters are asked directly, forests add up their trees in a loop, and calibrated classifiers apply
their sigmoid.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Predict = Callable[[Floats], Any]

_FORESTS = frozenset({"RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor"})


def array_predictor(model: Any, *, classification: bool) -> Predict:
    """Return a function from preprocessed arrays to the output of a fitted model.

    Parameters
    ----------
    model
        Fitted model; it is not changed. Forests and calibrated classifiers in it are asked the short way too.
    classification
        Whether probabilities of shape ``(n_rows, n_classes)`` are wanted, else values of shape ``(n_rows,)``.
    """
    package = type(model).__module__.split(".")[0]
    if package in _BOOSTERS and getattr(model, "booster", None) != "gblinear":
        return _BOOSTERS[package](model, classification)
    if any(_shortcut(part) for part in _parts_of(model)):
        model = copy.deepcopy(model)
        for part in list(_parts_of(model)):
            if shorten := _shortcut(part):
                shorten(part)
    predict: Predict = model.predict_proba if classification else model.predict
    return predict


def _xgboost(model: Any, classification: bool) -> Predict:
    booster = model.get_booster()
    stopped_early = "best_iteration" in booster.attributes()
    rounds = (0, int(booster.attributes()["best_iteration"]) + 1) if stopped_early else (0, 0)
    missing = model.missing

    def predict(rows: Floats) -> Any:
        outputs = booster.inplace_predict(rows, iteration_range=rounds, missing=missing)
        return _with_both_classes(outputs) if classification else outputs

    return predict


def _lightgbm(model: Any, classification: bool) -> Predict:
    # One thread: waking others takes longer than a row.
    outputs_of = partial(model.booster_.predict, num_threads=1)
    return (lambda rows: _with_both_classes(outputs_of(rows))) if classification else outputs_of


def _catboost(model: Any, classification: bool) -> Predict:
    return partial(model.predict_proba if classification else model.predict, thread_count=1)


_BOOSTERS: dict[str, Callable[[Any, bool], Predict]] = {
    "xgboost": _xgboost,
    "lightgbm": _lightgbm,
    "catboost": _catboost,
}


def _with_both_classes(outputs: Floats) -> Floats:
    """Return probabilities of all classes, of which a booster of two classes gives those of the second one."""
    return outputs if outputs.ndim == 2 else np.stack([1.0 - outputs, outputs], axis=1)


def _parts_of(model: Any) -> Iterator[Any]:
    """Yield a model of scikit-learn and the fitted objects of scikit-learn that it consists of."""
    waiting, seen = [model], set()
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, dict):
            waiting.extend(part.values())
        elif isinstance(part, (list, tuple)):
            waiting.extend(part)
        elif isinstance(part, np.ndarray):
            waiting.extend(part.ravel().tolist() if part.dtype == object else ())
        elif type(part).__module__.startswith("sklearn."):
            yield part
            waiting.extend(getattr(part, "__dict__", {}).values())


def _shortcut(part: Any) -> Callable[[Any], None] | None:
    """Return what shortens the way of a fitted object to its prediction, where there is something."""
    name = type(part).__name__
    if name in _FORESTS and hasattr(part, "estimators_") and part.n_outputs_ == 1:
        return _predict_without_joblib
    if name == "_CalibratedClassifier" and part.method == "sigmoid" and len(part.classes) == 2:
        return _calibrate_without_checks
    return None


def _predict_without_joblib(forest: Any) -> None:
    """Let a forest of scikit-learn add up its trees as it does itself, in the same order, in a plain loop."""
    trees = [member.tree_.predict for member in forest.estimators_]
    check = forest._validate_X_predict

    # scikit-learn tells what a function returns by its name, so they are named as the methods that they replace.
    def predict_proba(rows: Any) -> Floats:
        checked = check(rows)
        total: Floats = trees[0](checked)
        for tree in trees[1:]:
            total += tree(checked)
        total /= len(trees)
        return total

    def predict(rows: Any) -> Floats:
        return predict_proba(rows)[:, 0]

    if hasattr(forest, "classes_"):
        forest.predict_proba = predict_proba
    else:
        forest.predict = predict


def _calibrate_without_checks(calibrated: Any) -> None:
    """Let one fold of a calibrated classifier of two classes apply its sigmoid to the scores at once."""
    from scipy.special import expit  # type: ignore[import-untyped]  # scipy ships no types

    estimator, (sigmoid,) = calibrated.estimator, calibrated.calibrators

    def predict_proba(rows: Any) -> Floats:
        if hasattr(estimator, "decision_function"):
            scores = estimator.decision_function(rows)
        else:
            scores = estimator.predict_proba(rows)[:, 1]
        return _with_both_classes(expit(-(sigmoid.a_ * scores + sigmoid.b_)))

    calibrated.predict_proba = predict_proba
