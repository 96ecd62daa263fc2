"""A ready-made feature from what is not there: whether a column is missing."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.data.columns import Columns
from ml_project.feature_engineering.process import FeatureProcess, State, is_missing


@dataclass(frozen=True)
class MissingIndicator(FeatureProcess):
    """1 where a column of any kind is missing, else 0.

    Parameters
    ----------
    name
        Name of the feature.
    column
        Column of any kind.

    Examples
    --------
    >>> no_cabin = MissingIndicator("no_cabin", column="cabin")
    >>> no_cabin.compute({"cabin": np.array(["C85", None], dtype=object)}, {}).tolist()
    [0.0, 1.0]
    """

    name: str
    _: KW_ONLY
    column: str

    kind = "number"
    missing = "never"

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return the column."""
        return (self.column,)

    def compute(self, columns: Columns, state: State) -> npt.NDArray[Any]:
        """Return 1 or 0 per row, float64 of shape ``(n_rows,)``."""
        return is_missing(columns[self.column]).astype(np.float64)
