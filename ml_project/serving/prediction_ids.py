"""Identifiers of predictions: UUIDs of version 7 (RFC 9562), which sort by time and so suit a database's index."""

from __future__ import annotations

import os
import time

_VERSION = 7 << 76
_VARIANT = 2 << 62
_RANDOM_BITS = 62


def new_prediction_ids(count: int) -> list[str]:
    """Return new identifiers; those of one call follow each other.

    Examples
    --------
    >>> first, second = new_prediction_ids(2)
    >>> len(first), first[14], first < second
    (36, '7', True)
    """
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    # The counter starts in the lower half, so that no batch can overflow it.
    start = random & ((1 << (_RANDOM_BITS - 1)) - 1)
    prefix = (milliseconds << 80) | _VERSION | ((random >> _RANDOM_BITS & 0xFFF) << 64) | _VARIANT
    return [_written(prefix | (start + position)) for position in range(count)]


def _written(number: int) -> str:
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
