"""Values and their number in words."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.errors import MAX_SAMPLES_PER_PROBLEM
from ml_project.validation.requirements import written

_LONGEST = 40
_LONGEST_NUMBER = 12
_LOOKED_AT = 1000
"""Values among which different ones are looked for."""


def in_rows(rows: npt.NDArray[np.intp], n_rows: int) -> str:
    """Return in how many rows something is, their share and the first of them, counted from 0.

    Examples
    --------
    >>> in_rows(np.array([7]), 1309), in_rows(np.array([4, 9]), 4)
    ('in 1 row (0.1%), row 7', 'in 2 rows (50.0%), first row 4')
    """
    share = f"{len(rows) / n_rows:.1%}"
    words = "1 row" if len(rows) == 1 else f"{len(rows):,} rows"
    first = f", row {rows[0]}" if len(rows) == 1 else f", first row {rows[0]}"
    return f"in {words} ({'under 0.1%' if share == '0.0%' else share}){first}"


def samples(values: npt.NDArray[Any]) -> str:
    """Return up to five different values, the first ones.

    Examples
    --------
    >>> samples(np.array([3.0, 0.5, 3.0]))
    '3, 0.5'
    """
    different = list(dict.fromkeys(shown(value) for value in values[:_LOOKED_AT].tolist()))
    more = ", ..." if len(different) > MAX_SAMPLES_PER_PROBLEM or len(values) > _LOOKED_AT else ""
    return ", ".join(different[:MAX_SAMPLES_PER_PROBLEM]) + more


def shown(value: Any) -> str:
    """Return a value as a reader wants to see it: texts in quotes and cut, days without a time, numbers rounded."""
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(sep=" ")
    if isinstance(value, str):
        return repr(value if len(value) <= _LONGEST else f"{value[: _LONGEST - 3]}...")
    text = written(value)
    return f"{value:.6g}" if isinstance(value, float) and len(text) > _LONGEST_NUMBER else text
