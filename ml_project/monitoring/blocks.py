"""Large batches on a shorter way to SQLite: as one JSON text, which the database takes apart itself.

Parameters of a statement are bound one by one while the interpreter's lock is held; a text is one parameter, and while
SQLite reads it the lock is free for requests.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml_project.monitoring.items import PredictionBatch
from ml_project.monitoring.rows import PREDICTION_COLUMNS, encode_json, split_columns
from ml_project.monitoring.tables import PREDICTIONS

if TYPE_CHECKING:
    from sqlalchemy import Connection

ROWS_PER_BLOCK = 128
"""Rows of one text. Writing it holds the interpreter's lock, for a quarter of a millisecond."""
BLOCKS_PER_COMMIT = 8

# What differs from row to row comes from the text, what does not is a parameter.
_SOURCES = {
    "prediction_id": "json_extract(value, '$[0]')",
    "record": "json_extract(value, '$[1]')",
    "features": "json_extract(value, '$[2]')",
    "output": "json_extract(value, '$[3]')",
    "outliers": "json_extract(value, '$[4]')",
}
INSERT = (
    f"INSERT INTO {PREDICTIONS} ({', '.join(PREDICTION_COLUMNS)}) "  # noqa: S608  names of this code
    f"SELECT {', '.join(_SOURCES.get(name, f':{name}') for name in PREDICTION_COLUMNS)} "
    "FROM json_each(:text) WHERE true ON CONFLICT DO NOTHING"
)


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
        JSON: per prediction its identifier, record, features, output and outliers.
    """

    batch: PredictionBatch
    start: int
    stop: int
    text: str

    @property
    def n_rows(self) -> int:
        """Return the number of predictions."""
        return self.stop - self.start


def to_block(batch: PredictionBatch, start: int, stop: int) -> Block:
    """Return a part of a batch as a block.

    Raises
    ------
    ValueError
        When a value is none that JSON in UTF-8 can hold.
    """
    part = slice(start, stop)
    features = split_columns(batch.engineered, start, stop)
    columns = (batch.ids[part], batch.records[part], features, batch.outputs[part], batch.outliers[part])
    return Block(batch, start, stop, encode_json(list(zip(*columns, strict=True))))


def insert_blocks(connection: Connection, blocks: Sequence[Block]) -> None:
    """Insert the rows of blocks into SQLite; those that are there already are left as they are."""
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
        connection.exec_driver_sql(INSERT, parameters)
