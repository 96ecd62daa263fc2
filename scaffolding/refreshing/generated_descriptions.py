"""Descriptions of columns that a look at the data wrote, in contrast to those that a user did."""

from __future__ import annotations

import re

_GENERATED = re.compile(
    r"(?:No value|(?:Whole number|Number|Date|Date and time), .+ to .+|True or false, .+ true|Text, .+) in the data"
    r"(?:; .+ missing)?\."
    r"|One of \d+ categories, most often .+ \(.+\)(?:; .+ missing)?\.",
    re.DOTALL,
)


def is_generated(description: str | None) -> bool:
    """Return whether a description is still one of those that a new schema is written with.

    Examples
    --------
    >>> is_generated("Whole number, 2007 to 2009 in the data; 3 % missing."), is_generated("Year of the visit.")
    (True, False)
    """
    return description is not None and _GENERATED.fullmatch(description) is not None
