"""One open connection that writes rows, each once however often it is tried."""

from __future__ import annotations

import itertools
import math
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from ml_project.errors import DataSourceError
from ml_project.monitoring.address import parse_url, sqlite_file
from ml_project.monitoring.blocks import Block, delete_block, find_block, insert_blocks, insert_rows, oldest_block
from ml_project.monitoring.engine import create_engine
from ml_project.monitoring.rows import TIME_COLUMNS, LabelRow, Row
from ml_project.monitoring.tables import (
    PREDICTIONS,
    check_tables,
    has_tables,
    labels_table,
    make_tables,
    predictions_table,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Insert, Table

ROWS_PER_STATEMENT = 64
"""Rows sent at once. The interpreter's lock is held for their parameters, so more rows would delay requests."""

TIME_LENGTH = len("2024-05-17 08:30:00.000000")


class MovedError(DataSourceError):
    """The SQLite file that was opened is not the one that stands at its place any more."""


class Database:
    """An open connection to a database that has the tables.

    Parameters
    ----------
    url
        SQLAlchemy URL. A SQLite file's folder and the tables are made where they are missing.
    durable
        Whether a commit waits until the operating system has the data on disk (SQLite; other databases decide
        themselves).
    timeout_seconds
        Longest time for connecting and, where the database can limit it, for a statement.

    Raises
    ------
    DataSourceError
        When the address is none, the driver is not installed or a table is another one.
    sqlalchemy.exc.SQLAlchemyError, OSError
        What else opening a database raises.
    """

    def __init__(self, url: str, *, durable: bool, timeout_seconds: float) -> None:
        parsed = parse_url(url)
        self._file = sqlite_file(parsed)
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
        self._engine = create_engine(parsed, timeout_seconds)
        if self._engine.dialect.driver == "pysqlite":
            _set_up_sqlite(self._engine, durable)
        self._limits = _statement_limits(self._engine, timeout_seconds)
        try:
            self._connection = _prepare(self._engine)
            self._file_identity = _identify(self._file)
        except BaseException:
            self._engine.dispose()
            raise

    def write(self, rows: Sequence[Row]) -> None:
        """Insert rows in one transaction; those that are there already are left as they are.

        Raises
        ------
        MovedError
            When the SQLite file was moved or removed, so that nobody would see the rows.
        Exception
            What the driver raises.
        """
        self._check_place()
        predictions = [row for row in rows if not isinstance(row, LabelRow)]
        labels = [row for row in rows if isinstance(row, LabelRow)]
        with self._connection.begin():
            if self._limits:
                self._connection.exec_driver_sql(self._limits)
            self._insert(predictions_table(), predictions)
            self._insert(labels_table(), labels)

    @property
    def takes_blocks(self) -> bool:
        """Return whether :meth:`write_blocks` can be used."""
        return self._engine.dialect.driver == "pysqlite"

    def write_blocks(self, blocks: Sequence[Block]) -> None:
        """Insert blocks in one transaction; what it raises is that of :meth:`write`."""
        self._check_place()
        with self._connection.begin():
            insert_blocks(self._connection, blocks)

    def oldest_block(self, passed_over: Collection[int]) -> int | None:
        """Return the number of the block that waits for longest, but for some; ``None`` when there is none."""
        self._check_place()
        with self._connection.begin():
            return oldest_block(self._connection, passed_over)

    def spread_block(self, number: int) -> int:
        """Make rows of a block in one transaction; return how many blocks are left.

        Raises
        ------
        UnreadableBlockError
            When there is no way to do so.
        Exception
            What the driver raises, at once when another program writes: see :func:`is_busy`.
        """
        with self._without_waiting(), self._connection.begin():
            block = find_block(self._connection, number)
            if block is not None:  # else another process was quicker
                insert_rows(self._connection, PREDICTIONS, block)
            return delete_block(self._connection, number)

    @contextmanager
    def _without_waiting(self) -> Iterator[None]:
        """Let SQLite not wait for other programs: what has time gives way."""
        connection: Any = self._connection.connection.driver_connection
        (milliseconds,) = connection.execute("PRAGMA busy_timeout").fetchone()
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            yield
        finally:
            connection.execute(f"PRAGMA busy_timeout = {milliseconds}")

    def close(self) -> None:
        """Give the connection back."""
        try:
            self._connection.close()
        finally:
            self._engine.dispose()

    def _check_place(self) -> None:
        if self._file is not None and _identify(self._file) != self._file_identity:
            raise MovedError(f"The file {str(self._file)!r} was moved or removed.")

    def _insert(self, table: Table, rows: Sequence[Row]) -> None:
        insert = INSERTS.get(self._engine.dialect.driver, _insert_unknown)
        for start in range(0, len(rows), ROWS_PER_STATEMENT):
            insert(self._connection, table, rows[start : start + ROWS_PER_STATEMENT])


def is_busy(error: Exception) -> bool:
    """Return whether an error says that another program writes to the SQLite file."""
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    return code is not None and code & 0xFF == sqlite3.SQLITE_BUSY


def _insert_sqlite(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows by one statement, during which the interpreter's lock is free."""
    n_columns = len(table.columns)
    values: list[Any] = list(itertools.chain.from_iterable(rows))
    for position, column in enumerate(table.columns):
        if column.name in TIME_COLUMNS:
            # SQLite has no type for times; this is how SQLAlchemy writes them.
            times = values[position::n_columns]
            values[position::n_columns] = [time.isoformat(" ", "microseconds")[:TIME_LENGTH] for time in times]
    connection.exec_driver_sql(_sqlite_statement(table, len(rows)), tuple(values))


@lru_cache(maxsize=2 * ROWS_PER_STATEMENT)
def _sqlite_statement(table: Table, n_rows: int) -> str:
    from sqlalchemy.dialects import sqlite

    one_row = str(sqlite.insert(table).on_conflict_do_nothing().compile(dialect=sqlite.dialect(paramstyle="qmark")))
    values = f"({', '.join('?' * len(table.columns))})"
    return one_row.replace(values, ", ".join([values] * n_rows))


def _insert_postgresql(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows that are sent as one JSON text, which takes less time than parameters for each row."""
    connection.execute(_postgresql_statement(table), {"rows": to_json(_name_values(table, rows)).decode()})


@cache
def _postgresql_statement(table: Table) -> Insert:
    import sqlalchemy as sa
    from sqlalchemy.dialects import postgresql

    sent = sa.func.json_to_recordset(sa.cast(sa.bindparam("rows", type_=sa.Text), sa.JSON))
    columns = [sa.column(column.name, column.type) for column in table.columns]
    rows = sent.table_valued(*columns, name="sent").render_derived(with_types=True)
    insert = postgresql.insert(table).from_select([column.name for column in columns], sa.select(*rows.columns))
    return insert.on_conflict_do_nothing()


def _insert_mysql(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    from sqlalchemy.dialects import mysql

    key = next(iter(table.primary_key.columns))
    statement = mysql.insert(table).on_duplicate_key_update({key.name: key})
    connection.execute(statement, _name_values(table, rows))


def _insert_unknown(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows after looking which of them are there, as any database can."""
    import sqlalchemy as sa

    key = next(iter(table.primary_key.columns))
    values = {row[key.name]: row for row in _name_values(table, rows)}
    stored = set(connection.scalars(sa.select(key).where(key.in_(list(values)))))
    new = [row for name, row in values.items() if name not in stored]
    if new:
        connection.execute(sa.insert(table), new)


def _name_values(table: Table, rows: Sequence[Row]) -> list[dict[str, Any]]:
    # SQLAlchemy's names are of a class of its own, in which the JSON encoder looks for attributes, one by one.
    names = [str(column.name) for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in rows]


INSERTS: dict[str, Callable[[Connection, Table, Sequence[Row]], None]] = {
    "pysqlite": _insert_sqlite,
    "psycopg": _insert_postgresql,
    "psycopg2": _insert_postgresql,
    "pymysql": _insert_mysql,
    "mysqldb": _insert_mysql,
}
"""How rows that are there already are passed over, by driver."""


def _set_up_sqlite(engine: Engine, durable: bool) -> None:
    import sqlalchemy as sa

    @sa.event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # Asking for the right to write at the start waits for other writers; asking later would fail at once.
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _statement_limits(engine: Engine, timeout_seconds: float) -> str | None:
    """Return what limits the statements of a transaction, in PostgreSQL."""
    if engine.dialect.name != "postgresql":
        return None
    # The limit for locks is the shorter one, because its message says what is the matter.
    milliseconds = math.ceil(timeout_seconds * 1000)
    return f"SET LOCAL lock_timeout = {milliseconds // 2}; SET LOCAL statement_timeout = {milliseconds}"


def _prepare(engine: Engine) -> Connection:
    """Return a connection to a database that has the tables."""
    import sqlalchemy as sa

    connection = engine.connect()
    try:
        try:
            with connection.begin():
                make_tables(connection)
        except sa.exc.DBAPIError:
            # Another process may have made them in the meantime.
            with connection.begin():
                if not has_tables(connection):
                    raise
        with connection.begin():
            check_tables(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _identify(file: Path | None) -> tuple[int, int] | None:
    if file is None:
        return None
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
