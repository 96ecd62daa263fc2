"""SQLAlchemy URLs: parsed, shown without secrets, and made read-only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ml_project.data.names import nearest_name
from ml_project.errors import DataSourceError

if TYPE_CHECKING:
    from sqlalchemy import URL

HARMLESS_OPTIONS = frozenset(
    {
        "application_name", "applicationintent", "authentication", "charset", "client_encoding", "connect_timeout",
        "driver", "encrypt", "location", "mode", "role", "schema", "service_name", "sslmode", "timeout",
        "trusted_connection", "trustservercertificate", "uri", "versionid", "warehouse",
    }
)  # fmt: skip
"""Options of addresses whose values hold no secret; drivers have more of others than can be listed."""


def parse_address(address: str) -> URL:
    """Return the URL of a database; ``postgres://`` is understood as ``postgresql://``.

    Raises
    ------
    DataSourceError
        When it is no SQLAlchemy URL.
    """
    import sqlalchemy as sa

    scheme, separator, rest = address.partition("://")
    try:
        url = sa.make_url(f"{'postgresql' if scheme == 'postgres' else scheme}{separator}{rest}")
    except (sa.exc.ArgumentError, ValueError):
        # The cause would show the address, password included.
        raise _unparsable(scheme if separator else address) from None
    if url.get_backend_name() != "sqlite" and "@" in f"{url.host or ''}{url.database or ''}":
        # A password with an unescaped @ or / has been cut in two, and its end taken for the host or database.
        raise _unparsable(scheme)
    return url


def _unparsable(start: str) -> DataSourceError:
    return DataSourceError(
        f"data.source ({start}...) is no SQLAlchemy URL; write it like sqlite:///folder/file.db or "
        "postgresql://user:password@host:5432/database, with special characters of the password percent-encoded."
    )


def is_harmless(option: str) -> bool:
    """Return whether the value of an option of an address may be shown and written down."""
    return option.lower() in HARMLESS_OPTIONS


def shown(url: URL) -> str:
    """Return a URL with the password masked, and all options that may hold a secret, for messages."""
    hidden = {name: "***" for name in url.query if not is_harmless(name)}
    return url.update_query_dict(hidden).render_as_string(hide_password=True).replace("%2A%2A%2A", "***")


def sqlite_path(url: URL) -> Path | None:
    """Return the file of an SQLite URL; ``None`` for other databases, memory and ``file:`` addresses."""
    database = url.database
    if url.get_backend_name() != "sqlite" or not database or database == ":memory:" or database.startswith("file:"):
        return None
    return Path(database)


def check_sqlite_file(url: URL) -> None:
    """Refuse an SQLite file that is not there, which SQLite would create, or empty.

    Raises
    ------
    DataSourceError
        With a file name near the missing one.
    """
    path = sqlite_path(url)
    if path is None:
        return
    if not path.is_file():
        names = sorted(entry.name for entry in path.parent.iterdir()) if path.parent.is_dir() else []
        near = nearest_name(path.name, names)
        hint = (
            f"did you mean {near!r}?" if near else "check data.source; a relative path starts at the working directory."
        )
        raise DataSourceError(f"The SQLite file {str(path)!r} does not exist; {hint}")
    if path.stat().st_size == 0:
        raise DataSourceError(f"The SQLite file {str(path)!r} is empty (0 bytes); check how it was written or copied.")


def read_only(url: URL) -> URL:
    """Return the URL with which an SQLite file is opened for reading only; other URLs as they are."""
    path = sqlite_path(url)
    if path is None or url.get_driver_name() != "pysqlite":
        return url
    return url.set(database=path.absolute().as_uri().replace("file://", "file:")).update_query_dict(
        {"mode": "ro", "uri": "true"}
    )
