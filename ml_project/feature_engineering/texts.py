"""Ready-made features from texts: length, whether a pattern occurs, a pattern's match, categories combined."""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.data.columns import Columns
from ml_project.errors import FeatureError
from ml_project.feature_engineering.process import FeatureProcess, State


@dataclass(frozen=True)
class TextLength(FeatureProcess):
    """The number of characters of a text; missing where the text is.

    Parameters
    ----------
    name
        Name of the feature.
    column
        Text or category column.

    Examples
    --------
    >>> TextLength("name_length", column="name").compute({"name": np.array(["Ada", None], dtype=object)}, {}).tolist()
    [3.0, nan]
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
        """Return the length per row, float64 of shape ``(n_rows,)``."""
        lengths = [None if text is None else len(text) for text in columns[self.column].tolist()]
        return np.array(lengths, dtype=np.float64)


@dataclass(frozen=True)
class TextMatch(FeatureProcess):
    """1 where a regular expression is found anywhere in a text, else 0; missing where the text is.

    Parameters
    ----------
    name
        Name of the feature.
    column
        Text or category column.
    pattern
        Regular expression, as :mod:`re` understands it.

    Examples
    --------
    >>> nickname = TextMatch("has_nickname", column="name", pattern=r'"')
    >>> nickname.compute({"name": np.array(['Ann "Annie"', "Bo", None], dtype=object)}, {}).tolist()
    [1.0, 0.0, nan]
    """

    name: str
    _: KW_ONLY
    column: str
    pattern: str

    kind = "number"
    missing = "propagates"

    def __post_init__(self) -> None:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise FeatureError(f"feature {self.name!r} has pattern={self.pattern!r}, no expression: {error}") from error

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return the column."""
        return (self.column,)

    def compute(self, columns: Columns, state: State) -> npt.NDArray[Any]:
        """Return 1 or 0 per row, float64 of shape ``(n_rows,)``."""
        search = re.compile(self.pattern).search
        found = [None if text is None else search(text) is not None for text in columns[self.column].tolist()]
        return np.array(found, dtype=np.float64)


@dataclass(frozen=True)
class Combination(FeatureProcess):
    """Categories joined to one, so that a linear model sees their interaction; missing where any of them is.

    Parameters
    ----------
    name
        Name of the feature.
    columns
        At least two category or text columns.

    Examples
    --------
    >>> sex_port = Combination("sex_port", columns=("sex", "port"))
    >>> columns = {"sex": np.array(["male", "male"], dtype=object), "port": np.array(["S", None], dtype=object)}
    >>> sex_port.compute(columns, {}).tolist()
    ['male | S', None]
    """

    name: str
    _: KW_ONLY
    columns: tuple[str, ...]

    kind = "category"
    missing = "propagates"

    def __post_init__(self) -> None:
        if isinstance(self.columns, str) or len(self.columns) < 2:
            raise FeatureError(f"feature {self.name!r} has columns={self.columns!r}; give a tuple of two or more")

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return the columns."""
        return self.columns

    def compute(self, columns: Columns, state: State) -> npt.NDArray[Any]:
        """Return the joined categories per row, object of shape ``(n_rows,)``."""
        rows = zip(*(columns[column].tolist() for column in self.columns), strict=True)
        joined = np.empty(len(columns[self.columns[0]]), dtype=object)
        joined[:] = [None if None in row else " | ".join(row) for row in rows]
        return joined
