"""SQLAlchemy engines with the limits that each driver knows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ml_project.errors import DataSourceError

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

LONGEST_LOCK_SECONDS = 1.0
"""How long another program's lock on a SQLite file is waited for before an attempt counts as failed."""


def create_engine(url: URL, timeout_seconds: float) -> Engine:
    """Return an engine that keeps no idle connections and shows no values in its errors.

    Raises
    ------
    DataSourceError
        When the driver is not installed or the kind of database is unknown.
    """
    import sqlalchemy as sa

    given = {name: value for name, value in _connect_arguments(url, timeout_seconds).items() if name not in url.query}
    try:
        return sa.create_engine(url, connect_args=given, poolclass=sa.pool.NullPool, hide_parameters=True)
    except ModuleNotFoundError as error:
        raise DataSourceError(
            f"The driver package {error.name!r} is not installed; install it, or use SQLite or PostgreSQL "
            "(monitoring.storage.url)."
        ) from error
    except sa.exc.NoSuchModuleError as error:
        raise DataSourceError(
            f"monitoring.storage.url starts with {url.drivername!r}, which is no database that SQLAlchemy knows; "
            "write it like sqlite:///output/predictions.db or postgresql://user:password@host:5432/database."
        ) from error


def _connect_arguments(url: URL, timeout_seconds: float) -> dict[str, Any]:
    """Return limits for a driver that knows them, so that a database which is gone is noticed."""
    seconds = max(2, math.ceil(timeout_seconds))
    match url.get_driver_name():
        case "pysqlite":
            # Without an isolation level the driver begins no transactions of its own.
            return {"timeout": min(LONGEST_LOCK_SECONDS, timeout_seconds / 4), "isolation_level": None}
        case "psycopg" | "psycopg2":
            keepalive = {"keepalives_idle": 30, "keepalives_interval": 5, "keepalives_count": 3}
            return {"connect_timeout": seconds, "tcp_user_timeout": seconds * 1000, **keepalive}
        case "pymysql" | "mysqldb":
            return {"connect_timeout": seconds, "read_timeout": seconds, "write_timeout": seconds}
        case _:
            return {}
