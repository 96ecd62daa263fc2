"""How well one column alone tells the target: cross-validated, the same in any order of the rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

N_FOLDS = 5
MAX_ROWS = 20_000

Numbers = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


def explained_share(column: Numbers, target: Numbers) -> float:
    """Return R^2 of a regression on one column, cross-validated; at most 1.

    Rows of a value seen in training get its mean; between two such values the line between their means is taken, so
    that a smooth relation without noise reaches 1. The lowest and the highest 2 % of the column are left aside.

    Parameters
    ----------
    column
        Numbers, dates as numbers or codes of texts, of shape ``(n_rows,)``, without missing ones.
    target
        Numbers to tell, shape ``(n_rows,)``.

    Examples
    --------
    >>> numbers = np.arange(100.0)
    >>> bool(explained_share(numbers, 3 * numbers + 2) > 0.9999)
    True
    """
    rows = _ordered_sample(column, target)
    x, y = column[rows], target[rows]
    residual = y - _predicted(x, y[:, None])[:, 0]
    edge = len(rows) // 50  # beyond the first and last value seen in training, there is no line to follow
    inner = slice(edge, len(rows) - edge)
    variation = ((y[inner] - y[inner].mean()) ** 2).sum()
    return float(1 - (residual[inner] ** 2).sum() / variation) if variation > 0 else 0.0


def separation(column: Numbers, classes: Codes) -> float:
    """Return how well one column separates classes, cross-validated: 1 for perfectly.

    The area under the ROC curve of two classes, else the mean share of each class's rows that are recognised.

    Parameters
    ----------
    column
        Numbers, dates as numbers or codes of texts, of shape ``(n_rows,)``, without missing ones.
    classes
        Codes of the classes from 0, shape ``(n_rows,)``.

    Examples
    --------
    >>> separation(np.arange(100.0), (np.arange(100) >= 30).astype(np.int64)) > 0.999
    True
    """
    rows = _ordered_sample(column, classes.astype(np.float64))
    x, y = column[rows], classes[rows]
    n_classes = int(classes.max()) + 1
    shares = _predicted(x, np.eye(n_classes)[y])
    if n_classes == 2:
        return _area_under_curve(shares[:, 1], y)
    found = shares.argmax(axis=1) == y
    recalls = [found[y == code].mean() for code in np.unique(y)]
    return float(np.mean(recalls))


def _ordered_sample(column: Numbers, target: Numbers) -> npt.NDArray[np.intp]:
    """Return positions of rows in the order of column and target, evenly spaced where there are too many."""
    order = np.lexsort((target, column))
    if len(order) <= MAX_ROWS:
        return order
    return order[np.linspace(0, len(order) - 1, MAX_ROWS).round().astype(np.intp)]


def _predicted(x: Numbers, y: Numbers) -> Numbers:
    """Return predictions of shape ``(n_rows, n_outputs)``, those of each fold from the other folds' rows.

    Folds are dealt by position in the order of ``x``, so that neighbours are in different ones.
    """
    folds = np.arange(len(x)) % N_FOLDS
    predicted = np.empty_like(y, dtype=np.float64)
    for fold in range(N_FOLDS):
        train, test = folds != fold, folds == fold
        known, places, counts = np.unique(x[train], return_inverse=True, return_counts=True)
        for output in range(y.shape[1]):
            means = np.bincount(places, weights=y[train, output], minlength=len(known)) / counts
            predicted[test, output] = np.interp(x[test], known, means)
    return predicted


def _area_under_curve(scores: Numbers, classes: Codes) -> float:
    """Return the area from the ranks of the scores, equal ones having the mean of theirs."""
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    n_positive = int(classes.sum())
    n_pairs = n_positive * (len(classes) - n_positive)
    return float((ranks[classes == 1].sum() - n_positive * (n_positive + 1) / 2) / n_pairs)
