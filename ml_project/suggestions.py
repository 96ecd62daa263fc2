"""The end of a message about a name that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def suggest(name: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown name: the closest known names, or all of them.

    Examples
    --------
    >>> suggest("titel", ["title", "deck"])
    "; did you mean 'title'?"
    >>> suggest("xyz", ["title", "deck"])
    "; known: 'deck', 'title'"
    """
    names = sorted(known)
    close = get_close_matches(name.strip().lower(), names, n=3, cutoff=0.7)
    if close:
        return f"; did you mean {' or '.join(map(repr, close))}?"
    return f"; known: {', '.join(map(repr, names))}" if names else "; none is known"
