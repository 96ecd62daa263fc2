"""Which known name was probably meant where a name is missing."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable
from typing import Any


def nearest_name(wanted: str, found: Iterable[str]) -> str | None:
    """Return the found name that is probably meant: other case, other blanks, a letter off.

    Examples
    --------
    >>> nearest_name("fare", ["Fare ", "cabin"])
    'Fare '
    >>> nearest_name("fare", ["cabin"]) is None
    True
    """
    by_essence = {_essence(name): name for name in reversed(list(found))}
    if _essence(wanted) in by_essence:
        return by_essence[_essence(wanted)]
    close = difflib.get_close_matches(_essence(wanted), by_essence, n=1, cutoff=0.8)
    return by_essence[close[0]] if close else None


def misspelt_names(found: Collection[Any], wanted: Iterable[str]) -> dict[str, str]:
    """Return by each absent name the unknown one that was probably meant to be it.

    Examples
    --------
    >>> misspelt_names(["Age", "note"], ["age", "fare"])
    {'age': 'Age'}
    """
    names = tuple(wanted)
    unknown = [str(name) for name in found if name not in names]
    absent = [name for name in names if name not in found] if unknown else []
    nearest = {name: nearest_name(name, unknown) for name in absent}
    return {name: meant for name, meant in nearest.items() if meant is not None}


def _essence(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()
