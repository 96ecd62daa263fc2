"""Outliers leave the training rows, with their targets; prediction never drops a row."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_LEAST_SHARE_OF_VARIANCE = 1e-10


def drop_outliers(
    X: Array,
    y: Any,
    *,
    method: Literal["isolation_forest", "elliptic_envelope"],
    contamination: float,
    classification: bool,
    seed: int,
) -> tuple[Array, Array]:
    """Return the rows that are no outliers, and their targets.

    Parameters
    ----------
    X
        Preprocessed training rows, numbers of shape ``(n_rows, n_features)``.
    y
        Targets of shape ``(n_rows,)``.
    method
        Detector of outliers.
    contamination
        Share of rows to drop, above 0 and at most 0.5.
    classification
        Whether ``y`` holds classes. A class of which every row would be dropped keeps all of its rows, because a
        model could not learn it otherwise.
    seed
        Start of the detector's random sequence.

    Examples
    --------
    >>> rows, targets = np.append(np.zeros((20, 1)), [[99.0]], axis=0), np.arange(21.0)
    >>> kept, _ = drop_outliers(
    ...     rows, targets, method="isolation_forest", contamination=0.05, classification=False, seed=0
    ... )
    >>> float(kept.max())
    0.0
    """
    rows, targets = np.asarray(X), np.asarray(y)
    detect = _detect_by_forest if method == "isolation_forest" else _detect_by_envelope
    keep = detect(rows, contamination, seed)
    if classification:
        keep |= ~np.isin(targets, np.unique(targets[keep]))
    return rows[keep], targets[keep]


def _detect_by_forest(X: Array, contamination: float, seed: int) -> npt.NDArray[np.bool_]:
    from sklearn.ensemble import IsolationForest

    forest = IsolationForest(contamination=contamination, random_state=seed, n_jobs=1)
    inliers: npt.NDArray[np.bool_] = forest.fit_predict(X) == 1
    return inliers


def _detect_by_envelope(X: Array, contamination: float, seed: int) -> npt.NDArray[np.bool_]:
    """Return the inliers of a robust Gaussian fit, in the directions in which the rows differ at all.

    Encoded categories make the covariance singular. So the rows are first expressed by the principal directions with
    any variance; where the half of the rows that the robust fit prefers is still singular, all rows are fitted.
    """
    from sklearn.covariance import EllipticEnvelope

    centred = X - X.mean(axis=0)
    _, lengths, directions = np.linalg.svd(centred, full_matrices=False)
    spanned = lengths**2 > _LEAST_SHARE_OF_VARIANCE * np.sum(lengths**2)
    if not spanned.any():
        return np.ones(len(X), dtype=np.bool_)
    scores = centred @ directions[spanned].T * (np.sqrt(len(X)) / lengths[spanned])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            envelope = EllipticEnvelope(contamination=contamination, random_state=seed).fit(scores)
        except (ValueError, UserWarning, RuntimeWarning):  # Singular after all, as scikit-learn reports it.
            envelope = EllipticEnvelope(contamination=contamination, random_state=seed, support_fraction=1.0)
            envelope.fit(scores)
    inliers: npt.NDArray[np.bool_] = envelope.predict(scores) == 1
    return inliers
