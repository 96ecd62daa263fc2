"""The metrics as functions of row weights, so that one call computes them for a thousand resamples.

A resample with replacement is the same rows with whole-number weights. All weights have shape
``(n_resamples, n_rows)``, all results ``(n_resamples,)``; a metric that a resample's targets do not define is NaN.
Where predictions alone make a metric undefined it is 0, as scikit-learn has it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


def divide(numerator: Floats, denominator: Floats, otherwise: float = np.nan) -> Floats:
    """Return the quotient, and ``otherwise`` where the denominator is 0."""
    result: Floats = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), otherwise, dtype=np.float64)
    np.divide(numerator, denominator, out=result, where=denominator != 0)
    return result


def confusion(y_true: Codes, labels: Codes, n_classes: int, weights: Floats) -> Floats:
    """Return confusion matrices of shape ``(n_resamples, n_classes, n_classes)``: truth in rows, labels in columns."""
    cells = y_true * n_classes + labels
    order = np.argsort(cells, kind="stable")
    found, starts = np.unique(cells[order], return_index=True)
    counts = np.zeros((len(weights), n_classes * n_classes))
    counts[:, found] = np.add.reduceat(weights[:, order], starts, axis=1)
    return counts.reshape(-1, n_classes, n_classes)


def class_metrics(matrices: Floats) -> dict[str, Floats]:
    """Return accuracy, balanced accuracy, macro and weighted F1 and Matthews' correlation of confusion matrices."""
    hits = np.diagonal(matrices, axis1=1, axis2=2)
    truths, labelled, total = matrices.sum(axis=2), matrices.sum(axis=1), matrices.sum(axis=(1, 2))
    present = (truths + labelled) > 0
    f1 = divide(2 * hits, truths + labelled, 0.0)
    return {
        "accuracy": hits.sum(axis=1) / total,
        "balanced_accuracy": divide(hits, truths, 0.0).sum(axis=1) / (truths > 0).sum(axis=1),
        "f1_macro": f1.sum(axis=1) / present.sum(axis=1),
        "f1_weighted": (f1 * truths).sum(axis=1) / total,
        "mcc": _matthews(hits, truths, labelled, total),
    }


def positive_metrics(matrices: Floats) -> dict[str, Floats]:
    """Return precision, recall and F1 of the positive class, which is class 1 of two."""
    hits, positives, labelled = matrices[:, 1, 1], matrices[:, 1].sum(axis=1), matrices[:, :, 1].sum(axis=1)
    metrics = {
        "precision": divide(hits, labelled, 0.0),
        "recall": divide(hits, positives),
        "f1": divide(2 * hits, positives + labelled, 0.0),
    }
    return {name: np.where(positives > 0, values, np.nan) for name, values in metrics.items()}


def ranking_metrics(positive: npt.NDArray[np.bool_], scores: Floats, weights: Floats) -> dict[str, Floats]:
    """Return area under the ROC curve and average precision of scores that should be high for positive rows.

    The area is the chance that a positive row scores above a negative one, ties counting half (Mann and Whitney,
    1947); average precision is the sum of precisions weighted with the increase of recall, one step per score.
    """
    order = np.argsort(-scores, kind="stable")
    descending = scores[order]
    ends = np.flatnonzero(np.append(np.diff(descending) != 0, True))
    hits = np.cumsum(weights[:, order] * positive[order], axis=1)[:, ends]
    labelled = np.cumsum(weights[:, order], axis=1)[:, ends]
    misses = labelled - hits
    n_hits, n_misses = hits[:, -1], misses[:, -1]
    new_hits, new_misses = np.diff(hits, axis=1, prepend=0), np.diff(misses, axis=1, prepend=0)
    won = (new_misses * (hits - new_hits / 2)).sum(axis=1)
    precise = (new_hits * divide(hits, labelled, 0.0)).sum(axis=1)
    return {"roc_auc": divide(won, n_hits * n_misses), "average_precision": divide(precise, n_hits)}


def one_versus_rest_area(y_true: Codes, probabilities: Floats, weights: Floats) -> Floats:
    """Return the unweighted mean over classes of the area under the ROC curve of one class against the rest."""
    areas = [ranking_metrics(y_true == code, column, weights)["roc_auc"] for code, column in enumerate(probabilities.T)]
    return np.mean(areas, axis=0, dtype=np.float64)


def log_losses(y_true: Codes, probabilities: Floats) -> Floats:
    """Return each row's logarithmic loss, probabilities clipped away from 0 as scikit-learn does."""
    smallest = np.finfo(np.float64).eps
    clipped = np.clip(probabilities / probabilities.sum(axis=1, keepdims=True), smallest, 1 - smallest)
    losses: Floats = -np.log(clipped[np.arange(len(y_true)), y_true])
    return losses


def mean(values: Floats, weights: Floats) -> Floats:
    """Return the weighted means of values of shape ``(n_rows,)``."""
    result: Floats = weights @ values / weights.sum(axis=1)
    return result


def median(values: Floats, weights: Floats) -> Floats:
    """Return the medians of values of shape ``(n_rows,)``, each taken as often as its weight says."""
    order = np.argsort(values, kind="stable")
    until = np.cumsum(weights[:, order], axis=1)
    half = until[:, -1:] / 2
    low, high = (until < half).sum(axis=1), (until <= half).sum(axis=1)
    result: Floats = (values[order][low] + values[order][np.minimum(high, len(values) - 1)]) / 2
    return result


def number_metrics(y_true: Floats, values: Floats, weights: Floats) -> dict[str, Floats]:
    """Return the metrics of a regression."""
    errors = np.abs(y_true - values)
    squared = mean(errors**2, weights)
    centred = y_true - y_true.mean()
    variance = mean(centred**2, weights) - mean(centred, weights) ** 2
    spread = np.where(variance > 1e-12 * max(float(np.var(centred)), np.finfo(np.float64).tiny), variance, 0.0)
    relative = divide(errors, np.abs(y_true))
    return {
        "rmse": np.sqrt(squared),
        "mae": mean(errors, weights),
        "median_ae": median(errors, weights),
        "r2": 1 - divide(squared, spread),
        "mape": mean(relative, weights) if np.isfinite(relative).all() else np.full(len(weights), np.nan),
        "max_error": np.where(weights > 0, errors, 0.0).max(axis=1),
    }


def _matthews(hits: Floats, truths: Floats, labelled: Floats, total: Floats) -> Floats:
    """Return Matthews' correlation for any number of classes (Gorodkin, 2004)."""
    covariance = hits.sum(axis=1) * total - (truths * labelled).sum(axis=1)
    of_truths, of_labels = total**2 - (truths**2).sum(axis=1), total**2 - (labelled**2).sum(axis=1)
    correlation = divide(covariance, np.sqrt(of_truths * of_labels), 0.0)
    return np.where(of_truths > 0, correlation, np.nan)
