"""The database's tables, made where they are missing and refused where they are others."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import TYPE_CHECKING, Any

from ml_project.errors import DataSourceError
from ml_project.monitoring.rows import TEXT_LENGTHS

if TYPE_CHECKING:
    from sqlalchemy import Connection, MetaData, Table
    from sqlalchemy.types import TypeEngine

PREDICTIONS, LABELS, WAITING = "predictions", "labels", "predictions_waiting"
# Ids differ by case, and texts may hold any character, also where a MySQL server's defaults are others.
_OPTIONS: dict[str, Any] = {
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
}


@cache
def get_tables() -> MetaData:
    """Return the description of both tables."""
    import sqlalchemy as sa

    metadata = sa.MetaData()
    sa.Table(
        PREDICTIONS,
        metadata,
        sa.Column("prediction_id", sa.String(TEXT_LENGTHS["prediction_id"]), primary_key=True),
        sa.Column("created_at", _time_type(), nullable=False),
        sa.Column("request_id", sa.String(TEXT_LENGTHS["request_id"])),
        sa.Column("model_version", sa.String(TEXT_LENGTHS["model_version"]), nullable=False),
        *(sa.Column(name, _json_type(), nullable=False) for name in ("record", "features", "output", "outliers")),
        sa.Column("latency_seconds", sa.Double),
        sa.Index("predictions_created_at", "created_at"),
        sa.Index("predictions_model_version", "model_version"),
        **_OPTIONS,
    )
    sa.Table(
        LABELS,
        metadata,
        sa.Column("label_id", sa.String(TEXT_LENGTHS["label_id"]), primary_key=True),
        sa.Column("prediction_id", sa.String(TEXT_LENGTHS["prediction_id"]), nullable=False),
        sa.Column("label", _json_type(), nullable=False),
        sa.Column("received_at", _time_type(), nullable=False),
        sa.Index("labels_prediction_id", "prediction_id"),
        **_OPTIONS,
    )
    return metadata


@cache
def get_sqlite_tables() -> MetaData:
    """Return the description of what only SQLite has: large batches that are to become rows."""
    import sqlalchemy as sa

    metadata = sa.MetaData()
    sa.Table(
        WAITING,
        metadata,
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("created_at", _time_type(), nullable=False),
        sa.Column("request_id", sa.String(TEXT_LENGTHS["request_id"])),
        sa.Column("model_version", sa.String(TEXT_LENGTHS["model_version"]), nullable=False),
        sa.Column("latency_seconds", sa.Double),
        sa.Column("predictions", sa.UnicodeText, nullable=False),
    )
    return metadata


def predictions_table() -> Table:
    """Return the table with one row per prediction."""
    return get_tables().tables[PREDICTIONS]


def labels_table() -> Table:
    """Return the table with one row per label that was fed back."""
    return get_tables().tables[LABELS]


def waiting_table() -> Table:
    """Return SQLite's table of large batches."""
    return get_sqlite_tables().tables[WAITING]


def make_tables(connection: Connection) -> None:
    """Make the tables that are missing; the caller commits."""
    get_tables().create_all(connection)
    if connection.dialect.name == "sqlite":
        get_sqlite_tables().create_all(connection)


def has_tables(connection: Connection) -> bool:
    """Return whether both tables are there, whatever their columns."""
    import sqlalchemy as sa

    inspector = sa.inspect(connection)
    return all(inspector.has_table(name) for name in get_tables().tables)


def has_waiting(connection: Connection) -> bool:
    """Return whether a SQLite file has large batches that are not rows yet."""
    import sqlalchemy as sa

    has_table = sa.inspect(connection).has_table(WAITING)
    return has_table and connection.scalar(sa.select(waiting_table().c.number).limit(1)) is not None


def check_tables(connection: Connection) -> None:
    """Refuse tables that lack a column.

    Raises
    ------
    DataSourceError
        Naming table and columns.
    """
    import sqlalchemy as sa

    inspector = sa.inspect(connection)
    of_sqlite = get_sqlite_tables().sorted_tables if connection.dialect.name == "sqlite" else []
    for table in (*get_tables().sorted_tables, *of_sqlite):
        found = [column["name"] for column in inspector.get_columns(table.name)]
        missing = [column.name for column in table.columns if column.name not in found]
        if missing:
            raise DataSourceError(
                f"The table {table.name!r} is another one: it has no column {', '.join(missing)}, but "
                f"{', '.join(found)}; rename it, or set monitoring.storage.url to another database."
            )


def _json_type() -> TypeEngine[str]:
    import sqlalchemy as sa
    from sqlalchemy.dialects import mysql

    return sa.UnicodeText().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")


def _time_type() -> TypeEngine[dt.datetime]:
    import sqlalchemy as sa
    from sqlalchemy.dialects import mysql

    exact = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
    return exact.with_variant(sa.TIMESTAMP(timezone=True), "oracle")
