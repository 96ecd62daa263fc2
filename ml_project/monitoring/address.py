"""The database's address: parsed, and shown without secrets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ml_project.data.sources.sql_address import sqlite_path
from ml_project.errors import DataSourceError
from ml_project.masking import MASK, mask_credentials

if TYPE_CHECKING:
    from sqlalchemy import URL

MAX_REASON_LENGTH = 300


def parse_url(url: str) -> URL:
    """Return a database's URL; ``postgres://`` is understood as ``postgresql://``, a SQLite file's path is absolute.

    Raises
    ------
    DataSourceError
        When it is no SQLAlchemy URL.

    Examples
    --------
    >>> parse_url("postgres://me@db/monitoring").drivername
    'postgresql'
    """
    import sqlalchemy as sa

    scheme, separator, rest = url.partition("://")
    try:
        parsed = sa.make_url(f"{'postgresql' if scheme == 'postgres' else scheme}{separator}{rest}")
    except (sa.exc.ArgumentError, ValueError):
        # The cause would show the address, password included.
        raise DataSourceError(
            f"monitoring.storage.url ({mask_credentials(url)}) is no SQLAlchemy URL; write it like "
            "sqlite:///output/predictions.db or postgresql://user:password@host:5432/database."
        ) from None
    path = sqlite_path(parsed)
    return parsed if path is None else parsed.set(database=str(path.absolute()))


def sqlite_file(url: URL) -> Path | None:
    """Return the file of a parsed SQLite URL; ``None`` for other databases."""
    return sqlite_path(url)


def explain(error: BaseException, url: str) -> str:
    """Return what a driver complained about as one line without rows of data and without the password.

    Drivers put the rows that a database refused into the lines after the first, and SQLAlchemy all parameters.
    """
    cause = getattr(error, "orig", None) or error
    text = next((line.strip() for line in str(cause).splitlines() if line.strip()), "no reason given")
    credentials = url.partition("://")[2].rpartition("@")[0].partition(":")[2]
    shown = text.replace(credentials, MASK) if credentials else text
    return f"{type(cause).__name__}: {mask_credentials(shown)[:MAX_REASON_LENGTH]}"
