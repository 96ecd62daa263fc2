"""Correlations of columns of any kind, carried by normal variables: the Gaussian copula.

Each column is seen as a standard normal variable cut at thresholds: the present values in order, or the categories. The
correlation of two such variables is the one with which, after cutting, the columns' normal scores correlate as the
data's do. Cutting weakens a correlation, most of all for columns of few values, so the data's own cannot be used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

N_TERMS = 60
"""Terms of the Hermite series below."""
FEWEST_ROWS = 10
"""Rows in which both columns have values, and each differs from its commonest; with fewer a correlation is chance."""
_LARGEST_CORRELATION = 0.999
_SMALLEST_EIGENVALUE = 1e-6


@dataclass(frozen=True)
class Cuts:
    """How a standard normal variable is cut into the ordered values of a column.

    Attributes
    ----------
    thresholds
        Between one value and the next, shape ``(n_values - 1,)``, ascending.
    scores
        Normal score of each value, that of its middle rank, shape ``(n_values,)``.
    shares
        Share of each value, shape ``(n_values,)``.
    """

    thresholds: Floats
    scores: Floats
    shares: Floats

    @classmethod
    def from_counts(cls, counts: npt.NDArray[np.integer]) -> Self:
        """Return the cuts that give values the shares that they have in the data.

        Parameters
        ----------
        counts
            Number of rows of each value, in the values' order, all above 0.

        Examples
        --------
        >>> Cuts.from_counts(np.array([50, 50])).thresholds.tolist()
        [0.0]
        """
        shares = counts / counts.sum()
        ends = np.cumsum(counts) / counts.sum()
        return cls(normal_quantiles(ends[:-1]), normal_quantiles(ends - shares / 2), shares)

    def deviation(self) -> float:
        """Return the standard deviation of the scores."""
        mean = self.shares @ self.scores
        return float(np.sqrt(self.shares @ (self.scores - mean) ** 2))

    def series(self) -> Floats:
        """Return the first coefficients of the standardised scores in normalised Hermite polynomials.

        The step function of the scores, jumping by ``h`` at ``t``, has the coefficients
        ``sum(h * phi(t) * psi[k - 1](t)) / sqrt(k)``, k = 1, 2, ..., where ``psi[k] = He[k] / sqrt(k!)``.
        """
        deviation = self.deviation()
        if deviation == 0:
            return np.zeros(N_TERMS)
        weights = np.diff(self.scores) * np.exp(-(self.thresholds**2) / 2) / np.sqrt(2 * np.pi) / deviation
        coefficients = np.empty(N_TERMS)
        before, current = np.zeros_like(weights), np.ones_like(weights)
        for term in range(1, N_TERMS + 1):
            coefficients[term - 1] = weights @ current / np.sqrt(term)
            before, current = current, (self.thresholds * current - np.sqrt(term - 1) * before) / np.sqrt(term)
        return coefficients


def normal_quantiles(shares: npt.ArrayLike) -> Floats:
    """Return the points below which a standard normal variable lies with the given probabilities, in (0, 1)."""
    quantile = NormalDist().inv_cdf
    return np.array([quantile(share) for share in np.asarray(shares, dtype=np.float64).tolist()], dtype=np.float64)


def latent_correlation(scores: Sequence[Floats], cuts: Sequence[Cuts]) -> Floats:
    """Return the correlation matrix of the normal variables behind columns, positive definite.

    Parameters
    ----------
    scores
        Normal score of each row's value, NaN where it is missing; one array of shape ``(n_rows,)`` per column.
    cuts
        How each column's variable is cut.

    Returns
    -------
    numpy.ndarray
        Shape ``(n_columns, n_columns)``.
    """
    if not cuts:
        return np.empty((0, 0))
    observed = _pairwise_correlation(np.column_stack(scores))
    series = np.array([one.series() for one in cuts])
    grid = np.linspace(-_LARGEST_CORRELATION, _LARGEST_CORRELATION, 201)
    powers = grid[None, :] ** np.arange(1, N_TERMS + 1)[:, None]
    latent = np.eye(len(cuts))
    for place in range(1, len(cuts)):
        # Correlation of the scores, after cutting, for each correlation of the grid: sum(a[k] * b[k] * r**k).
        after_cutting = (series[:place] * series[place]) @ powers
        for other, curve in enumerate(after_cutting):
            found = np.interp(observed[place, other], curve, grid) if curve[-1] > curve[0] else 0.0
            latent[place, other] = latent[other, place] = found
    return positive_definite(latent)


def _pairwise_correlation(scores: Floats) -> Floats:
    """Return Pearson correlations over the rows in which both columns have values, 0 where these are too few."""
    is_present = ~np.isnan(scores)
    present, filled = is_present.astype(np.float64), np.nan_to_num(scores)
    count, total, squares = present.T @ present, filled.T @ present, (filled**2).T @ present
    covariance = count * (filled.T @ filled) - total * total.T
    variance = np.maximum(count * squares - total**2, 0)
    product = np.sqrt(variance * variance.T)
    known = (count >= FEWEST_ROWS) & (product > 1e-9 * np.maximum(count, 1) ** 2)
    varied = [_n_uncommon(column[there]) >= FEWEST_ROWS for column, there in zip(scores.T, is_present.T, strict=True)]
    known &= np.outer(varied, varied)
    return np.clip(np.divide(covariance, product, out=np.zeros_like(product), where=known), -1, 1)


def _n_uncommon(values: Floats) -> int:
    """Return the number of rows that do not have the commonest value."""
    return len(values) - int(np.unique(values, return_counts=True)[1].max(initial=0))


def positive_definite(matrix: Floats) -> Floats:
    """Return the correlation matrix with negative eigenvalues raised to almost zero.

    Examples
    --------
    >>> positive_definite(np.eye(2)).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    values, vectors = np.linalg.eigh(matrix)
    if values[0] >= _SMALLEST_EIGENVALUE:
        return matrix
    raised = (vectors * np.maximum(values, _SMALLEST_EIGENVALUE)) @ vectors.T
    scale = np.sqrt(np.diag(raised))
    corrected: Floats = raised / np.outer(scale, scale)
    return corrected
