"""Why a database cannot be read, in words that say what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml_project.data.names import nearest_name
from ml_project.data.sources.sql_address import shown
from ml_project.errors import DataSourceError

if TYPE_CHECKING:
    from sqlalchemy import URL, Inspector
    from sqlalchemy.exc import SQLAlchemyError

MAX_NAMES = 10
PACKAGES_BY_MODULE = {
    "psycopg": "psycopg[binary]",
    "MySQLdb": "mysqlclient",
    "pyodbc": "pyodbc",
    "oracledb": "oracledb",
}
"""Package to install where it is not named like the module that a driver needs."""


def missing_driver(error: Exception, url: URL) -> DataSourceError:
    """Return the error for a driver that is not installed or a kind of database that is unknown."""
    if isinstance(error, ModuleNotFoundError):
        module = (error.name or "").split(".")[0]
        package = PACKAGES_BY_MODULE.get(module, module)
        return DataSourceError(
            f"{shown(url)} needs the driver package {package!r}, which is not installed; "
            f"install it with: pipenv install '{package}'"
        )
    return DataSourceError(
        f"data.source starts with {url.drivername!r}, which is neither object storage (s3://, gs://) nor a database "
        "that SQLAlchemy knows (for instance sqlite, postgresql, mysql); "
        "correct it, or install the package that brings it."
    )


def unknown_table(inspector: Inspector, wanted: str, schema: str | None, where: str) -> DataSourceError:
    """Return the error for a table that is not there, with the names that are."""
    if schema is not None and schema not in inspector.get_schema_names():
        schema = None
    prefix = f"{schema}." if schema else ""
    names = sorted(prefix + name for name in (*inspector.get_table_names(schema), *inspector.get_view_names(schema)))
    near = nearest_name(wanted, names)
    listed = ", ".join(names[:MAX_NAMES]) + (", ..." if len(names) > MAX_NAMES else "")
    hint = f"did you mean {near!r}? " if near else ""
    return DataSourceError(
        f"There is no table {wanted!r} in {where}; {hint}Tables found: {listed or 'none'}. Correct data.table."
    )


def explain_sql(error: SQLAlchemyError, what: str, url: URL) -> DataSourceError:
    """Return the error for what a database raised, with the password taken out of its words."""
    reason = " ".join(str(getattr(error, "orig", None) or error).split())[:400]
    if url.password:
        reason = reason.replace(str(url.password), "***")
    return DataSourceError(f"The {what} cannot be read ({reason}); {_advice(error, reason)}")


def _advice(error: SQLAlchemyError, reason: str) -> str:
    if "locked" in reason:
        return "another program holds the file locked: close it, or wait longer with ?timeout=SECONDS in data.source."
    if "not a database" in reason:
        return "the file is damaged or no SQLite file; check data.source."
    if getattr(error, "statement", None) is None:
        return "check that the database runs, and host, port, name, user and password in data.source."
    return "check data.query or data.table, and the rights of the user."
