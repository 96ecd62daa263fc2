"""Stored predictions read back as a frame, with the labels that became known."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from ml_project.errors import DataSourceError
from ml_project.masking import mask_credentials
from ml_project.monitoring.address import explain, parse_url, sqlite_file
from ml_project.monitoring.blocks import UnreadableBlockError, find_block, insert_rows
from ml_project.monitoring.engine import create_engine
from ml_project.monitoring.tables import (
    PREDICTIONS,
    has_tables,
    has_waiting,
    labels_table,
    predictions_table,
    waiting_table,
)

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import URL, Connection, FromClause, Select, Table

FETCH_ROWS = 10_000
TIMEOUT_SECONDS = 30.0
SECTIONS = ("record", "features", "output")
"""The table's columns that become one column per field."""
_COPY = "predictions_of_blocks"

logger = logging.getLogger("ml_project.monitoring")

Moment = dt.datetime | str
"""A time: naive ones, and texts in ISO 8601 without a zone, are UTC."""


def read_predictions(
    url: str,
    *,
    since: Moment | None = None,
    until: Moment | None = None,
    model_version: str | None = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """Return stored predictions, the newest last.

    Parameters
    ----------
    url
        ``monitoring.storage.url``.
    since, until
        Only predictions from this time on, and before that time.
    model_version
        Only predictions of this model.
    limit
        Only so many of the newest; it also limits the memory needed.

    Returns
    -------
    pandas.DataFrame
        One row per prediction with ``prediction_id``, ``created_at`` (UTC), ``request_id``, ``model_version``,
        ``latency_seconds``, ``outliers`` (lists of fields), ``record.<column>``, ``features.<column>``,
        ``output.label`` and ``output.probas.<class>`` or ``output.value``, and ``label``: the label fed back last, NaN
        where there is none. Times in records are texts in ISO 8601.

    Raises
    ------
    DataSourceError
        When the database cannot be read or holds no predictions.
    """
    import sqlalchemy as sa

    shown = mask_credentials(url)
    parsed = parse_url(url)
    file = sqlite_file(parsed)
    if file is not None and not file.is_file():
        raise DataSourceError(f"There is no file {str(file)!r}; no prediction has been stored there yet.")
    engine = create_engine(parsed if file is None else _existing_file(parsed, file), TIMEOUT_SECONDS)
    options = {"postgresql_readonly": True} if engine.dialect.name == "postgresql" else {}
    try:
        with engine.connect().execution_options(**options) as connection:
            if not has_tables(connection):
                raise DataSourceError(f"{shown} has no table of predictions; none has been stored there yet.")
            statement = _select(connection, _Wanted(since, until, model_version, limit))
            return _read(connection, statement, newest_first=limit is not None)
    except sa.exc.SQLAlchemyError as error:
        raise DataSourceError(f"Predictions cannot be read from {shown} ({explain(error, url)}).") from error
    finally:
        engine.dispose()


def _existing_file(url: URL, file: Path) -> URL:
    """Return the URL with which a SQLite file is opened but not made.

    It is not opened for reading only: such a connection leaves auxiliary files behind, which a service that runs as
    another user could not write.
    """
    address = file.as_uri().replace("file://", "file:")
    return url.set(database=address).update_query_dict({"mode": "rw", "uri": "true"})


@dataclass(frozen=True)
class _Wanted:
    """Which predictions are wanted; see :func:`read_predictions`."""

    since: Moment | None
    until: Moment | None
    model_version: str | None
    limit: int | None

    def narrow(self, source: FromClause) -> Select[Any]:
        """Return the wanted rows of a table, in order."""
        import sqlalchemy as sa

        return self.order(self.restrict(sa.select(source), source.c), source.c)

    def restrict(self, statement: Select[Any], columns: Any) -> Select[Any]:
        """Return a statement for the wanted rows of a table, without a limit to their number."""
        if self.since is not None:
            statement = statement.where(columns.created_at >= _to_utc(self.since))
        if self.until is not None:
            statement = statement.where(columns.created_at < _to_utc(self.until))
        if self.model_version is not None:
            statement = statement.where(columns.model_version == self.model_version)
        return statement

    def order(self, statement: Select[Any], columns: Any) -> Select[Any]:
        """Return a statement with the order of its rows, the newest first where their number is limited."""
        if self.limit is None:
            return statement.order_by(columns.created_at, columns.prediction_id)
        return statement.order_by(columns.created_at.desc(), columns.prediction_id.desc()).limit(self.limit)


def _select(connection: Connection, wanted: _Wanted) -> Select[Any]:
    """Return the wanted predictions with their latest labels; in SQLite also those that are not rows yet."""
    import sqlalchemy as sa

    table, labels = predictions_table(), labels_table()
    found: FromClause = wanted.narrow(table).subquery()
    if connection.dialect.name == "sqlite" and has_waiting(connection):
        waiting = wanted.narrow(_copy_waiting(connection, wanted)).subquery()
        is_new = waiting.c.prediction_id.not_in(sa.select(table.c.prediction_id))
        found = sa.union_all(sa.select(found), sa.select(waiting).where(is_new)).subquery()
    latest_label = (
        sa.select(labels.c.label)
        .where(labels.c.prediction_id == found.c.prediction_id)
        .order_by(labels.c.received_at.desc(), labels.c.label_id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return wanted.order(sa.select(found, latest_label.label("label")), found.c)


def _copy_waiting(connection: Connection, wanted: _Wanted) -> Table:
    """Make rows of the wanted predictions that wait for it, in a temporary table of the connection."""
    import sqlalchemy as sa

    copy = predictions_table().to_metadata(sa.MetaData(), name=_COPY)
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {_COPY} AS SELECT * FROM {PREDICTIONS} WHERE false")  # noqa: S608
    columns = waiting_table().c
    found = wanted.restrict(sa.select(columns.number), columns)
    n_rows, oldest = 0, None
    for number in connection.scalars(found.order_by(columns.created_at.desc(), columns.number.desc())).all():
        block = find_block(connection, number)
        if block is None:
            continue
        if wanted.limit is not None and n_rows >= wanted.limit and block.created_at != oldest:
            break
        oldest = block.created_at
        try:
            insert_rows(connection, _COPY, block)
        except UnreadableBlockError as error:
            logger.warning("A block of a large batch is left out: %s", error)
        n_rows = connection.exec_driver_sql(f"SELECT count(*) FROM {_COPY}").scalar_one()  # noqa: S608
    return copy


def _to_utc(moment: Moment) -> dt.datetime:
    """Return a time in UTC.

    Examples
    --------
    >>> _to_utc("2024-05-17T08:30:00+02:00").isoformat()
    '2024-05-17T06:30:00+00:00'
    """
    time = dt.datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return time.replace(tzinfo=dt.UTC) if time.tzinfo is None else time.astimezone(dt.UTC)


def _read(connection: Connection, statement: Select[Any], *, newest_first: bool) -> pd.DataFrame:
    streaming = connection.execution_options(stream_results=True, yield_per=FETCH_ROWS)
    with streaming.execute(statement) as result:
        names = list(result.keys())
        rows = [tuple(row) for part in result.partitions() for row in part]
    return _to_frame(dict(zip(names, _transpose(rows[::-1] if newest_first else rows, len(names)), strict=True)))


def _transpose(rows: list[tuple[Any, ...]], n_columns: int) -> list[Sequence[Any]]:
    return list(zip(*rows, strict=True)) if rows else [()] * n_columns


def _to_frame(stored: dict[str, Sequence[Any]]) -> pd.DataFrame:
    import pandas as pd

    plain = pd.DataFrame({name: values for name, values in stored.items() if name not in (*SECTIONS, "label")})
    plain["created_at"] = pd.to_datetime(plain["created_at"], utc=True).astype("datetime64[us, UTC]")
    plain["outliers"] = pd.Series(_parse(stored["outliers"]), dtype=object)
    sections = [_to_columns(_parse(stored[name]), f"{name}.") for name in SECTIONS]
    labels = _parse(["NaN" if text is None else text for text in stored["label"]])
    fields = pd.concat([*sections, pd.DataFrame({"label": labels})], axis="columns")
    empty = [name for name in fields if fields[name].isna().all()]
    return pd.concat([plain, fields.astype(dict.fromkeys(empty, "float64"))], axis="columns")


def _parse(texts: Sequence[str]) -> list[Any]:
    """Return the values of JSON texts, which are read as one, because that is quicker."""
    together = f"[{','.join(texts)}]"
    try:
        values: list[Any] = from_json(together, cache_strings="all")
    except ValueError:
        # Halves of surrogate pairs are no text to pandas; question marks stand for them.
        readable = json.dumps(json.loads(together), ensure_ascii=False).encode("utf-8", "replace")
        values = from_json(readable)
    return values


def _to_columns(records: list[dict[str, Any]], prefix: str) -> pd.DataFrame:
    """Return one column per field, and for fields that hold mappings one per field of these."""
    import pandas as pd

    frame = pd.DataFrame(records, index=range(len(records)))
    parts = [pd.DataFrame(index=frame.index)]
    for name, values in frame.items():
        if values.dtype == "object" and any(isinstance(value, dict) for value in values):
            inner = [value if isinstance(value, dict) else {} for value in values]
            parts.append(_to_columns(inner, f"{prefix}{name}."))
        else:
            parts.append(values.rename(f"{prefix}{name}").to_frame())
    return pd.concat(parts, axis="columns")
