"""Large batches on a shorter way to SQLite: stored as text at once, made into rows when there is time.

Making a row takes longer than all else that is done for a prediction of a large batch. So large batches are committed
as a few long JSON texts, column by column, and become rows when no further one comes. Readers see the predictions
either way.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from ml_project.monitoring.items import PredictionBatch
from ml_project.monitoring.rows import PredictionRow, encode_json, to_json_text
from ml_project.monitoring.tables import WAITING

if TYPE_CHECKING:
    from sqlalchemy import Connection

ROWS_PER_BLOCK = 256
"""Most rows of one text, and the fewest of a batch that is stored in this way: for fewer it does not pay. Writing the
text holds the interpreter's lock, for about a quarter of a millisecond."""
BLOCKS_PER_COMMIT = 4
ROWS_PER_BREATH = 16
"""So many rows are made between two moments at which the interpreter's lock may be left to requests."""

# Names of this code, no values.
_COLUMNS = "created_at, request_id, model_version, latency_seconds, predictions"
_INSERT = f"INSERT INTO {WAITING} ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)"  # noqa: S608
_SELECT = f"SELECT number, {_COLUMNS} FROM {WAITING}"  # noqa: S608
_DELETE = f"DELETE FROM {WAITING} WHERE number <= ?"  # noqa: S608
_COUNT = f"SELECT count(*) FROM {WAITING}"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a batch as text.

    It does not hold the batch: its objects are best freed by the thread that made them, at once.

    Attributes
    ----------
    created_at
        In UTC.
    request_id, model_version, latency_seconds
        As in :class:`ml_project.monitoring.items.PredictionBatch`.
    text
        JSON object with lists of one item per prediction: ``ids``, ``outputs``, ``outliers``, and ``records`` and
        ``features``, which are objects with such a list per column, or one list of objects where these have no or
        different fields.
    """

    created_at: dt.datetime
    request_id: str | None
    model_version: str
    latency_seconds: float | None
    text: str

    def rows(self) -> Iterator[list[PredictionRow]]:
        """Yield the rows, a few at a time."""
        content = from_json(self.text, cache_strings="all")
        values = zip(
            _by_row(content["records"]), _by_row(content["features"]), content["outputs"], content["outliers"],
            strict=True,
        )  # fmt: skip
        rows: list[PredictionRow] = []
        for prediction_id, (record, features, output, outliers) in zip(content["ids"], values, strict=True):
            if len(rows) == ROWS_PER_BREATH:
                yield rows
                rows = []
            rows.append(
                (
                    prediction_id,
                    self.created_at,
                    self.request_id,
                    self.model_version,
                    to_json_text(record),
                    to_json_text(features),
                    to_json_text(output),
                    to_json_text(outliers),
                    self.latency_seconds,
                )
            )
        yield rows


def to_block(batch: PredictionBatch, start: int, stop: int) -> Block | None:
    """Return a part of a batch as a block; ``None`` when JSON in UTF-8 cannot hold one of its values."""
    part = slice(start, stop)
    content = {
        "ids": batch.ids[part],
        "records": _by_column(batch.records[part]),
        "features": {name: values[part].tolist() for name, values in batch.engineered.items()} or [{}] * (stop - start),
        "outputs": batch.outputs[part],
        "outliers": batch.outliers[part],
    }
    try:
        text = encode_json(content)
    except ValueError:
        return None
    created_at = dt.datetime.fromtimestamp(batch.created_at, dt.UTC)
    latency = batch.latency_seconds if math.isfinite(batch.latency_seconds) else None
    return Block(created_at, batch.request_id, batch.model_version, latency, text)


def _by_column(records: Sequence[Mapping[str, Any]]) -> Mapping[str, list[Any]] | Sequence[Mapping[str, Any]]:
    """Return one list per field; the records themselves where they have no or different fields."""
    names = tuple(records[0])
    if not names or {len(names)} != set(map(len, records)):
        return records
    try:
        return {name: [record[name] for record in records] for name in names}
    except KeyError:
        return records


def _by_row(values: dict[str, list[Any]] | list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Undo :func:`_by_column`."""
    if isinstance(values, list):
        yield from values
    else:
        names = tuple(values)
        for row in zip(*values.values(), strict=True):
            yield dict(zip(names, row, strict=True))


@dataclass(frozen=True, slots=True)
class BatchOfBlocks:
    """The blocks of a large batch, and the number of its predictions."""

    blocks: tuple[Block, ...]
    n_rows: int


def to_blocks(batch: PredictionBatch) -> BatchOfBlocks | PredictionBatch:
    """Return the blocks of a large batch, or the batch where it has a value that no block can hold."""
    n_rows = len(batch.ids)
    blocks = []
    for start in range(0, n_rows, ROWS_PER_BLOCK):
        block = to_block(batch, start, min(start + ROWS_PER_BLOCK, n_rows))
        if block is None:
            return batch
        blocks.append(block)
    return BatchOfBlocks(tuple(blocks), n_rows)


def insert_blocks(connection: Connection, blocks: Sequence[Block]) -> None:
    """Insert blocks into SQLite."""
    for block in blocks:
        created_at = block.created_at.replace(tzinfo=None).isoformat(" ", "microseconds")
        values = (created_at, block.request_id, block.model_version, block.latency_seconds, block.text)
        connection.exec_driver_sql(_INSERT, values)


def oldest_blocks(connection: Connection, n_blocks: int) -> dict[int, Block]:
    """Return the blocks that wait for longest, whichever process left them, by their numbers."""
    found = connection.exec_driver_sql(f"{_SELECT} ORDER BY number LIMIT ?", (n_blocks,))
    return {row.number: _to_block(row) for row in found}


def find_block(connection: Connection, number: int) -> Block | None:
    """Return a block; ``None`` when it has become rows."""
    row = connection.exec_driver_sql(f"{_SELECT} WHERE number = ?", (number,)).one_or_none()
    return None if row is None else _to_block(row)


def delete_blocks(connection: Connection, last: int) -> int:
    """Delete the blocks up to the one with a number; return how many are left."""
    connection.exec_driver_sql(_DELETE, (last,))
    n_left: int = connection.exec_driver_sql(_COUNT).scalar_one()
    return n_left


def _to_block(row: Any) -> Block:
    created_at = dt.datetime.fromisoformat(row.created_at).replace(tzinfo=dt.UTC)
    return Block(created_at, row.request_id, row.model_version, row.latency_seconds, row.predictions)
