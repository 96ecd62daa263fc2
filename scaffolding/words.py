"""Numbers, shares and lists in prose and in tables of Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

MAX_CELL = 160


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "row"), counted(2000, "row"), counted(2, "class", "classes")
    ('1 row', '2,000 rows', '2 classes')
    """
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def number_text(value: Any) -> str:
    """Return a number with at most four significant decimals, thousands separated.

    Examples
    --------
    >>> number_text(1234567.0), number_text(0.123456), number_text(1e-9), number_text(2e20)
    ('1,234,567', '0.1235', '1e-09', '2e+20')
    """
    number = float(value)
    if number.is_integer() and abs(number) < 10**15:
        return f"{int(number):,}"
    if abs(number) >= 10**15 or abs(number) < 10**-4:
        return f"{number:.4g}"
    return f"{number:,.1f}" if abs(number) >= 1000 else f"{number:.4g}"


def share_text(share: float) -> str:
    """Return a share in percent; one that is not zero never reads as zero, one below all never as all.

    Examples
    --------
    >>> share_text(0.0), share_text(0.00001), share_text(0.375), share_text(0.9999)
    ('0 %', '< 0.1 %', '37.5 %', '> 99.9 %')
    """
    percent = 100 * share
    if 0 < percent < 0.1:
        return "< 0.1 %"
    if 99.9 < percent < 100:
        return "> 99.9 %"
    return f"{percent:.1f} %".replace(".0 %", " %")


def listed(items: Sequence[str], *, most: int) -> str:
    """Return items separated by commas, at most some of them and how many more there are.

    Examples
    --------
    >>> listed(["a", "b"], most=5), listed(["a", "b", "c", "d"], most=2)
    ('a, b', 'a, b and 2 more')
    """
    named = ", ".join(items[:most])
    return named if len(items) <= most else f"{named} and {len(items) - most:,} more"


def code(text: str) -> str:
    r"""Return a name in the font of code, in prose and in a cell of a table, whatever it holds.

    Examples
    --------
    >>> code("age"), code("a`b|c")
    ('`age`', '``a`b\\|c``')
    """
    one_line = " ".join(text.split()) or " "
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", one_line)), default=0))
    padding = " " if one_line.startswith("`") or one_line.endswith("`") else ""
    return f"{fence}{padding}{_without_bars(one_line)}{padding}{fence}"


def in_cell(text: str) -> str:
    r"""Return a text as one line that Markdown takes literally, in a cell of a table.

    Examples
    --------
    >>> in_cell("a|b <br>")
    'a\\|b &lt;br>'
    """
    one_line = " ".join(text.split())
    short = one_line if len(one_line) <= MAX_CELL else f"{one_line[:MAX_CELL]} ..."
    return _without_bars(re.sub(r"([*_`\[\]])", r"\\\1", short).replace("<", "&lt;"))


def _without_bars(text: str) -> str:
    return text.replace("|", "\\|")
