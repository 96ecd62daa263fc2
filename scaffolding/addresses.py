"""Addresses of data as they may be written into files: without passwords and other secrets."""

from __future__ import annotations

from ml_project.data.sources.opening import FILE_SCHEMES
from ml_project.data.sources.sql_address import SECRET_WORDS, parse_address
from ml_project.data.sources.storage import Storage


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
    """Return an address without the password and without other secrets of a database's URL.

    Examples
    --------
    >>> without_secrets("postgresql://me:secret@host:5432/crm?sslmode=require")
    'postgresql://me@host:5432/crm?sslmode=require'
    >>> without_secrets("data/people.csv")
    'data/people.csv'
    """
    if not has_server(address):
        return address
    url = parse_address(address)
    secret = [name for name in url.query if any(word in name.lower() for word in SECRET_WORDS)]
    # set(password=None) would leave the password as it is
    return url._replace(password=None).difference_update_query(secret).render_as_string(hide_password=False)
