"""Ready-made features from numbers: sum, product, difference, ratio, logarithm."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.data.columns import Columns
from ml_project.errors import FeatureError
from ml_project.feature_engineering.process import FeatureProcess, State


@dataclass(frozen=True)
class _OfSeveralColumns(FeatureProcess):
    name: str
    _: KW_ONLY
    columns: tuple[str, ...]

    kind = "number"
    missing = "propagates"

    def __post_init__(self) -> None:
        if isinstance(self.columns, str) or len(self.columns) < 2:
            raise FeatureError(f"feature {self.name!r} has columns={self.columns!r}; give a tuple of two or more")

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return the columns."""
        return self.columns


class Sum(_OfSeveralColumns):
    """The sum of numbers; missing where any of them is.

    Parameters
    ----------
    name
        Name of the feature.
    columns
        At least two numeric columns.

    Examples
    --------
    >>> relatives = Sum("relatives", columns=("sibsp", "parch"))
    >>> relatives.compute({"sibsp": np.array([1.0, np.nan]), "parch": np.array([2.0, 0.0])}, {}).tolist()
    [3.0, nan]
    """

    def compute(self, columns: Columns, state: State) -> npt.NDArray[Any]:
        """Return the sum per row, float64 of shape ``(n_rows,)``."""
        return reduce(np.add, [columns[column] for column in self.columns])


class Product(_OfSeveralColumns):
    """The product of numbers; missing where any of them is.

    Parameters
    ----------
    name
        Name of the feature.
    columns
        At least two numeric columns.

    Examples
    --------
    >>> area = Product("area", columns=("width", "length"))
    >>> area.compute({"width": np.array([2.0, np.nan]), "length": np.array([3.0, 3.0])}, {}).tolist()
    [6.0, nan]
    """

    def compute(self, columns: Columns, state: State) -> npt.NDArray[Any]:
        """Return the product per row, float64 of shape ``(n_rows,)``."""
        with np.errstate(over="ignore"):  # FeatureEngineering names the row with an infinite product.
            return reduce(np.multiply, [columns[column] for column in self.columns])


@dataclass(frozen=True)
class Difference(FeatureProcess):
    """One number less another; missing where either is.

    Parameters
    ----------
    name
        Name of the feature.
    minuend, subtrahend
        Numeric columns.

    Examples
    --------
    >>> profit = Difference("profit", minuend="price", subtrahend="cost")
    >>> profit.compute({"price": np.array([5.0, np.nan]), "cost": np.array([3.0, 1.0])}, {}).tolist()
    [2.0, nan]
    """

    name: str
    _: KW_ONLY
    minuend: str
    subtrahend: str

    kind = "number"
    missing = "propagates"

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return minuend and subtrahend."""
        return (self.minuend, self.subtrahend)

    def compute(self, columns: Columns, state: State) -> npt.NDArray[Any]:
        """Return the difference per row, float64 of shape ``(n_rows,)``."""
        difference: npt.NDArray[Any] = columns[self.minuend] - columns[self.subtrahend]
        return difference


@dataclass(frozen=True)
class Ratio(FeatureProcess):
    """One number divided by another; missing where either is, and where the denominator is zero.

    Parameters
    ----------
    name
        Name of the feature.
    numerator, denominator
        Numeric columns.

    Examples
    --------
    >>> speed = Ratio("speed", numerator="distance", denominator="hours")
    >>> speed.compute({"distance": np.array([6.0, 1.0]), "hours": np.array([2.0, 0.0])}, {}).tolist()
    [3.0, nan]
    """

    name: str
    _: KW_ONLY
    numerator: str
    denominator: str

    kind = "number"
    missing = "propagates"

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return numerator and denominator."""
        return (self.numerator, self.denominator)

    def compute(self, columns: Columns, state: State) -> npt.NDArray[Any]:
        """Return the ratio per row, float64 of shape ``(n_rows,)``."""
        denominator = columns[self.denominator]
        with np.errstate(over="ignore"):  # FeatureEngineering names the row with an infinite ratio.
            ratio: npt.NDArray[Any] = columns[self.numerator] / np.where(denominator == 0, np.nan, denominator)
        return ratio


@dataclass(frozen=True)
class Log(FeatureProcess):
    """The natural logarithm of one plus a number; missing where the number is missing or negative.

    Parameters
    ----------
    name
        Name of the feature.
    column
        Numeric column.

    Examples
    --------
    >>> Log("log_fare", column="fare").compute({"fare": np.array([0.0, -1.0, np.nan])}, {}).tolist()
    [0.0, nan, nan]
    """

    name: str
    _: KW_ONLY
    column: str

    kind = "number"
    missing = "propagates"

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return the column."""
        return (self.column,)

    def compute(self, columns: Columns, state: State) -> npt.NDArray[Any]:
        """Return ``log(1 + x)`` per row, float64 of shape ``(n_rows,)``."""
        values = columns[self.column]
        return np.log1p(np.where(values < 0, np.nan, values))
