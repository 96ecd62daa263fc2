"""Identifiers of predictions: UUIDs of version 7 (RFC 9562), which sort by time and so suit a database's index."""

from __future__ import annotations

import os
import time

_VERSION = 7 << 76
_VARIANT = 2 << 62
_RANDOM_BITS = 62
_COUNTER_BITS = 48


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
    number = (milliseconds << 80) | _VERSION | ((random >> _RANDOM_BITS & 0xFFF) << 64) | _VARIANT
    digits = f"{number | random & ((1 << _RANDOM_BITS) - 1):032x}"
    beginning = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-"
    # The counter starts in the lower half of its bits, so that no batch can overflow it.
    start = random & ((1 << (_COUNTER_BITS - 1)) - 1)
    return [f"{beginning}{position:012x}" for position in range(start, start + count)]
