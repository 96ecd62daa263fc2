"""Which known name was probably meant where a name is missing."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any

MOST_COMPARED = 100
"""Unknown names of a record that are compared letter by letter: who sends very many must not keep a service busy."""


def nearest_name(wanted: str, found: Iterable[str]) -> str | None:
    """Return the found name that is probably meant: other case, other blanks, a letter off.

    Examples
    --------
    >>> nearest_name("fare", ["Fare ", "cabin"])
    'Fare '
    >>> nearest_name("fare", ["cabin"]) is None
    True
    """
    by_essence = _by_essence(found)
    return by_essence.get(_essence(wanted)) or _a_letter_off(wanted, by_essence)


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
    if len(unknown) > MOST_COMPARED:
        by_essence = _by_essence(unknown)
        return {name: by_essence[_essence(name)] for name in absent if _essence(name) in by_essence}
    return _nearest_names(tuple(absent), tuple(unknown)) if absent else {}


@lru_cache(maxsize=8)  # the records of a batch mostly have the same fields
def _nearest_names(absent: tuple[str, ...], unknown: tuple[str, ...]) -> dict[str, str]:
    nearest = {name: nearest_name(name, unknown) for name in absent}
    return {name: meant for name, meant in nearest.items() if meant is not None}


def _by_essence(names: Iterable[str]) -> dict[str, str]:
    return {_essence(name): name for name in reversed(list(names))}


def _a_letter_off(wanted: str, by_essence: Mapping[str, str]) -> str | None:
    close = difflib.get_close_matches(_essence(wanted), by_essence, n=1, cutoff=0.8)
    return by_essence[close[0]] if close else None


def _essence(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()
