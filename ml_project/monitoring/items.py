"""What a service hands over to be stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ml_project.data.columns import Columns


@dataclass(slots=True)
class PredictionBatch:
    """The predictions of one request, with what they were computed from.

    Nothing in it may be changed after it was handed over: another thread may convert it later. It is not frozen,
    because making a frozen instance takes twice as long, and every request makes one.

    Attributes
    ----------
    ids
        One per prediction, at most 64 characters. Ids that grow with time (UUID version 7) cost a database half as much
        as random ones, and keep the rows of a batch in order when they are read back.
    created_at
        Seconds since the epoch.
    request_id
        The request that the predictions answered.
    model_version
        The model that gave them.
    records
        Raw values by input column, ``None`` for missing.
    engineered
        Engineered columns, arrays of shape ``(n_predictions,)``.
    outputs
        Answers without their ids.
    outliers
        Per prediction the fields in which the record is unlike the training data.
    latency_seconds
        Time from the request to its answer.
    """

    ids: Sequence[str]
    created_at: float
    request_id: str | None
    model_version: str
    records: Sequence[Mapping[str, Any]]
    engineered: Columns
    outputs: Sequence[Mapping[str, Any]]
    outliers: Sequence[Sequence[str]]
    latency_seconds: float


@dataclass(slots=True)
class Feedback:
    """A label that became known after the prediction.

    Attributes
    ----------
    prediction_id
        The prediction that it belongs to; one that is not stored yet may be named.
    label
        True value of the target.
    received_at
        Seconds since the epoch. The latest label of a prediction counts.
    """

    prediction_id: str
    label: bool | int | float | str
    received_at: float


Item = PredictionBatch | Feedback


def count_predictions(item: Item) -> int:
    """Return how many rows an item becomes."""
    return len(item.ids) if isinstance(item, PredictionBatch) else 1
