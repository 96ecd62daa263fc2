"""Predictions for records, with identifiers, outliers, storage and metrics; knows no web framework and no protocol."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from ml_project.artifacts.loading import LoadedArtifact
from ml_project.errors import InvalidDataError, NotReadyError, Problem, StorageOffError
from ml_project.monitoring.storage import BatchOfBlocks, Feedback, PredictionBatch, PredictionStorage
from ml_project.prediction.pipeline import ScoredRecords
from ml_project.serving.codecs.limits import check_n_records
from ml_project.serving.metrics import ServiceMetrics
from ml_project.serving.model_host import ModelHost
from ml_project.serving.prediction_ids import new_prediction_ids
from ml_project.serving.together import PreparedRecord, score_together

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ServedPredictions:
    """The answers to some records.

    Attributes
    ----------
    answers
        Per record ``{"prediction_id", "label", "probas"}`` or ``{"prediction_id", "value"}``, and ``"outliers"``, the
        fields beyond what training saw, where there are any.
    model
        What predicted.
    stored
        Done when the predictions are stored, where answers are to wait for it.
    """

    answers: list[Answer]
    model: LoadedArtifact
    stored: Future[None] | None


class PredictionService:
    """Predicts with the current model of a host.

    Parameters
    ----------
    host
        Holds the current model.
    storage
        Where predictions are kept; ``None`` keeps nothing.
    metrics
        What is counted.
    max_batch_rows
        Most records at once.
    """

    def __init__(
        self, host: ModelHost, *, storage: PredictionStorage | None, metrics: ServiceMetrics, max_batch_rows: int
    ) -> None:
        self.host = host
        self.storage = storage
        self.metrics = metrics
        self.max_batch_rows = max_batch_rows

    def current_model(self) -> LoadedArtifact:
        """Return the model that predicts now.

        Raises
        ------
        NotReadyError
            When none is loaded.
        """
        model = self.host.current
        if model is None:
            raise NotReadyError("No model is loaded yet; try again when GET /ready answers 200.")
        return model

    def prepare(self, records: Sequence[Any]) -> list[PreparedRecord | None]:
        """Score the single records of several requests by one call of the engine; see :func:`score_together`."""
        model = self.host.current
        return [None] * len(records) if model is None else score_together(model, records)

    def predict(
        self,
        records: Sequence[Mapping[str, Any]],
        *,
        request_id: str | None = None,
        afterwards: list[Callable[[], object]] | None = None,
    ) -> ServedPredictions:
        """Return one answer per record, in order.

        Parameters
        ----------
        records
            Values by column name, as parsed from JSON.
        request_id
            What the stored predictions are found by, beside their own identifiers.
        afterwards
            Takes what can wait until the answers are on their way; nothing waits where there is no such list.

        Raises
        ------
        NotReadyError
            When no model is loaded.
        BatchTooLargeError
            When there are too many records.
        InvalidDataError
            With every problem of every record.
        """
        started = time.perf_counter()
        model = self.current_model()
        check_n_records(len(records), self.max_batch_rows)
        try:
            scored = model.pipeline.score_records(records)
        except InvalidDataError:
            self.metrics.count_invalid()
            raise
        return self._serve(records, scored, model, started, request_id, afterwards)

    def predict_prepared(
        self, prepared: PreparedRecord, *, request_id: str, afterwards: list[Callable[[], object]]
    ) -> ServedPredictions:
        """Return the answer for a record that :meth:`prepare` has scored; see :meth:`predict`."""
        records = (prepared.record,)
        return self._serve(records, prepared.scored, prepared.model, prepared.started, request_id, afterwards)

    def _serve(
        self,
        records: Sequence[Mapping[str, Any]],
        scored: ScoredRecords,
        model: LoadedArtifact,
        started: float,
        request_id: str | None,
        afterwards: list[Callable[[], object]] | None,
    ) -> ServedPredictions:
        outputs = model.pipeline.to_answers(scored.outputs)
        outliers = model.outlier_check.find(scored.records, scored.raw)
        ids = new_prediction_ids(len(outputs))
        batch = PredictionBatch(
            ids=ids,
            created_at=time.time(),
            request_id=request_id,
            model_version=model.model_version,
            records=_with_identifiers(scored, records, model.pipeline.id_column),
            engineered=scored.engineered,
            outputs=outputs,
            outliers=outliers,
            latency_seconds=time.perf_counter() - started,
        )
        stored = None
        item = batch if self.storage is None else self.storage.prepare(batch)
        if afterwards is None or (self.storage is not None and self.storage.is_durable):
            stored = self._store(item)
            self._count(batch)
        elif isinstance(item, BatchOfBlocks):
            self._count(batch)  # now, so that this thread, which made the many objects of the batch, frees them as well
            afterwards.append(partial(self._store, item))
        else:
            afterwards += (partial(self._store, item), partial(self._count, batch))
        return ServedPredictions(_answers(ids, outputs, outliers), model, stored)

    def _count(self, batch: PredictionBatch) -> None:
        self.metrics.count_predictions(batch.model_version, batch.outputs, batch.outliers)

    def _store(self, item: PredictionBatch | BatchOfBlocks) -> Future[None] | None:
        is_empty = isinstance(item, PredictionBatch) and not item.ids
        return None if self.storage is None or is_empty else self.storage.add(item)

    def take_feedback(self, prediction_id: Any, label: Any) -> tuple[str, Future[None] | None]:
        """Store what a prediction should have been; return the prediction's identifier, and what is to be waited for.

        Raises
        ------
        StorageOffError
            When predictions are not stored.
        InvalidDataError
            When the identifier is none, or the label is nothing that the model could have predicted.
        """
        if self.storage is None:
            raise StorageOffError("Labels cannot be taken, because this service stores no predictions.")
        identifier = _identifier(prediction_id)
        value, problems = _check_label(label, self.current_model())
        if identifier is None:
            wanted = "is not the identifier of a prediction; send the one of the answer"
            problems.insert(0, Problem(wanted, "prediction_id", value=prediction_id))
        if identifier is None or problems:
            raise InvalidDataError("The feedback cannot be used.", problems)
        self.metrics.count_feedback()
        return identifier, self.storage.add(Feedback(identifier, value, received_at=time.time()))

    def close(self) -> None:
        """Write what is not stored yet, and stop looking for new models."""
        self.host.close()
        if self.storage is not None:
            self.storage.close()


def _answers(ids: Sequence[str], outputs: Sequence[Answer], outliers: Sequence[Sequence[str]]) -> list[Answer]:
    answers = [{"prediction_id": name, **output} for name, output in zip(ids, outputs, strict=True)]
    for answer, fields in zip(answers, outliers, strict=True):
        if fields:
            answer["outliers"] = list(fields)
    return answers


def _with_identifiers(
    scored: ScoredRecords, records: Sequence[Mapping[str, Any]], id_column: str | None
) -> Sequence[Mapping[str, Any]]:
    """Return the raw records, each with its identifier where it came with one."""
    if id_column is None or not scored.records or id_column in scored.records[0]:
        return scored.records
    return [
        {id_column: record[id_column], **valid} if id_column in record else valid
        for record, valid in zip(records, scored.records, strict=True)
    ]


def _identifier(prediction_id: Any) -> str | None:
    """Return an identifier in the form in which it is stored; ``None`` where it is none."""
    try:
        return str(uuid.UUID(prediction_id))
    except (ValueError, TypeError, AttributeError):
        return None


def _check_label(label: Any, model: LoadedArtifact) -> tuple[Any, list[Problem]]:
    """Return a label as the model could have predicted it, or what is wrong with it."""
    classes = model.pipeline.classes
    if classes is None:
        if isinstance(label, int | float) and not isinstance(label, bool):
            with suppress(OverflowError):
                return float(label), []
        return None, [Problem("must be a number", "label", value=label)]
    for value in classes:
        if label == value and isinstance(label, bool) == isinstance(value, bool):
            return value, []
    return None, [Problem(f"must be one of {', '.join(map(str, classes))}", "label", value=label)]
