"""Which signs a CSV file has before decimals and between thousands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

THOUSANDS = {".": ".", ",": ",", " ": " ", "\u00a0": " ", "\u202f": " ", "'": "'", "\u2019": "'"}
"""Separators of thousands as the config names them, by how they are written."""
LEAST_SHARE = 0.8
"""Share of a column's values that must be numbers of some kind, for the column to say something about signs."""

_DIGITS = re.compile(r"[+-]?\d+(?:[eE][+-]?\d+)?")
_SIMPLE = re.compile(r"[+-]?(?P<whole>\d*)(?P<decimal>[.,])(?P<digits>\d+)(?:[eE][+-]?\d+)?")
_GROUPED = re.compile(
    r"[+-]?[1-9]\d{0,2}(?P<sign>[., '\u2019\u00a0\u202f])\d{3}(?P<more>(?:(?P=sign)\d{3})*)"
    r"(?:(?P<decimal>[.,])\d+)?"
)


def number_signs(records: Sequence[Sequence[str]], delimiter: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``decimal`` and ``thousands`` of a CSV file, as far as they are not given.

    A text such as ``1,234`` may mean either; what the other numbers of the file show decides, and where none shows
    anything, the comma separates thousands only in a file whose fields are not separated by semicolons or tabs.

    Parameters
    ----------
    records
        The header and some rows.
    delimiter
        Character between fields.
    given
        What the user said.

    Examples
    --------
    >>> number_signs([["price"], ["1.234,50"]], ";", {})
    {'decimal': ',', 'thousands': '.'}
    """
    decimals: Counter[str] = Counter()
    thousands: Counter[str] = Counter()
    unclear: Counter[str] = Counter()
    for column in _columns(records):
        if _is_numeric(column):
            _count_signs(column, decimals, thousands, unclear)
    decimal = given.get("decimal") or _decide_decimal(decimals, thousands, unclear, delimiter)
    # What may mean either and is no decimal sign separates thousands.
    possible = {sign: count for sign, count in (thousands + unclear).items() if sign != decimal}
    if "thousands" in given or not possible:
        return {"decimal": decimal}
    return {"decimal": decimal, "thousands": max(possible, key=lambda sign: possible[sign])}


def _columns(records: Sequence[Sequence[str]]) -> list[list[str]]:
    n_names = len(records[0]) if records else 0
    rows = [record for record in records[1:] if len(record) == n_names]
    return [[text for row in rows if (text := row[place].strip())] for place in range(n_names)]


def _is_numeric(column: Sequence[str]) -> bool:
    looks = sum(bool(_DIGITS.fullmatch(text) or _SIMPLE.fullmatch(text) or _GROUPED.fullmatch(text)) for text in column)
    return looks > 0 and looks >= LEAST_SHARE * len(column)


def _count_signs(
    column: Sequence[str], decimals: Counter[str], thousands: Counter[str], unclear: Counter[str]
) -> None:
    for text in column:
        grouped, simple = _GROUPED.fullmatch(text), _SIMPLE.fullmatch(text)
        if grouped is not None and (grouped["more"] or grouped["decimal"] or grouped["sign"] not in ".,"):
            thousands[THOUSANDS[grouped["sign"]]] += 1
            decimals.update([grouped["decimal"]] if grouped["decimal"] else [])
        elif grouped is not None:
            unclear[grouped["sign"]] += 1
        elif simple is not None:
            decimals[simple["decimal"]] += 1


def _decide_decimal(decimals: Counter[str], thousands: Counter[str], unclear: Counter[str], delimiter: str) -> str:
    if decimals["."] != decimals[","]:
        return "." if decimals["."] > decimals[","] else ","
    if thousands["."] or thousands[","]:
        return "," if thousands["."] > thousands[","] else "."
    return "," if unclear[","] > unclear["."] and delimiter != "," else "."
