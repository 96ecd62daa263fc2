"""Predictions and labels as rows of the database's tables: texts, numbers and times that every database takes."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
from pydantic_core import SchemaSerializer, core_schema

from ml_project.data.columns import Columns
from ml_project.monitoring.items import Feedback, Item, PredictionBatch


class LabelRow(NamedTuple):
    """A row of the table of labels."""

    label_id: str
    prediction_id: str
    label: str
    received_at: dt.datetime


PredictionRow = tuple[str, dt.datetime, str | None, str, str, str, str, str, float | None]
"""Values in the order of :data:`PREDICTION_COLUMNS`. A plain tuple, because thousands are made per second."""
Row = PredictionRow | LabelRow

PREDICTION_COLUMNS = (
    "prediction_id",
    "created_at",
    "request_id",
    "model_version",
    "record",
    "features",
    "output",
    "outliers",
    "latency_seconds",
)
JSON_COLUMNS = frozenset({"record", "features", "output", "outliers", "label"})
TIME_COLUMNS = frozenset({"created_at", "received_at"})
TEXT_LENGTHS = {"prediction_id": 64, "label_id": 64, "request_id": 200, "model_version": 200}

NO_OUTLIERS = "[]"

_to_json = SchemaSerializer(core_schema.any_schema(), core_schema.CoreConfig(ser_json_inf_nan="null")).to_json
_label_numbers = itertools.count()


def to_prediction_rows(batch: PredictionBatch, start: int, stop: int) -> list[PredictionRow]:
    """Return the rows of a part of a batch.

    Parameters
    ----------
    batch
        Predictions of a request.
    start, stop
        Positions of the first prediction and of the one after the last.

    Examples
    --------
    >>> features = {"f": np.array([np.nan])}
    >>> batch = PredictionBatch(["a"], 0.0, None, "1", [{"x": 1}], features, [{"value": 2.5}], [()], 0.1)
    >>> to_prediction_rows(batch, 0, 1)[0][4:7]
    ('{"x":1}', '{"f":null}', '{"value":2.5}')
    """
    created_at = dt.datetime.fromtimestamp(batch.created_at, dt.UTC)
    latency = batch.latency_seconds if math.isfinite(batch.latency_seconds) else None
    return [
        (
            batch.ids[position],
            created_at,
            batch.request_id,
            batch.model_version,
            to_json_text(batch.records[position]),
            to_json_text(features),
            to_json_text(batch.outputs[position]),
            to_json_text(outliers) if (outliers := batch.outliers[position]) else NO_OUTLIERS,
            latency,
        )
        for position, features in zip(range(start, stop), split_columns(batch.engineered, start, stop), strict=True)
    ]


def split_columns(columns: Columns, start: int, stop: int) -> Iterable[dict[str, Any]]:
    """Return the rows of a part of columns."""
    if stop - start == 1 or not columns:
        return [{name: values.item(row) for name, values in columns.items()} for row in range(start, stop)]
    by_row = zip(*(values[start:stop].tolist() for values in columns.values()), strict=True)
    return map(dict, map(zip, itertools.repeat(tuple(columns)), by_row))


def to_rows(item: Item, start: int, stop: int) -> list[Row]:
    """Return the rows of a part of a batch, or of a label, which is a whole."""
    return [to_label_row(item)] if isinstance(item, Feedback) else list(to_prediction_rows(item, start, stop))


def to_label_row(feedback: Feedback) -> LabelRow:
    """Return the row of a label; its key grows in the order in which one process receives labels."""
    label_id = f"{int(feedback.received_at * 1e6):015x}-{next(_label_numbers):010x}-{os.urandom(8).hex()}"
    received_at = dt.datetime.fromtimestamp(feedback.received_at, dt.UTC)
    return LabelRow(label_id, feedback.prediction_id, to_json_text(feedback.label), received_at)


def to_json_text(value: Any) -> str:
    """Return a value as JSON: times in ISO 8601, numbers that are not finite as null.

    What JSON does not know, and halves of surrogate pairs, cost more time, but no prediction.

    Examples
    --------
    >>> to_json_text({"at": dt.datetime(1912, 4, 10), "x": float("nan")})
    '{"at":"1912-04-10T00:00:00","x":null}'
    """
    try:
        return encode_json(value)
    except ValueError:
        return json.dumps(_plain(value), separators=(",", ":"))


def encode_json(value: Any) -> str:
    """Return a value as JSON in a quick way.

    Raises
    ------
    ValueError
        When JSON in UTF-8 cannot hold it.
    """
    return _to_json(value).decode()


def _plain(value: Any) -> Any:
    """Return a value as what the standard library's JSON encoder takes."""
    if isinstance(value, (np.ndarray, np.generic)):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return value.isoformat() if isinstance(value, (dt.datetime, dt.date)) else str(value)


def to_plain_ascii(row: Row) -> Row:
    r"""Return a row that a database refused in a form that it should take: ASCII without NUL, texts cut to length.

    Examples
    --------
    >>> to_plain_ascii(LabelRow("1", "ä\0", '"ä"', dt.datetime(1912, 4, 10))).prediction_id
    '\\xe4\\x00'
    """
    if isinstance(row, LabelRow):
        return LabelRow(*_in_ascii(row, LabelRow._fields))
    return cast("PredictionRow", _in_ascii(row, PREDICTION_COLUMNS))


def _in_ascii(row: Sequence[Any], columns: Sequence[str]) -> tuple[Any, ...]:
    return tuple(
        _text_in_ascii(value, name) if isinstance(value, str) else value
        for value, name in zip(row, columns, strict=True)
    )


def _text_in_ascii(text: str, column: str) -> str:
    if column in JSON_COLUMNS:
        return json.dumps(json.loads(text), separators=(",", ":"))
    escaped = text.encode("ascii", "backslashreplace").decode("ascii").replace("\0", "\\x00")
    return escaped[: TEXT_LENGTHS[column]]
