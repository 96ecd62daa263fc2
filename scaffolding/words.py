"""Numbers, shares, names and lists in prose, on a terminal and in Markdown."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

MAX_CELL = 160
TERMINAL_WIDTH = 110
MAX_HEAD = 24
"""Columns of a terminal for what a line is about, beside which the text stands."""
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "row"), counted(2000, "row"), counted(2, "class", "classes")
    ('1 row', '2,000 rows', '2 classes')
    """
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def number_text(value: Any) -> str:
    """Return a number with at most four significant decimals; thousands are separated from 10,000 on.

    So a year reads as one.

    Examples
    --------
    >>> number_text(1234567.0), number_text(2007), number_text(0.123456), number_text(1e-9), number_text(2e20)
    ('1,234,567', '2007', '0.1235', '1e-09', '2e+20')
    """
    number = float(value)
    size = abs(number)
    separator = "," if size >= 10_000 else ""
    if number.is_integer() and size < 10**15:
        return f"{int(number):{separator}}"
    if size >= 10**15 or size < 10**-4:
        return f"{number:.4g}"
    return f"{number:{separator}.1f}" if size >= 1000 else f"{number:.4g}"


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


def section(title: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield lines for a terminal: a blank one, a title, and each text beside what it is about.

    What several rows in turn are about is said once. Without rows there is no line.

    Parameters
    ----------
    title
        What the rows have in common.
    rows
        What a text is about, and the text.

    Examples
    --------
    >>> list(section("Gone", [("age", "not in the table"), ("age", "a feature"), ("fare", "not in the table")]))
    ['', 'Gone', '  age   not in the table', '        a feature', '  fare  not in the table']
    """
    found = list(rows)
    if not found:
        return
    yield from ("", title)
    width = min(MAX_HEAD, max(len(head) for head, _ in found))
    before = None
    for head, text in found:
        line = f"  {'' if head == before else head:<{width}}  {text}"
        indent = " " * (width + 4)
        yield from textwrap.wrap(
            line, TERMINAL_WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
        before = head


def plain_name(name: str) -> str:
    r"""Return a name on one line as it is; in quotation marks where it would not be seen or not end where it does.

    Examples
    --------
    >>> plain_name("age"), plain_name("two\nlines"), plain_name(" "), plain_name("\u202ege")
    ('age', 'two lines', "' '", '\\u202ege')
    """
    one_line = " ".join(name.split())
    return _visible(one_line) if one_line else repr(name)


def code(text: str) -> str:
    r"""Return a name in the font of code, for prose, whatever it holds.

    Examples
    --------
    >>> code("age"), code("a`b|c")
    ('`age`', '``a`b|c``')
    """
    one_line = _visible(" ".join(text.split())) or " "
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", one_line)), default=0))
    padding = " " if one_line.startswith("`") or one_line.endswith("`") else ""
    return f"{fence}{padding}{one_line}{padding}{fence}"


def code_in_cell(text: str) -> str:
    r"""Return a name in the font of code, for a cell of a table.

    Examples
    --------
    >>> code_in_cell("a|b")
    '`a\\|b`'
    """
    return _without_bars(code(text))


def in_prose(text: str) -> str:
    r"""Return a text as one line that Markdown takes literally.

    Examples
    --------
    >>> in_prose("a*b <br> _id_ of some_table \\ c")
    'a\\*b &lt;br> \\_id\\_ of some_table \\\\ c'
    """
    one_line = _visible(" ".join(text.split()))
    return re.sub(r"([\\*`\[\]]|(?<![^\W_])_|_(?![^\W_]))", r"\\\1", one_line).replace("<", "&lt;")


def in_cell(text: str) -> str:
    r"""Return a text, shortened where it is long, as one line that Markdown takes literally in a cell of a table.

    Examples
    --------
    >>> in_cell("a|b <br>")
    'a\\|b &lt;br>'
    """
    one_line = " ".join(text.split())
    short = one_line if len(one_line) <= MAX_CELL else f"{one_line[:MAX_CELL]} ..."
    return _without_bars(in_prose(short))


def _visible(text: str) -> str:
    """Return a text in which what steers the writing, such as a change of its direction, is seen as its code."""
    steering = (character in _DIRECTIONS or unicodedata.category(character) in ("Cc", "Cs") for character in text)
    return "".join(
        character.encode("unicode_escape").decode() if steers else character
        for character, steers in zip(text, steering, strict=True)
    )


def _without_bars(text: str) -> str:
    return text.replace("|", "\\|")
