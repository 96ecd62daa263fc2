"""Sections of what is printed: a title, and lines with a head each."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

WIDTH = 110
BULLET = "-"
_WIDEST_HEAD = 24


def section_lines(title: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield a section; nothing where it has no rows.

    Parameters
    ----------
    title
        Its title.
    rows
        Heads and texts; a head that follows itself is not repeated, but for a bullet.

    Examples
    --------
    >>> list(section_lines("Found", [("age", "below 0"), ("age", "above 99"), ("name", "new")]))
    ['', 'Found', '  age   below 0', '        above 99', '  name  new']
    >>> list(section_lines("Look at", [(BULLET, "this"), (BULLET, "that")]))
    ['', 'Look at', '  -  this', '  -  that']
    """
    lines = list(rows)
    if not lines:
        return
    yield ""
    yield title
    width = min(_WIDEST_HEAD, max(len(head) for head, _ in lines))
    before = None
    for head, text in lines:
        shown = "" if head == before != BULLET else head
        yield from textwrap.wrap(
            f"  {shown:<{width}}  {text}",
            WIDTH,
            subsequent_indent=" " * (width + 4),
            break_long_words=False,
            break_on_hyphens=False,
        )
        before = head
