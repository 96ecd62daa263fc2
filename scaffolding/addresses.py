"""Addresses of data as they may be written into files and shown: without passwords and other secrets."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

from ml_project.data.sources.opening import FILE_SCHEMES
from ml_project.data.sources.sql_address import is_harmless, parse_address
from ml_project.data.sources.storage import Storage
from ml_project.errors import ConfigError

_ODBC = "odbc_connect"


def is_database(address: str) -> bool:
    """Return whether an address is an SQLAlchemy URL."""
    return Storage(address).scheme not in FILE_SCHEMES


def has_server(address: str) -> bool:
    """Return whether an address is that of a database which may ask for a password.

    Examples
    --------
    >>> has_server("postgresql://me@host/crm"), has_server("sqlite:///crm.db"), has_server("crm.csv")
    (True, False, False)
    """
    return is_database(address) and parse_address(address).get_backend_name() != "sqlite"


def without_secrets(address: str) -> str:
    """Return an address without passwords, and with no other option than those that hold no secret.

    Only databases keep the name of their user, who has a password elsewhere.

    Examples
    --------
    >>> without_secrets("postgresql://me:secret@host:5432/crm?sslmode=require&pass=secret")
    'postgresql://me@host:5432/crm?sslmode=require'
    >>> without_secrets("s3://key:secret@bucket/people.csv")
    's3://bucket/people.csv'
    >>> without_secrets("data/people.csv")
    'data/people.csv'
    """
    if "://" not in address:
        return address
    if not is_database(address) or is_of_web(address):
        return _url_without_secrets(address)
    url = parse_address(address)
    secret = [name for name in url.query if not is_harmless(name)]
    if url.password is None and not secret:
        return address
    # set(password=None) would leave the password as it is
    return url._replace(password=None).difference_update_query(secret).render_as_string(hide_password=False)


def refuse_secrets(address: str) -> None:
    """Refuse an address in which secrets stand where they can neither be left out nor be replaced.

    Raises
    ------
    ConfigError
        When it is the address of a file with credentials, or holds a whole ODBC connection.
    """
    if "://" not in address or is_of_web(address):  # what lies in the web is to be downloaded anyway
        return
    if not is_database(address):
        if without_secrets(address) != address:
            raise ConfigError(
                f"The address {without_secrets(address)!r} is given with credentials, which would stand in files of "
                "the project; omit them there, and set them in the environment, for instance AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY."
            )
    elif any(name.lower() == _ODBC for name in parse_address(address).query):
        raise ConfigError(
            f"The address holds a whole ODBC connection ({_ODBC}=...), in which a password may stand; write it as "
            "mssql+pyodbc://user:password@host:1433/database?driver=ODBC+Driver+18+for+SQL+Server."
        )


def is_of_web(address: str) -> bool:
    """Return whether an address is that of something to download."""
    return Storage(address).scheme in {"http", "https", "ftp"}


def _url_without_secrets(address: str) -> str:
    """Return the URL of a file without user and secret options; as it is where there are none."""
    parts = urlsplit(address)
    options = parse_qsl(parts.query)
    kept = [(name, value) for name, value in options if is_harmless(name)]
    user, _, host = parts.netloc.rpartition("@")
    if not user and kept == options:
        return address
    return parts._replace(netloc=host, query=urlencode(kept)).geturl()
