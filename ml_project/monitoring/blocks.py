"""Large batches on a shorter way to SQLite: stored as text at once, made into rows when there is time.

Making a row takes longer than all else that is done for a prediction of a large batch. So large batches are committed
as a few long JSON texts. When nothing else waits, the database takes them apart by itself, without the interpreter's
lock. Readers see the predictions either way.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml_project.monitoring.items import PredictionBatch
from ml_project.monitoring.rows import PREDICTION_COLUMNS, encode_json, split_columns
from ml_project.monitoring.tables import PREDICTIONS, WAITING

if TYPE_CHECKING:
    from sqlalchemy import Connection

ROWS_PER_BLOCK = 256
"""Most rows of one text, and the fewest of a batch that is stored in this way: for fewer it does not pay. Writing the
text holds the interpreter's lock, for about half a millisecond."""
BLOCKS_PER_COMMIT = 4

_IN_TEXT = ("prediction_id", "record", "features", "output", "outliers")
# Names of this code, no values.
_INSERT = (
    f"INSERT INTO {WAITING} (created_at, request_id, model_version, latency_seconds, predictions) "  # noqa: S608
    "VALUES (:created_at, :request_id, :model_version, :latency_seconds, :text)"
)
_VALUES = ", ".join(
    f"json_extract(value, '$[{_IN_TEXT.index(name)}]') AS {name}" if name in _IN_TEXT else f"waiting.{name}"
    for name in PREDICTION_COLUMNS
)
SELECT_WAITING = f"SELECT {_VALUES} FROM {WAITING} AS waiting, json_each(waiting.predictions) WHERE true"  # noqa: S608
"""The predictions that are not rows yet, as rows of the other table."""
_SPREAD = (
    f"INSERT INTO {PREDICTIONS} ({', '.join(PREDICTION_COLUMNS)}) {SELECT_WAITING} AND waiting.number <= :last "
    "ON CONFLICT DO NOTHING"
)
_FIND_LAST = f"SELECT max(number) FROM (SELECT number FROM {WAITING} ORDER BY number LIMIT :n_blocks)"  # noqa: S608
_COUNT = f"SELECT count(*) FROM {WAITING}"  # noqa: S608
_DELETE = f"DELETE FROM {WAITING} WHERE number <= :last"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a batch, and its rows as text.

    Attributes
    ----------
    batch
        The whole batch.
    start, stop
        Positions of the first prediction and of the one after the last.
    text
        JSON: a list with, per prediction, its identifier, record, features, output and outliers.
    """

    batch: PredictionBatch
    start: int
    stop: int
    text: str


def to_block(batch: PredictionBatch, start: int, stop: int) -> Block | None:
    """Return a part of a batch as a block; ``None`` when JSON in UTF-8 cannot hold one of its values."""
    part = slice(start, stop)
    features = split_columns(batch.engineered, start, stop)
    columns = (batch.ids[part], batch.records[part], features, batch.outputs[part], batch.outliers[part])
    try:
        return Block(batch, start, stop, encode_json(list(zip(*columns, strict=True))))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class BatchOfBlocks:
    """A large batch with its blocks."""

    batch: PredictionBatch
    blocks: tuple[Block, ...]


def to_blocks(batch: PredictionBatch) -> BatchOfBlocks | PredictionBatch:
    """Return a large batch with its blocks, or as it is where it has a value that no block can hold."""
    n_rows = len(batch.ids)
    blocks = []
    for start in range(0, n_rows, ROWS_PER_BLOCK):
        block = to_block(batch, start, min(start + ROWS_PER_BLOCK, n_rows))
        if block is None:
            return batch
        blocks.append(block)
    return BatchOfBlocks(batch, tuple(blocks))


def insert_blocks(connection: Connection, blocks: Sequence[Block]) -> None:
    """Insert blocks into SQLite."""
    for block in blocks:
        batch = block.batch
        created_at = dt.datetime.fromtimestamp(batch.created_at, dt.UTC).replace(tzinfo=None)
        parameters = {
            "created_at": created_at.isoformat(" ", "microseconds"),
            "request_id": batch.request_id,
            "model_version": batch.model_version,
            "latency_seconds": batch.latency_seconds if math.isfinite(batch.latency_seconds) else None,
            "text": block.text,
        }
        connection.exec_driver_sql(_INSERT, parameters)


def spread_blocks(connection: Connection, n_blocks: int) -> int:
    """Make rows of the oldest blocks, whichever process left them; return how many are left."""
    last = connection.exec_driver_sql(_FIND_LAST, {"n_blocks": n_blocks}).scalar()
    if last is None:
        return 0
    connection.exec_driver_sql(_SPREAD, {"last": last})
    connection.exec_driver_sql(_DELETE, {"last": last})
    n_left: int = connection.exec_driver_sql(_COUNT).scalar_one()
    return n_left
