"""Values as the Python literals that a careful person would write: short, quoted once, never wider than a line."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

MAX_TEXT_WIDTH = 92
"""Columns that a text may take; with indentation and keyword it then stays within a line of 120."""

_EXACT_WHOLE_NUMBERS = 2**53


def literal(value: str | int | float | bool) -> str:
    """Return any plain value as a Python literal.

    Examples
    --------
    >>> literal(1.0), literal("S"), literal(True)
    ('1.0', "'S'", 'True')
    """
    return text_literal(value) if isinstance(value, str) else repr(value)


def number_literal(value: float) -> str:
    """Return a number without decimals where it has none.

    Examples
    --------
    >>> number_literal(3.0), number_literal(0.25), number_literal(1e300)
    ('3', '0.25', '1e+300')
    """
    whole = value.is_integer() and abs(value) <= _EXACT_WHOLE_NUMBERS
    return str(int(value)) if whole else repr(float(value))


def text_literal(text: str) -> str:
    """Return a text as one literal, or as several in parentheses where it is too wide for a line.

    What cannot be printed is escaped.
    """
    if _width(repr(text)) <= MAX_TEXT_WIDTH:
        return repr(text)
    return "(" + " ".join(repr(piece) for piece in _pieces(text)) + ")"


def pattern_literal(pattern: str) -> str:
    r"""Return a regular expression as a raw literal where that reads better.

    Examples
    --------
    >>> print(pattern_literal(r"[A-Z]\d{4}$"), pattern_literal("[A-Z]"))
    r"[A-Z]\d{4}$" '[A-Z]'
    """
    plain = text_literal(pattern)
    needs_no_escape = pattern.isprintable() and not re.search(r'["\']|(?<!\\)(\\\\)*\\$', pattern)
    return f'r"{pattern}"' if "\\" in pattern and needs_no_escape and not plain.startswith("(") else plain


def moment_literal(moment: dt.datetime) -> str:
    """Return a date or a date with time as a timestamp of pandas.

    Examples
    --------
    >>> moment_literal(dt.datetime(2024, 5, 17)), moment_literal(dt.datetime(2024, 5, 17, 8, 30))
    ("pd.Timestamp('2024-05-17')", "pd.Timestamp('2024-05-17 08:30:00')")
    """
    text = moment.date().isoformat() if moment.time() == dt.time() else moment.isoformat(sep=" ")
    return f"pd.Timestamp({text!r})"


def _width(text: str) -> int:
    """Return the columns of a terminal that a text takes."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _pieces(text: str) -> list[str]:
    """Return the text in pieces whose literals fit into a line, cut behind blanks where there are any."""
    pieces = [""]
    for word in re.findall(r"\S*\s|\S+", text):
        if pieces[-1] and _width(repr(pieces[-1] + word)) > MAX_TEXT_WIDTH:
            pieces.append("")
        for character in word:
            if _width(repr(pieces[-1] + character)) > MAX_TEXT_WIDTH:
                pieces.append("")
            pieces[-1] += character
    return pieces
