"""Large batches on a shorter way to SQLite: stored as text at once, made into rows later.

Making a row takes longer than all else that is done for a prediction of a large batch. So large batches are committed
as a few long JSON texts, column by column, and become rows when no further one comes. Readers see the predictions
either way.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from ml_project.monitoring.items import PredictionBatch
from ml_project.monitoring.rows import PREDICTION_COLUMNS, PredictionRow, encode_json, to_json_text
from ml_project.monitoring.tables import WAITING

if TYPE_CHECKING:
    from sqlalchemy import Connection

ROWS_PER_BLOCK = 256
"""Most rows of one text, and the fewest of a batch that is stored in this way: for fewer it does not pay. Writing the
text holds the interpreter's lock, for about a quarter of a millisecond."""
BLOCKS_PER_COMMIT = 4

# Names of this code, no values.
_OF_BLOCK = ("created_at", "request_id", "model_version", "latency_seconds")
_COLUMNS = f"{', '.join(_OF_BLOCK)}, predictions"
_INSERT = f"INSERT INTO {WAITING} ({_COLUMNS}) VALUES (:{', :'.join(_OF_BLOCK)}, :predictions)"  # noqa: S608
_SELECT = f"SELECT number, {_COLUMNS} FROM {WAITING}"  # noqa: S608
_OLDEST = f"SELECT min(number) FROM {WAITING} WHERE number NOT IN (SELECT value FROM json_each(?))"  # noqa: S608
_IN_TEXT = ("prediction_id", "record", "features", "output", "outliers")
_PLACES = {
    **{name: f"json_extract(value, '$[{place}]')" for place, name in enumerate(_IN_TEXT)},
    **{name: f":{name}" for name in _OF_BLOCK},
}
_INSERT_ROWS = (
    f"INSERT INTO {{table}} ({', '.join(PREDICTION_COLUMNS)}) "  # noqa: S608
    f"SELECT {', '.join(_PLACES[name] for name in PREDICTION_COLUMNS)} FROM json_each(:predictions) WHERE true "
    "ON CONFLICT DO NOTHING"
)


class UnreadableBlockError(ValueError):
    """The text of a block is not what this code writes."""


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

    def rows(self) -> list[PredictionRow]:
        """Return the rows."""
        return [
            (
                prediction_id,
                self.created_at,
                self.request_id,
                self.model_version,
                *map(to_json_text, values),
                self.latency_seconds,
            )
            for prediction_id, *values in self._by_row()
        ]

    def text_by_row(self) -> str:
        """Return JSON: a list with, per prediction, its identifier, record, features, output and outliers."""
        return encode_json(self._by_row())

    def _by_row(self) -> list[tuple[Any, ...]]:
        try:
            content = _parse(self.text)
            records, features = _by_row(content["records"]), _by_row(content["features"])
            return list(zip(content["ids"], records, features, content["outputs"], content["outliers"], strict=True))
        except (ValueError, TypeError, KeyError) as error:
            raise UnreadableBlockError(f"the predictions of {self.created_at} cannot be read: {error!r}") from error


def _parse(text: str) -> Any:
    try:
        return from_json(text, cache_strings="all")
    except ValueError:
        return json.loads(text)  # goes deeper into nested values


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


def _by_row(values: dict[str, list[Any]] | list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """Undo :func:`_by_column`."""
    if isinstance(values, list):
        return values
    return map(dict, map(zip, repeat(tuple(values)), zip(*values.values(), strict=True)))


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
        connection.exec_driver_sql(_INSERT, _parameters(block, block.text))


def insert_rows(connection: Connection, table: str, block: Block) -> None:
    """Insert the rows of a block into a table of SQLite; those that are there already are left as they are.

    The database takes the rows apart, while the interpreter's lock is free.
    """
    connection.exec_driver_sql(_INSERT_ROWS.format(table=table), _parameters(block, block.text_by_row()))


def oldest_block(connection: Connection, passed_over: Collection[int]) -> int | None:
    """Return the number of the block that waits for longest, whichever process left it; ``None`` when there is none."""
    number: int | None = connection.exec_driver_sql(_OLDEST, (json.dumps(list(passed_over)),)).scalar()
    return number


def find_block(connection: Connection, number: int) -> Block | None:
    """Return a block; ``None`` when it has become rows."""
    row = connection.exec_driver_sql(f"{_SELECT} WHERE number = ?", (number,)).one_or_none()
    return None if row is None else _to_block(row)


def delete_block(connection: Connection, number: int) -> int:
    """Delete a block; return how many are left."""
    connection.exec_driver_sql(f"DELETE FROM {WAITING} WHERE number = ?", (number,))  # noqa: S608
    n_left: int = connection.exec_driver_sql(f"SELECT count(*) FROM {WAITING}").scalar_one()  # noqa: S608
    return n_left


def _parameters(block: Block, predictions: str) -> dict[str, Any]:
    return {
        # SQLite has no type for times; this is how SQLAlchemy writes them.
        "created_at": block.created_at.replace(tzinfo=None).isoformat(" ", "microseconds"),
        "request_id": block.request_id,
        "model_version": block.model_version,
        "latency_seconds": block.latency_seconds,
        "predictions": predictions,
    }


def _to_block(row: Any) -> Block:
    created_at = dt.datetime.fromisoformat(row.created_at).replace(tzinfo=dt.UTC)
    return Block(created_at, row.request_id, row.model_version, row.latency_seconds, row.predictions)
