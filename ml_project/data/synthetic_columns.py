"""How single columns of made-up rows follow from standard normal numbers: by quantiles, or by shares of few values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml_project.data.copula import Cuts, Floats, normal_quantiles
from ml_project.data.raw_schema import ColumnRule

Codes = npt.NDArray[np.intp]
Missing = npt.NDArray[np.bool_]

_MOST_DECIMALS = 6
_LARGEST_WITH_DECIMALS = 1e9


class DrawnColumn(Protocol):
    """A column whose values follow from a normal variable, the higher the later in :attr:`cuts`."""

    @property
    def cuts(self) -> Cuts:
        """Return how the variable is cut into the distinct values of the reference."""
        ...

    def draw(self, normal: Floats, missing: Missing) -> Any:
        """Return raw values for standard normal numbers, in the dtype of coerced data; both of shape ``(n_rows,)``."""
        ...


@dataclass(frozen=True)
class NumberColumn:
    """Numbers with the quantiles of the reference, interpolated between neighbours, with as many decimals."""

    cuts: Cuts
    points: Floats
    values: Floats
    decimals: int | None

    @classmethod
    def fit(cls, distinct: Floats, counts: Codes) -> Self:
        """Return the column of distinct numbers in ascending order, with the number of rows of each."""
        points, values = _quantile_points(distinct, counts)
        return cls(Cuts.from_counts(counts), points, values, _decimals(distinct))

    def draw(self, normal: Floats, missing: Missing) -> Any:
        """Return ``float64`` numbers."""
        drawn = np.interp(normal, self.points, self.values)
        if self.decimals is not None:
            drawn = drawn.round(self.decimals)
        drawn = drawn.clip(self.values[0], self.values[-1])
        drawn[missing] = np.nan
        return drawn


@dataclass(frozen=True)
class WholeColumn:
    """Whole numbers or moments with the quantiles of the reference and its common step: whole days stay whole days."""

    cuts: Cuts
    points: Floats
    steps: Floats
    origin: int
    step: int
    n_steps: int
    rule: ColumnRule

    @classmethod
    def fit(cls, distinct: npt.NDArray[Any], counts: Codes, rule: ColumnRule) -> Self:
        """Return the column of distinct values in ascending order, with the number of rows of each."""
        whole = distinct.astype(np.int64)
        offsets = whole - whole[0]
        step = int(np.gcd.reduce(offsets)) or 1
        points, steps = _quantile_points((offsets // step).astype(np.float64), counts)
        return cls(Cuts.from_counts(counts), points, steps, int(whole[0]), step, int(offsets[-1]) // step, rule)

    def draw(self, normal: Floats, missing: Missing) -> Any:
        """Return ``int64`` or, where values may be missing, ``float64`` numbers; ``datetime64[us]`` moments."""
        steps = np.interp(normal, self.points, self.steps).round().astype(np.int64)
        whole = self.origin + self.step * np.minimum(steps, self.n_steps)  # beyond 2**53 steps, floats are not whole
        return as_raw(whole.astype("datetime64[us]") if self.rule.kind == "datetime" else whole, missing, self.rule)


@dataclass(frozen=True)
class ChosenColumn:
    """One of few values, each with its share in the reference."""

    cuts: Cuts
    values: Any
    rule: ColumnRule

    @classmethod
    def fit(cls, values: npt.NDArray[Any], counts: Codes, rule: ColumnRule) -> Self:
        """Return the column of distinct values, neighbours being alike, with the number of rows of each."""
        texts = rule.kind in {"category", "text"}
        return cls(Cuts.from_counts(counts), pd.array(values, dtype="str") if texts else values, rule)

    def codes(self, normal: Floats, missing: Missing) -> Codes:
        """Return the positions of the values, and one more for a missing one."""
        codes = np.searchsorted(self.cuts.thresholds, normal)
        codes[missing] = len(self.values)
        return codes

    def draw(self, normal: Floats, missing: Missing) -> Any:
        """Return values in the dtype of coerced data."""
        codes = np.searchsorted(self.cuts.thresholds, normal)
        if self.rule.kind not in {"category", "text"}:
            return as_raw(self.values[codes], missing, self.rule)
        codes[missing] = -1
        return self.values.take(codes, allow_fill=True)


def as_raw(values: npt.NDArray[Any], missing: Missing, rule: ColumnRule) -> Any:
    """Return numbers, booleans or moments in the dtype that coerced data has; missing values need a nullable column."""
    if rule.kind == "boolean":
        booleans = values.astype(bool)
        return pd.arrays.BooleanArray(booleans, missing.copy()) if rule.nullable else booleans
    if rule.kind == "datetime":
        moments = values.astype("datetime64[us]")
        moments[missing] = np.datetime64("NaT", "us")
        return moments
    if rule.kind == "integer" and not rule.nullable:
        return values.astype(np.int64)
    numbers = values.astype(np.float64)
    numbers[missing] = np.nan
    return numbers


def _quantile_points(values: Floats, counts: Codes) -> tuple[Floats, Floats]:
    """Return the normal scores of each value's first and last row, and the value at them."""
    ends = np.cumsum(counts)
    ranks = np.column_stack([ends - counts + 0.5, ends - 0.5]).ravel()
    different = np.append(True, np.diff(ranks) > 0)  # the first and last row of a single value are the same
    return normal_quantiles(ranks[different] / ends[-1]), values.repeat(2)[different]


def _decimals(values: Floats) -> int | None:
    """Return the decimals with which the values are written, ``None`` for many.

    Examples
    --------
    >>> _decimals(np.array([0.5, 2.25]))
    2
    """
    if np.abs(values).max() > _LARGEST_WITH_DECIMALS:
        return None
    fitting = (places for places in range(_MOST_DECIMALS + 1) if (values.round(places) == values).all())
    return next(fitting, None)
