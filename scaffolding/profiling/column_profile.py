"""What a column of the table shows: its kind, its values as far as rules follow from them, and how many are missing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ml_project.data.coercion import ConvertedColumn
from ml_project.data.raw_schema import NUMERIC_KINDS, ColumnKind
from scaffolding.profiling.column_kinds import find_kind

if TYPE_CHECKING:
    import pandas as pd

MOST_FREQUENT = 100
"""Values that a profile names with their number of rows."""


@dataclass(frozen=True)
class ColumnProfile:
    """What a column shows.

    Attributes
    ----------
    name
        Name of the column.
    kind
        Kind of its values, never ``"category"``, which a rule may make of a text; ``None`` where it is unusable.
    n_rows, n_missing, n_distinct
        Rows, missing values, and different values that are not missing.
    problem
        Why it is unusable, as the end of a sentence about the column.
    frequent
        The most frequent values with their rows, at most :data:`MOST_FREQUENT`, in descending order of frequency; texts
        without blanks around them.
    minimum, maximum, mean, deviation, median
        Of numbers and booleans, of dates in microseconds since 1970; the median is one of the values. ``nan`` where
        there are none.
    is_whole
        Whether all numbers are whole.
    longest
        Characters of the longest text.
    """

    name: str
    kind: ColumnKind | None
    n_rows: int
    n_missing: int = 0
    n_distinct: int = 0
    problem: str | None = None
    frequent: tuple[tuple[Any, int], ...] = ()
    minimum: float = float("nan")
    maximum: float = float("nan")
    mean: float = float("nan")
    deviation: float = float("nan")
    median: float = float("nan")
    is_whole: bool = False
    longest: int = 0

    @property
    def n_present(self) -> int:
        """Return the number of values that are not missing."""
        return self.n_rows - self.n_missing

    @property
    def missing_rate(self) -> float:
        """Return the share of missing values."""
        return self.n_missing / self.n_rows

    @property
    def is_unique(self) -> bool:
        """Return whether no value is missing or repeated."""
        return self.n_missing == 0 and self.n_distinct == self.n_rows

    @property
    def is_numeric(self) -> bool:
        """Return whether the values are numbers; booleans are not."""
        return self.kind in {"integer", "number"}


def profile_column(
    values: pd.Series[Any], *, missing_values: Collection[str], texts_stay: bool = False
) -> ColumnProfile:
    """Return what a column shows; the order of the rows means nothing.

    Parameters
    ----------
    values
        Column of shape ``(n_rows,)`` as a source gives it.
    missing_values
        Texts that mean a missing value.
    texts_stay
        Whether texts such as ``yes`` and ``no`` stay texts, as the labels of a target should.

    Examples
    --------
    >>> import pandas as pd
    >>> profile = profile_column(pd.Series(["3", "1", "", "3"], name="level"), missing_values=("",))
    >>> profile.kind, profile.n_missing, profile.frequent
    ('integer', 1, ((3, 2), (1, 1)))
    """
    name, n_rows = str(values.name), len(values)
    found = find_kind(values, missing_values, texts_stay=texts_stay)
    if found.kind is None or found.converted is None:
        return ColumnProfile(name, None, n_rows, problem=found.problem)
    if found.kind == "text":
        return _of_texts(name, n_rows, found.converted)
    distinct, counts = _counted(found.converted)
    n_missing = n_rows - int(counts.sum())
    numbers = distinct.astype("datetime64[us]").astype(np.int64) if found.kind == "datetime" else distinct
    return ColumnProfile(
        name,
        found.kind,
        n_rows,
        n_missing,
        len(distinct),
        frequent=_most_frequent(distinct, counts, found.kind),
        **(_statistics(numbers.astype(np.float64), counts) if len(distinct) else {}),
    )


def _counted(converted: ConvertedColumn) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Return the different values in ascending order with the rows of each."""
    values = converted.spread()
    distinct, counts = np.unique(values[values == values], return_counts=True)  # noqa: PLR0124  NaN and NaT differ
    return distinct, counts.astype(np.int64)


def _most_frequent(
    distinct: npt.NDArray[Any], counts: npt.NDArray[np.int64], kind: ColumnKind
) -> tuple[tuple[Any, int], ...]:
    order = np.argsort(-counts, kind="stable")[:MOST_FREQUENT]
    if kind in NUMERIC_KINDS:
        to_type = {"integer": int, "number": float, "boolean": bool}[kind]
        return tuple((to_type(distinct[place]), int(counts[place])) for place in order)
    return tuple((distinct[place].item(), int(counts[place])) for place in order)


def _statistics(distinct: npt.NDArray[np.float64], counts: npt.NDArray[np.int64]) -> dict[str, Any]:
    n_values = int(counts.sum())
    with np.errstate(over="ignore", invalid="ignore"):  # numbers near the largest possible have no finite variance
        mean = float(np.average(distinct, weights=counts))
        deviation = float(np.sqrt(np.average((distinct - mean) ** 2, weights=counts)))
    return {
        "minimum": float(distinct[0]),
        "maximum": float(distinct[-1]),
        "mean": mean,
        "deviation": deviation,
        "median": float(distinct[np.searchsorted(np.cumsum(counts), (n_values + 1) // 2)]),
        "is_whole": bool((np.trunc(distinct) == distinct).all()),
    }


def _of_texts(name: str, n_rows: int, converted: ConvertedColumn) -> ColumnProfile:
    n_values = len(converted.values)
    rows = np.ones(n_values, dtype=np.int64)
    if converted.codes is not None:
        rows = np.bincount(converted.codes + 1, minlength=n_values + 1)[1:]
    counted: dict[str, int] = {}
    longest = 0
    for text, n_of_text in zip(converted.values.tolist(), rows.tolist(), strict=True):
        if text is not None and n_of_text:
            stripped = text.strip()
            counted[stripped] = counted.get(stripped, 0) + n_of_text
            longest = max(longest, len(text))
    frequent = sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:MOST_FREQUENT]
    n_missing = n_rows - sum(counted.values())
    return ColumnProfile(name, "text", n_rows, n_missing, len(counted), frequent=tuple(frequent), longest=longest)
