"""One fit and its scores, as a worker process computes them.

The training data goes to each worker once (:func:`install`); a job carries only an unfitted estimator.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml_project.errors import ModellingError

Folds = Sequence[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]


@dataclass(frozen=True)
class TrainingData:
    """What every fit of a search shares.

    Attributes
    ----------
    raw
        Raw data of the training rows.
    target
        Class codes or numbers of shape ``(n_rows,)``.
    folds
        Pairs of position arrays: rows to fit on, rows to score.
    metrics
        Scikit-learn's names of the scorers, the ranking one first.
    """

    raw: pd.DataFrame
    target: npt.NDArray[Any]
    folds: Folds
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class FoldResult:
    """The scores of one fold, or the reason why there are none."""

    scores: Mapping[str, float]
    fit_seconds: float
    failure: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class FinalFit:
    """A fit on all training rows and what it costs, or the reason why there is none."""

    estimator: Any | None
    fit_seconds: float
    predict_seconds_per_1000_rows: float
    size_bytes: int
    failure: str | None = None

    @classmethod
    def failed(cls, failure: str) -> Self:
        """Return what stands for a fit that there is none of, and why."""
        return cls(None, float("nan"), float("nan"), 0, failure)


_installed: list[TrainingData] = []


def install(data: TrainingData) -> None:
    """Keep the training data in this process for the jobs to come."""
    _installed[:] = [data]


def score_fold(estimator: Any, fold: int) -> FoldResult:
    """Fit an unfitted estimator on one fold's training rows and score it on the others.

    Whatever an estimator raises becomes the result's ``failure``: a candidate that fails must not stop the others.
    """
    started = time.perf_counter()
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            scores, fit_seconds = _fit_and_score(estimator, fold)
    except (Exception, SystemExit) as error:  # noqa: BLE001  see above
        return FoldResult({}, time.perf_counter() - started, failure=reason(error))
    ranking = next(iter(scores))
    failure = None if np.isfinite(scores[ranking]) else f"{ranking} is {scores[ranking]} on fold {fold}"
    return FoldResult(
        scores, fit_seconds, failure, tuple({f"{item.category.__name__}: {item.message}"[:200] for item in caught})
    )


def fit_finally(estimator: Any, keep_estimator: bool) -> FinalFit:
    """Fit an unfitted estimator on all training rows; measure its fit, its prediction and its size when exported."""
    from ml_project.artifacts.serving_model import serving_model
    from ml_project.artifacts.trust import dump_model

    data = _installed[0]
    try:
        started = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the search has noted them; where they count as errors, it went on too
            estimator.fit(data.raw, data.target)
            fitted = time.perf_counter()
            sample = data.raw.iloc[:1000]
            estimator.predict(sample)
            predict_seconds = (time.perf_counter() - fitted) * 1000 / len(sample)
            size = len(dump_model(serving_model(estimator)))
    except (Exception, SystemExit) as error:  # noqa: BLE001  a candidate that fails must not stop the others
        return FinalFit.failed(reason(error))
    return FinalFit(estimator if keep_estimator else None, fitted - started, predict_seconds, size)


def reason(error: BaseException) -> str:
    """Return an exception as one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"


def _fit_and_score(estimator: Any, fold: int) -> tuple[dict[str, float], float]:
    from sklearn.metrics import check_scoring

    data = _installed[0]
    fit_rows, score_rows = data.folds[fold]
    started = time.perf_counter()
    estimator.fit(data.raw.iloc[fit_rows], data.target[fit_rows])
    fit_seconds = time.perf_counter() - started
    if np.issubdtype(data.target.dtype, np.integer) and not hasattr(estimator, "predict_proba"):
        raise ModellingError(
            "the model has no predict_proba, but probabilities are part of every prediction; wrap it in scikit-learn's "
            "CalibratedClassifierCV"
        )
    score = check_scoring(estimator, scoring=list(data.metrics), raise_exc=True)
    scores = score(estimator, data.raw.iloc[score_rows], data.target[score_rows])
    return {name: float(scores[name]) for name in data.metrics}, fit_seconds
