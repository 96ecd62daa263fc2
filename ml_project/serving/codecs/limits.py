"""How many records a request may have, checked before an object is made for each of them."""

from __future__ import annotations

from ml_project.errors import BatchTooLargeError


def check_n_records(n_records: int, most: int) -> None:
    """Refuse more records than a service takes.

    Raises
    ------
    BatchTooLargeError
        When there are more than ``most``.

    Examples
    --------
    >>> check_n_records(11, 10)
    Traceback (most recent call last):
        ...
    ml_project.errors.BatchTooLargeError: 11 records at once are too many; send at most 10 per request
    """
    if n_records > most:
        raise BatchTooLargeError(f"{n_records:,} records at once are too many; send at most {most:,} per request")
