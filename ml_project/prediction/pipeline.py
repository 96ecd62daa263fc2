"""The one object that predicts: in evaluation, batch scoring, MLflow and every server.

A frame of raw data and records as a service receives them take the same way: raw columns as arrays, the feature
processes, the engine. Importing this module is cheap, because a server's start pays for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ml_project.config import Task
from ml_project.data.columns import Columns, to_columns
from ml_project.data.raw_schema import RawSchema
from ml_project.errors import InvalidDataError, Problem
from ml_project.prediction.engine import InferenceEngine
from ml_project.validation.records import RecordColumns, RecordValidator

if TYPE_CHECKING:
    import pandas as pd

    from ml_project.feature_engineering.fitted_features import FittedFeatures

LABEL, VALUE, PROBABILITY_PREFIX = "label", "value", "proba_"


@dataclass(frozen=True, slots=True)
class ScoredRecords:
    """Records with all that became of them on the way to their predictions.

    Attributes
    ----------
    records
        Raw values by input column, ``None`` for missing.
    raw
        The same as arrays of shape ``(n_records,)``.
    engineered
        Engineered columns, arrays of shape ``(n_records,)``.
    outputs
        Probabilities of shape ``(n_records, n_classes)``, or values of shape ``(n_records,)`` in a regression.
    """

    records: Sequence[Mapping[str, Any]]
    raw: Columns
    engineered: Columns
    outputs: npt.NDArray[np.float64]

    def split(self) -> list[ScoredRecords]:
        """Return each record alone."""
        return [
            ScoredRecords(
                self.records[row : row + 1],
                {name: values[row : row + 1] for name, values in self.raw.items()},
                {name: values[row : row + 1] for name, values in self.engineered.items()},
                self.outputs[row : row + 1],
            )
            for row in range(len(self.records))
        ]


class PredictionPipeline:
    """From raw data to predictions.

    Parameters
    ----------
    raw_schema
        All raw columns of the data set.
    features
        Fitted feature engineering.
    engine
        What computes the model's output from engineered columns.
    task
        Kind of target.
    classes
        Values of the raw target in the order of the engine's probabilities; ``None`` in a regression.
    target_column
        Raw column that is predicted.
    id_column
        Raw column that identifies a row, where there is one.
    missing_values
        Texts that mean a missing value in records.

    Attributes
    ----------
    input_schema
        The raw columns that a prediction needs.
    """

    def __init__(
        self,
        *,
        raw_schema: RawSchema,
        features: FittedFeatures,
        engine: InferenceEngine,
        task: Task,
        classes: Sequence[Any] | None,
        target_column: str,
        id_column: str | None = None,
        missing_values: Sequence[str] = (),
    ) -> None:
        self.raw_schema = raw_schema
        self.features = features
        self.engine = engine
        self.task = task
        self.classes = None if classes is None else tuple(classes)
        self.target_column = target_column
        self.id_column = id_column
        self.missing_values = tuple(missing_values)
        self.input_schema = raw_schema.select(features.required_columns)
        self._validator = RecordValidator(self.input_schema, missing_values=self.missing_values)
        self._to_columns = RecordColumns(self.input_schema)
        self._class_names = () if classes is None else tuple(str(value) for value in classes)

    @property
    def output_columns(self) -> tuple[str, ...]:
        """Return the names of the columns that :meth:`predict` returns."""
        if self.classes is None:
            return (VALUE,)
        return (LABEL, *(f"{PROBABILITY_PREFIX}{name}" for name in self._class_names))

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of one record."""
        schema: dict[str, Any] = self._validator.json_schema()
        return schema

    def predict(self, raw: pd.DataFrame) -> pd.DataFrame:
        """Return the predictions of raw data.

        Parameters
        ----------
        raw
            Coerced raw data of shape ``(n_rows, n_columns)`` with at least the columns of :attr:`input_schema`; it is
            not changed.

        Returns
        -------
        pandas.DataFrame
            With the index of ``raw``. In a classification the column ``label``, holding values of the raw target, and
            ``proba_<class>`` for every class; in a regression the column ``value``.

        Raises
        ------
        InvalidDataError
            When a column is missing.
        """
        missing = [name for name in self.input_schema.names if name not in raw.columns]
        if missing:
            problems = [Problem("the column is missing", name) for name in missing]
            raise InvalidDataError("The data cannot be scored; add the columns that the model needs.", problems)
        outputs = self.predict_columns(to_columns(raw, self.input_schema))
        return self._to_frame(outputs, raw.index)

    def predict_columns(self, columns: Columns) -> npt.NDArray[np.float64]:
        """Return the model's output for raw columns.

        Parameters
        ----------
        columns
            Arrays of shape ``(n_rows,)`` of the columns of :attr:`input_schema`.

        Returns
        -------
        numpy.ndarray
            Probabilities of shape ``(n_rows, n_classes)``, or values of shape ``(n_rows,)`` in a regression.
        """
        n_rows = len(next(iter(columns.values()))) if columns else 0
        return self._compute(columns)[1] if n_rows else self._no_outputs()

    def score_records(self, records: Sequence[Mapping[str, Any]]) -> ScoredRecords:
        """Return the model's output for records, with what it was computed from.

        Parameters
        ----------
        records
            Values by column name, as parsed from JSON.

        Raises
        ------
        InvalidDataError
            With every problem of every record.
        """
        return self.score_valid(self._validator.validate_many(records))

    def validate(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the raw values of a record by input column, ``None`` for missing.

        Raises
        ------
        InvalidDataError
            With every problem of the record.
        """
        return self._validator.validate(record)

    def score_valid(self, valid: Sequence[Mapping[str, Any]]) -> ScoredRecords:
        """Return the model's output for what :meth:`validate` returned; see :meth:`score_records`."""
        if not valid:
            return ScoredRecords((), {}, {}, self._no_outputs())
        raw = self._to_columns(valid)
        engineered, outputs = self._compute(raw)
        return ScoredRecords(valid, raw, engineered, outputs)

    def predict_records(self, records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return one prediction per record, in order.

        Parameters
        ----------
        records
            Values by column name, as parsed from JSON.

        Returns
        -------
        list of dict
            ``{"label": ..., "probas": {class as text: probability}}``, or ``{"value": ...}`` in a regression.

        Raises
        ------
        InvalidDataError
            With every problem of every record.
        """
        return self.to_answers(self.score_records(records).outputs)

    def predict_record(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the prediction of one record; see :meth:`predict_records`."""
        return self.predict_records([record])[0]

    def to_answers(self, outputs: npt.NDArray[np.float64]) -> list[dict[str, Any]]:
        """Return the model's output in the form of :meth:`predict_records`.

        Parameters
        ----------
        outputs
            What :meth:`predict_columns` returned.
        """
        if self.classes is None:
            return [{"value": value} for value in outputs.tolist()]
        labels, names = self.classes, self._class_names
        coded = zip(most_probable(outputs).tolist(), outputs.tolist(), strict=True)
        if len(names) == 2:  # written out, because this is the most common case, and twice as fast
            first, second = names
            return [{"label": labels[code], "probas": {first: row[0], second: row[1]}} for code, row in coded]
        return [{"label": labels[code], "probas": dict(zip(names, row, strict=True))} for code, row in coded]

    def _compute(self, columns: Columns) -> tuple[Columns, npt.NDArray[np.float64]]:
        engineered = self.features.compute(columns)
        return engineered, np.asarray(self.engine.compute(engineered), dtype=np.float64)

    def _no_outputs(self) -> npt.NDArray[np.float64]:
        return np.empty(0 if self.classes is None else (0, len(self.classes)))

    def _to_frame(self, outputs: npt.NDArray[np.float64], index: pd.Index[Any]) -> pd.DataFrame:
        import pandas as pd

        if self.classes is None:
            return pd.DataFrame({VALUE: outputs}, index=index)
        labels = pd.Series(self.classes).take(most_probable(outputs)).set_axis(index)
        probabilities = pd.DataFrame(outputs, index=index, columns=list(self.output_columns[1:]))
        return pd.concat([labels.rename(LABEL), probabilities], axis="columns")


def most_probable(probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Return the position of each row's highest probability, the first one in a tie.

    Probabilities that are equal in single precision tie, so that engines which round differently give the same label.
    """
    return np.argmax(probabilities.astype(np.float32), axis=1)
