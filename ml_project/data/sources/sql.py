"""Tables and queries of databases, read in a read-only transaction through a server-side cursor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ml_project.data.sources.base import Select, every_column, no_rows, refuse_repeated_names
from ml_project.data.sources.sql_address import check_sqlite_file, parse_address, read_only, shown
from ml_project.data.sources.sql_problems import explain_sql, missing_driver, unknown_table
from ml_project.errors import DataSourceError

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import URL, ColumnElement, Connection, CursorResult, Engine, TableClause

READ_ROWS = 50_000
"""Rows that are fetched at once when the whole table is read."""
CONNECT_SECONDS = 10


@dataclass(frozen=True)
class SqlSource:
    """A table or query of a database; values are those that the database's driver gives.

    Attributes
    ----------
    address
        SQLAlchemy URL; ``postgresql://`` means the driver psycopg 3.
    table
        Name of a table or view, with its schema as ``schema.table``. Rows come in the order of its primary key.
    query
        SELECT statement in place of a table. Give it an ORDER BY where runs shall be repeatable.
    """

    address: str = field(repr=False)
    table: str | None = None
    query: str | None = None

    def __post_init__(self) -> None:
        parse_address(self.address)

    @cached_property
    def _url(self) -> URL:
        return parse_address(self.address)

    def describe(self) -> str:
        """Return what is read from where, without the password."""
        what = f"query {' '.join((self.query or '').split())[:80]!r}" if self.table is None else f"table {self.table!r}"
        return f"{what} of {shown(self._url)}"

    def read_chunks(self, n_rows: int, *, skip_rows: int = 0, select: Select = every_column) -> Iterator[pd.DataFrame]:
        """Yield the rows in frames of ``n_rows`` rows; see :class:`ml_project.data.sources.base.Source`."""
        start = 0
        for names, rows in self._fetch(n_rows):
            kept = rows[max(0, skip_rows - start) :]
            start += len(rows)
            if kept:
                yield _to_frame(names, kept)[list(select(names))]
        if start == 0:
            raise no_rows(self.describe())

    def state(self) -> list[list[str]] | None:
        """Return ``None``: rows may be changed at any time, and may come in another order."""
        return None

    def read(self) -> pd.DataFrame:
        """Return all rows as one frame; see :class:`ml_project.data.sources.base.Source`."""
        import pandas as pd

        return pd.concat(list(self.read_chunks(READ_ROWS)), ignore_index=True)

    def count_rows(self) -> int | None:
        """Return the number of rows of a table; ``None`` for a query, which would have to run twice."""
        if self.table is None:
            return None
        import sqlalchemy as sa

        with self._connected() as connection:
            statement = sa.select(sa.func.count()).select_from(self._find_table(connection, self.table))
            return int(connection.execute(statement).scalar_one())

    def _fetch(self, n_rows: int) -> Iterator[tuple[list[str], list[tuple[Any, ...]]]]:
        """Yield column names with at most ``n_rows`` rows at a time."""
        with self._connected() as connection:
            streaming = connection.execution_options(stream_results=True, yield_per=n_rows)
            with self._execute(streaming) as result:
                if not result.returns_rows:
                    raise DataSourceError(
                        f"The {self.describe()} returns no rows; data.query must be a SELECT statement."
                    )
                names = list(result.keys())
                refuse_repeated_names(names, f"The result of {self.describe()}")
                for partition in result.partitions(n_rows):
                    yield names, [tuple(row) for row in partition]

    def _execute(self, connection: Connection) -> CursorResult[Any]:
        if self.table is None:
            # Sent as it stands, so that colons and percent signs in it are no parameters.
            return connection.execution_options(no_parameters=True).exec_driver_sql(
                (self.query or "").strip().rstrip(";")
            )
        import sqlalchemy as sa

        table = self._find_table(connection, self.table)
        key = sa.inspect(connection).get_pk_constraint(str(table.name), schema=table.schema)["constrained_columns"]
        columns: list[ColumnElement[Any]] = [sa.column(sa.sql.quoted_name(name, quote=True)) for name in key]
        return connection.execute(sa.select(sa.text("*")).select_from(table).order_by(*columns))

    def _find_table(self, connection: Connection, wanted: str) -> TableClause:
        import sqlalchemy as sa

        inspector = sa.inspect(connection)
        schema, _, name = wanted.rpartition(".")
        for table_schema, table_name in ((None, wanted), (schema or None, name)):
            if inspector.has_table(table_name, schema=table_schema):
                quoted_schema = None if table_schema is None else sa.sql.quoted_name(table_schema, quote=True)
                return sa.table(sa.sql.quoted_name(table_name, quote=True), schema=quoted_schema)
        raise unknown_table(inspector, wanted, schema or None, shown(self._url))

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """Open a connection whose transaction is never committed, and explain what the database raises."""
        import sqlalchemy as sa

        check_sqlite_file(self._url)
        engine = self._create_engine()
        try:
            with engine.connect() as connection:
                readonly = {"postgresql_readonly": True} if engine.dialect.name == "postgresql" else {}
                yield connection.execution_options(**readonly)
        except sa.exc.SQLAlchemyError as error:
            raise explain_sql(error, self.describe(), self._url) from error
        finally:
            engine.dispose()

    def _create_engine(self) -> Engine:
        import sqlalchemy as sa

        timeout = (
            {"connect_timeout": CONNECT_SECONDS}
            if self._url.get_backend_name() in {"postgresql", "mysql", "mariadb"}
            else {}
        )
        given = {name: value for name, value in timeout.items() if name not in self._url.query}
        try:
            return sa.create_engine(read_only(self._url), connect_args=given, poolclass=sa.pool.NullPool)
        except (ModuleNotFoundError, sa.exc.NoSuchModuleError) as error:
            raise missing_driver(error, self._url) from error


def _to_frame(names: list[str], rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    import pandas as pd

    # Objects keep whole numbers beside missing values exact, and every chunk alike.
    return pd.DataFrame(rows, columns=names, dtype=object)
