"""Whether an engine gives the outputs of the fitted pipeline, on real rows and on those made to find differences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.artifacts.edge_rows import BEYOND
from ml_project.artifacts.engines import NativeEngine
from ml_project.data.columns import Columns
from ml_project.errors import InvalidDataError
from ml_project.prediction.engine import InferenceEngine

TOLERANCE = 1e-5
"""Largest difference accepted: of a probability, or of a value relative to its size or the mean size of real values."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """What a comparison has found.

    Attributes
    ----------
    largest
        Largest difference, of a probability or relative to the size of a value; ``None`` where nothing was compared.
    reason
        Why the engine cannot stand in for the fitted pipeline; ``None`` where it can.
    n_rows
        Rows that were compared.
    """

    largest: float | None
    reason: str | None
    n_rows: int


class Comparison:
    """The outputs of the fitted pipeline for some rows, to compare engines with.

    Parameters
    ----------
    native
        The fitted pipeline.
    real
        Engineered columns of real rows.
    made
        Engineered columns of rows made for the comparison, by what is special about them.
    classification
        Whether outputs are probabilities.
    """

    def __init__(
        self, native: NativeEngine, real: Columns, made: Mapping[str, Columns], *, classification: bool
    ) -> None:
        self._rows = {"of the holdout": real, **made}
        self._wanted = {origin: _Answers(native, columns) for origin, columns in self._rows.items()}
        self._classification = classification
        outputs = self._wanted["of the holdout"].outputs
        self._scale = float(np.abs(outputs).mean()) if len(outputs) else 0.0

    def with_engine(self, engine: InferenceEngine) -> Difference:
        """Return how far an engine is from the fitted pipeline.

        Rows that the pipeline refuses must be refused, except for numbers that it refuses as too large only: there an
        engine may give any finite output.
        """
        largest, n_rows = 0.0, 0
        for origin, columns in self._rows.items():
            wanted, found = self._wanted[origin], _Answers(engine, columns)
            n_rows += int(wanted.given.sum())
            if not found.given[wanted.given].all():
                return Difference(largest, f"it refuses rows {origin} that the model does not", n_rows)
            unwanted = found.given & ~wanted.given
            if unwanted.any() and (origin != BEYOND or not np.isfinite(found.outputs[unwanted]).all()):
                return Difference(
                    largest, f"the model refuses rows {origin}, and it does not: {wanted.refusal}", n_rows
                )
            if wanted.given.any() and found.outputs.shape[1:] != wanted.outputs.shape[1:]:
                shapes = f"{found.outputs.shape[1:]}, not {wanted.outputs.shape[1:]}"
                return Difference(None, f"its outputs for a row have the shape {shapes}", n_rows)
            difference, n_labels = self._differ(wanted.outputs[wanted.given], found.outputs[wanted.given])
            largest = max(largest, difference)
            if n_labels:
                return Difference(
                    largest, f"it gives other labels for {n_labels} of {len(wanted.given)} rows {origin}", n_rows
                )
            if not difference <= TOLERANCE:
                text = f"it differs by up to {difference:.2g} on rows {origin}, more than {TOLERANCE:g}"
                return Difference(largest, text, n_rows)
        return Difference(largest, None, n_rows)

    def _differ(self, wanted: Floats, found: Floats) -> tuple[float, int]:
        """Return the largest difference and the number of different labels."""
        if len(wanted) == 0:
            return 0.0, 0
        same = (wanted == found) | (np.isnan(wanted) & np.isnan(found))
        with np.errstate(invalid="ignore"):
            absolute = np.where(same, 0.0, np.abs(wanted - found))
            if self._classification:
                labels = [np.argmax(output.astype(np.float32), axis=1) for output in (wanted, found)]
                return float(absolute.max()), int((labels[0] != labels[1]).sum())
            size = np.maximum(np.abs(wanted), max(self._scale, np.finfo(np.float64).tiny))
            return float(np.where(same, 0.0, absolute / size).max()), 0


class _Answers:
    """Outputs for rows, of which an engine may refuse some.

    Attributes
    ----------
    outputs
        Outputs, of any value for refused rows.
    given
        Which rows have outputs.
    refusal
        What the engine said of a refused row.
    """

    def __init__(self, engine: InferenceEngine, columns: Columns) -> None:
        n_rows = len(next(iter(columns.values()))) if columns else 0
        self.given = np.ones(n_rows, dtype=np.bool_)
        self.refusal = ""
        with np.errstate(all="ignore"):  # numbers beyond single precision are meant to overflow
            try:
                self.outputs: Floats = np.asarray(engine.compute(columns), dtype=np.float64)
            except InvalidDataError:
                self.outputs = self._one_by_one(engine, columns, n_rows)

    def _one_by_one(self, engine: InferenceEngine, columns: Columns, n_rows: int) -> Floats:
        outputs: list[Any] = []
        for row in range(n_rows):
            try:
                outputs.append(engine.compute({name: values[row : row + 1] for name, values in columns.items()})[0])
            except InvalidDataError as error:
                self.refusal = error.message
                self.given[row] = False
                outputs.append(None)
        known = next((output for output in outputs if output is not None), np.nan)
        return np.array([np.full_like(known, np.nan) if output is None else output for output in outputs])
