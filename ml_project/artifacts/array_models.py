"""Fitted models asked by the shortest way: a preprocessed array in, without frames and without threads.

A prediction of one row by scikit-learn's interfaces costs far more in checks and in handing tasks to threads than in
arithmetic. Here boosters are asked directly, forests add up their trees in a loop, calibrated classifiers apply
their sigmoid, and Gaussian processes solve a triangular system as one.
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
        Fitted model; it is not changed. Forests and others in it are asked the short way too.
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
    if name == "_CalibratedClassifier" and part.method == "sigmoid":
        return _calibrate_without_checks
    if name == "_BinaryGaussianProcessClassifierLaplace" and hasattr(part, "L_"):
        return _solve_triangular
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
    """Let one fold of a calibrated classifier apply its sigmoids to the scores at once."""
    from scipy.special import expit  # type: ignore[import-untyped]  # scipy ships no types

    estimator, n_classes = calibrated.estimator, len(calibrated.classes)
    slopes = np.array([sigmoid.a_ for sigmoid in calibrated.calibrators])
    starts = np.array([sigmoid.b_ for sigmoid in calibrated.calibrators])
    method = "decision_function" if hasattr(estimator, "decision_function") else "predict_proba"

    def predict_proba(rows: Any) -> Floats:
        scores: Floats = getattr(estimator, method)(rows)  # looked up now, because it may have been shortened too
        if n_classes == 2:
            second = scores if scores.ndim == 1 else scores[:, 1]
            return _with_both_classes(expit(-(slopes[0] * second + starts[0])))
        apart = expit(-(slopes * scores + starts))
        total = apart.sum(axis=1, keepdims=True)
        probabilities: Floats = np.divide(apart, total, out=np.full_like(apart, 1 / n_classes), where=total != 0)
        return probabilities

    calibrated.predict_proba = predict_proba


def _solve_triangular(process: Any) -> None:
    """Let a Gaussian process of two classes use that its factor is triangular, and not take it for any matrix."""
    from scipy.linalg import solve_triangular  # type: ignore[import-untyped]  # scipy ships no types

    kernel, known, factor, roots = process.kernel_, process.X_train_, process.L_, process.W_sr_[:, np.newaxis]
    weights = process.y_train_ - process.pi_

    def latent_mean_and_variance(rows: Floats) -> tuple[Floats, Floats]:
        similarities = kernel(known, rows)
        solved = solve_triangular(factor, roots * similarities, lower=True, check_finite=False)
        return similarities.T.dot(weights), kernel.diag(rows) - np.einsum("ij,ij->j", solved, solved)

    process.latent_mean_and_variance = latent_mean_and_variance
