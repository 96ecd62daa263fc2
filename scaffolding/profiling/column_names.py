"""What the name of a column says of it."""

from __future__ import annotations

import re

TIME_WORDS = frozenset(
    {"year", "years", "yr", "yyyy", "quarter", "season", "month", "months", "mnth", "mon", "week", "weeknum", "weekday"}
    | {"day", "days", "date", "time", "timestamp", "ts", "hour", "hr", "epoch", "period"}
)
"""Words for places in time, whose values are others tomorrow."""


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name in lower case.

    Examples
    --------
    >>> words_of("customerID"), words_of("Date of birth"), words_of("arr_time2")
    (('customer', 'id'), ('date', 'of', 'birth'), ('arr', 'time2'))
    """
    return tuple(re.sub(r"(?<=[a-z])(?=[A-Z])|[\W_]+", " ", name).lower().split())


def is_of_time(name: str) -> bool:
    """Return whether a name is that of a place in time.

    Examples
    --------
    >>> [is_of_time(name) for name in ("year", "sold_year", "YrSold", "mean radius", "date_count")]
    [True, True, True, False, False]
    """
    words = words_of(name)
    return bool(words) and (words[-1] in TIME_WORDS or words[0] in {"year", "yr", "month"})
