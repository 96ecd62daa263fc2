"""What computes predictions from engineered columns; the artifact decides which one is used."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ml_project.data.columns import Columns


class InferenceEngine(Protocol):
    """Computes the model's output from engineered columns."""

    name: str

    def compute(self, engineered: Columns) -> npt.NDArray[np.floating[Any]]:
        """Return probabilities of shape ``(n_rows, n_classes)``, or values of shape ``(n_rows,)`` in a regression."""
        ...
