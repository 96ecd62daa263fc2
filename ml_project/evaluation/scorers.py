"""Which metric ranks candidates, whether it fits the task, and in which direction it is better."""

from __future__ import annotations

import warnings
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ml_project.config import Task
from ml_project.errors import ConfigError
from ml_project.suggestions import suggest

DEFAULT_METRICS: dict[Task, str] = {
    "binary": "roc_auc",
    "multiclass": "neg_log_loss",
    "regression": "neg_root_mean_squared_error",
}
LOSSES = frozenset({"log_loss", "brier", "rmse", "mae", "median_ae", "mape", "max_error"})
"""Metrics of :mod:`ml_project.evaluation.metrics` of which less is better."""

_REGRESSION = frozenset({"r2", "explained_variance", "d2_absolute_error_score"})
_REGRESSION_WORDS = ("_error", "_deviance")
_CLUSTERING = frozenset(
    {
        "adjusted_mutual_info_score",
        "adjusted_rand_score",
        "completeness_score",
        "fowlkes_mallows_score",
        "homogeneity_score",
        "mutual_info_score",
        "normalized_mutual_info_score",
        "rand_score",
        "v_measure_score",
    }
)
_BINARY_ONLY = frozenset(
    {"f1", "jaccard", "precision", "recall", "roc_auc", "positive_likelihood_ratio", "neg_negative_likelihood_ratio"}
)


class Scorer(Protocol):
    """What scikit-learn's ``get_scorer`` returns: a score of which more is always better."""

    def __call__(self, estimator: Any, X: Any, y_true: Any, /) -> float:
        """Return the score of a fitted estimator."""
        ...


def default_metric(task: Task) -> str:
    """Return the scorer that ranks candidates where the config names none.

    Examples
    --------
    >>> default_metric("binary")
    'roc_auc'
    """
    return DEFAULT_METRICS[task]


def score_names(task: Task) -> tuple[str, ...]:
    """Return the names of all scikit-learn scorers that fit a task, sorted."""
    from sklearn.metrics import get_scorer_names

    return tuple(name for name in get_scorer_names() if _unfit_reason(name, task) is None)


def resolve_scorer(name: str, task: Task) -> Scorer:
    """Return the scikit-learn scorer of a name, for targets coded as ``0..k-1`` or as numbers.

    Raises
    ------
    ConfigError
        When no scorer has the name, or the scorer does not fit the task.

    Examples
    --------
    >>> callable(resolve_scorer("f1", "binary"))
    True
    """
    from sklearn.metrics import get_scorer, get_scorer_names

    if name not in get_scorer_names():
        hint = suggest(name, score_names(task))
        raise ConfigError(f"modelling.metric or further_metrics: no scorer is named {name!r}{hint}")
    reason = _unfit_reason(name, task)
    if reason is not None:
        choices = ", ".join(score_names(task))
        raise ConfigError(
            f"modelling.metric or further_metrics: {name!r} {reason}, so it does not fit a {task} task; by default "
            f"{default_metric(task)!r}, possible are {choices}"
        )
    scorer: Scorer = get_scorer(name)
    return scorer


def score_outputs(scorer: Scorer, task: Task, y_true: npt.NDArray[Any], outputs: npt.NDArray[Any]) -> float:
    """Return what a scorer gives for outputs that are already computed.

    Parameters
    ----------
    scorer
        As :func:`resolve_scorer` returns it.
    task
        Kind of target.
    y_true
        Codes ``0..k-1`` or numbers of shape ``(n_rows,)``.
    outputs
        Probabilities of shape ``(n_rows, n_classes)``, or values of shape ``(n_rows,)``.

    Returns
    -------
    float
        The score, more being better; NaN where these rows do not define it.
    """
    from ml_project.evaluation.given_outputs import GivenProbabilities, GivenValues

    values = np.asarray(outputs, dtype=np.float64)
    given = GivenValues() if task == "regression" else GivenProbabilities(values.shape[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns where a metric is undefined; NaN says it here
        try:
            return float(scorer(given, values, y_true))
        except ValueError:  # scikit-learn's answer to rows that lack a class
            return float("nan")


def greater_is_better(name: str) -> bool:
    """Return whether more is better of the number that carries this name.

    A score named ``neg_log_loss`` is better when greater, the ``log_loss`` that is displayed for it when smaller.

    Examples
    --------
    >>> greater_is_better("neg_log_loss"), greater_is_better("log_loss"), greater_is_better("roc_auc")
    (True, False, True)
    """
    from sklearn.metrics import get_scorer_names

    return name not in LOSSES and f"neg_{name}" not in get_scorer_names()


def display_value(name: str, score: float) -> tuple[str, float]:
    """Return name and value as people read them, without scikit-learn's sign for losses.

    Examples
    --------
    >>> display_value("neg_root_mean_squared_error", -0.3)
    ('root_mean_squared_error', 0.3)
    """
    return (name.removeprefix("neg_"), -score) if name.startswith("neg_") else (name, score)


def _unfit_reason(name: str, task: Task) -> str | None:
    for_regression = name in _REGRESSION or any(word in name for word in _REGRESSION_WORDS)
    if name in _CLUSTERING:
        return "compares clusterings"
    if name.endswith("_samples"):
        return "is for rows with several labels"
    if for_regression != (task == "regression"):
        return "measures numbers" if for_regression else "measures classes"
    if task == "multiclass" and name in _BINARY_ONLY:
        return "is for two classes"
    if task == "binary" and name == "top_k_accuracy":
        return "is always 1 for two classes"
    return None
