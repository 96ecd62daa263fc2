"""Ready-made features that learn from the training rows: bins and statistics of groups."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ml_project.data.columns import Columns, FeatureKind
from ml_project.errors import FeatureError
from ml_project.feature_engineering.process import FeatureProcess, State

Statistic = Literal["mean", "median", "std", "count"]

_STATISTICS: dict[Statistic, Callable[[npt.NDArray[Any]], Any]] = {
    "mean": np.mean,
    "median": np.median,
    "std": np.std,
    "count": len,
}


@dataclass(frozen=True)
class Binning(FeatureProcess):
    """The interval in which a number lies; missing where the number is.

    An edge belongs to the interval above it. The first and last interval are open, so that every number has one.

    Parameters
    ----------
    name
        Name of the feature.
    column
        Numeric column.
    edges
        Increasing edges between the intervals; give these or ``n_quantiles``.
    n_quantiles
        Number of intervals with equally many training rows, at least 2; equal edges are merged.
    kind
        ``"category"``: texts such as ``"18 to 65"``; ``"number"``: the interval's position from 0.

    Examples
    --------
    >>> generation = Binning("generation", column="age", edges=(18, 65))
    >>> generation.compute({"age": np.array([4.0, 18.0, 70.0, np.nan])}, {"edges": [18, 65]}).tolist()
    ['below 18', '18 to 65', '65 or more', None]
    """

    name: str
    _: KW_ONLY
    column: str
    edges: tuple[float, ...] | None = None
    n_quantiles: int | None = None
    kind: FeatureKind = "category"

    missing = "propagates"

    def __post_init__(self) -> None:
        if (self.edges is None) == (self.n_quantiles is None):
            raise FeatureError(f"feature {self.name!r} needs either edges or n_quantiles, and not both")
        if self.n_quantiles is not None and self.n_quantiles < 2:
            raise FeatureError(f"feature {self.name!r} has n_quantiles={self.n_quantiles}; give at least 2")
        increasing = self.edges is None or (self.edges and all(low < high for low, high in pairwise(self.edges)))
        if not increasing:
            raise FeatureError(f"feature {self.name!r} has edges={self.edges}; give at least one, in increasing order")

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return the column."""
        return (self.column,)

    def fit(self, columns: Columns) -> State:
        """Return the edges: those given, or the quantiles of the known training values (none of an all-null column)."""
        if self.n_quantiles is None:
            return {"edges": list(self.edges or ())}
        known = columns[self.column][~np.isnan(columns[self.column])]
        if not len(known):
            return {"edges": []}
        return {"edges": np.unique(np.quantile(known, np.arange(1, self.n_quantiles) / self.n_quantiles)).tolist()}

    def compute(self, columns: Columns, state: State) -> npt.NDArray[Any]:
        """Return the interval per row, of shape ``(n_rows,)``: float64 or object, as ``kind`` says."""
        values = columns[self.column]
        positions = np.searchsorted(np.asarray(state["edges"], dtype=np.float64), values, side="right")
        if self.kind == "number":
            return np.where(np.isnan(values), np.nan, positions)
        labels = np.array([*_interval_labels(state["edges"]), None], dtype=object)
        chosen: npt.NDArray[Any] = labels[np.where(np.isnan(values), len(labels) - 1, positions)]
        return chosen


@dataclass(frozen=True)
class GroupStatistic(FeatureProcess):
    """A statistic of a number over the training rows of the row's group.

    A group that is missing, was not seen in training or had no known number gets the statistic of all training rows
    (``count``: 0). The result is missing only where the number was missing in every training row.

    Parameters
    ----------
    name
        Name of the feature.
    group
        Category or text column.
    column
        Numeric column.
    statistic
        ``"mean"``, ``"median"``, ``"std"`` (of the population) or ``"count"`` of the known numbers.

    Examples
    --------
    >>> rent = GroupStatistic("usual_rent", group="city", column="rent", statistic="mean")
    >>> train = {"city": np.array(["A", "A", "B"], dtype=object), "rent": np.array([1.0, 3.0, 8.0])}
    >>> state = rent.fit(train)
    >>> rent.compute({"city": np.array(["A", "unseen"], dtype=object), "rent": np.zeros(2)}, state).tolist()
    [2.0, 4.0]
    """

    name: str
    _: KW_ONLY
    group: str
    column: str
    statistic: Statistic = "mean"

    kind = "number"
    missing = "may"

    def __post_init__(self) -> None:
        if self.statistic not in _STATISTICS:
            known = ", ".join(_STATISTICS)
            raise FeatureError(f"feature {self.name!r} has statistic={self.statistic!r}; choose from {known}")

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return the group and the number, which is read in training only."""
        return (self.group, self.column)

    def fit(self, columns: Columns) -> State:
        """Return the statistic of each group and of all rows (``None`` where no number is known)."""
        numbers = columns[self.column]
        known = ~np.isnan(numbers)
        members: dict[str, list[float]] = {}
        for group, number in zip(columns[self.group][known].tolist(), numbers[known].tolist(), strict=True):
            if group is not None:
                members.setdefault(group, []).append(number)
        statistic = _STATISTICS[self.statistic]
        overall = float(statistic(numbers[known])) if known.any() else None
        groups = {group: float(statistic(np.array(members[group]))) for group in sorted(members)}
        return {"groups": groups, "overall": 0.0 if self.statistic == "count" else overall}

    def compute(self, columns: Columns, state: State) -> npt.NDArray[Any]:
        """Return the statistic per row, float64 of shape ``(n_rows,)``."""
        groups = state["groups"]
        otherwise = math.nan if state["overall"] is None else state["overall"]
        return np.array([groups.get(group, otherwise) for group in columns[self.group].tolist()], dtype=np.float64)


def _interval_labels(edges: list[float]) -> list[str]:
    if not edges:
        return ["any"]
    texts = [f"{edge:.12g}" for edge in edges]
    between = [f"{low} to {high}" for low, high in pairwise(texts)]
    return [f"below {texts[0]}", *between, f"{texts[-1]} or more"]
