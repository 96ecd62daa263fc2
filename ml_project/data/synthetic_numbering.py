"""Unique columns of made-up rows: a different value in every row, which the schema allows."""

from __future__ import annotations

import datetime as dt
import math
import re
import string
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml_project.data.raw_schema import ColumnRule
from ml_project.data.synthetic_columns import Missing, as_raw
from ml_project.data.values import LARGEST_WHOLE_NUMBER
from ml_project.errors import InvalidDataError, Problem

Numbers = npt.NDArray[np.int64]
Write = Callable[[int], str]

_MANY_ROWS = 2**31
_TIME_STEPS = tuple(int(np.timedelta64(1, unit) / np.timedelta64(1, "us")) for unit in ("D", "s", "ms", "us"))
_LAST_DIGITS = re.compile(r"[0-9]+(?=[^0-9]*$)")
_ALPHABETS = (string.digits, string.ascii_lowercase, string.ascii_uppercase)


class NumberedColumn:
    """Different values by row number: whole numbers, moments one after another, texts with a number in them.

    Parameters
    ----------
    rule
        The column's rule.
    example
        A present value of the reference: a number, a moment as ``numpy.datetime64`` or a text.

    Examples
    --------
    >>> column = NumberedColumn(ColumnRule(name="ticket", kind="text", unique=True), "A/5 21171")
    >>> column.draw(7, np.array([False, False])).tolist()
    ['A/5 00007', 'A/5 00008']
    """

    def __init__(self, rule: ColumnRule, example: Any) -> None:
        self._rule = rule
        self._make: Callable[[Numbers], npt.NDArray[Any]]
        if rule.allowed is not None or rule.kind == "boolean":
            choices = np.array(rule.allowed or (False, True), dtype=object)
            self._n_values, self._make = len(choices), lambda numbers: choices[numbers]
        elif rule.kind == "text":
            write = _numbered_text(rule, str(example))
            self._n_values = LARGEST_WHOLE_NUMBER
            self._make = lambda numbers: np.array([write(number) for number in numbers.tolist()], dtype=object)
        elif rule.kind == "datetime":
            self._n_values, self._make = _moments(rule, example)
        else:
            self._n_values, self._make = _numbers(rule)

    def draw(self, first: int, missing: Missing) -> Any:
        """Return the raw values of the rows from number ``first``, counted from 0.

        Raises
        ------
        InvalidDataError
            When the schema does not allow that many different values.
        """
        end = first + len(missing)
        if end > self._n_values:
            self._refuse(f"must be unique, and the schema allows {self._n_values:,} different values; make fewer rows")
        values = self._make(np.arange(first, end))
        if self._rule.kind not in {"text", "category"}:
            return as_raw(values, missing, self._rule)
        misfit = next((text for text in values.tolist() if not _fits(text, self._rule)), None)
        if misfit is not None:
            self._refuse(f"must be unique, but {misfit!r}, the next in turn, breaks the schema; make fewer rows")
        values[missing] = None
        return pd.array(values, dtype="str")

    def _refuse(self, text: str) -> None:
        raise InvalidDataError("That many rows cannot be made up.", [Problem(text, self._rule.name)])


def _numbers(rule: ColumnRule) -> tuple[int, Callable[[Numbers], npt.NDArray[Any]]]:
    """Return how many numbers there are, and what makes them: 1, 2, 3, ..., from the other end where 1 is too large."""
    lowest, highest = _whole_bounds(rule)
    size = highest - lowest + 1
    if rule.kind == "number" and size < _MANY_ROWS:
        return _fractions(rule)
    if highest < 1:
        return size, lambda numbers: highest - numbers
    start = max(1, lowest) - lowest
    return size, lambda numbers: lowest + (start + numbers) % size


def _whole_bounds(rule: ColumnRule) -> tuple[int, int]:
    lowest, highest = -LARGEST_WHOLE_NUMBER, LARGEST_WHOLE_NUMBER
    if rule.minimum is not None:
        lowest = max(lowest, math.ceil(rule.minimum))
    if rule.exclusive_minimum is not None:
        lowest = max(lowest, math.floor(rule.exclusive_minimum) + 1)
    if rule.maximum is not None:
        highest = min(highest, math.floor(rule.maximum))
    if rule.exclusive_maximum is not None:
        highest = min(highest, math.ceil(rule.exclusive_maximum) - 1)
    return lowest, highest


def _fractions(rule: ColumnRule) -> tuple[int, Callable[[Numbers], npt.NDArray[Any]]]:
    """Return what makes decimals between narrow bounds, evenly spread, without the bounds themselves."""
    lows = [bound for bound in (rule.minimum, rule.exclusive_minimum) if bound is not None]
    highs = [bound for bound in (rule.maximum, rule.exclusive_maximum) if bound is not None]
    low, high = max(lows), min(highs)
    return _MANY_ROWS, lambda numbers: low + (high - low) * ((numbers + 0.5) / _MANY_ROWS)


def _moments(rule: ColumnRule, example: Any) -> tuple[int, Callable[[Numbers], npt.NDArray[Any]]]:
    first = np.datetime64(rule.earliest or example, "us").astype(np.int64)
    room = int(np.datetime64(rule.latest or dt.datetime.max, "us").astype(np.int64) - first)
    step = next((step for step in _TIME_STEPS if room // step >= _MANY_ROWS), _TIME_STEPS[-1])
    return room // step + 1, lambda numbers: (first + step * numbers).astype("datetime64[us]")


def _numbered_text(rule: ColumnRule, example: str) -> Write:
    """Return what writes a number as a text of the column: in place of the example's digits, or as all its characters.

    The first way is taken whose texts fit the schema for the most rows.
    """
    ways: list[Write] = [lambda number: _count_up(example, number)]
    digits = _LAST_DIGITS.search(example)
    if digits is not None:
        before, after, width = example[: digits.start()], example[digits.end() :], len(digits[0])
        ways.insert(0, lambda number: f"{before}{number:0{width}d}{after}")
    ways += [lambda number: f"{example}-{number}", lambda number: f"{number:0{rule.min_length or 1}d}"]
    room = [sum(_fits(way(10**power), rule) for power in range(9)) for way in ways]
    if max(room) == 0:
        problem = Problem("must be unique, but texts with a number do not fit the schema", rule.name, value=example)
        raise InvalidDataError("Rows like those of the reference cannot be made up.", [problem])
    return ways[room.index(max(room))]


def _count_up(example: str, number: int) -> str:
    """Return the example with its letters and digits turned like those of a counter, or an empty text after the last.

    Examples
    --------
    >>> _count_up("ab-97", 12), _count_up("ab-97", 105), _count_up("9", 10)
    ('aa-12', 'ab-05', '')
    """
    turned = list(example)
    for place in range(len(turned) - 1, -1, -1):
        alphabet = next((one for one in _ALPHABETS if turned[place] in one), None)
        if alphabet is not None:
            number, position = divmod(number, len(alphabet))
            turned[place] = alphabet[position]
    return "".join(turned) if number == 0 else ""


def _fits(text: str, rule: ColumnRule) -> bool:
    """Return whether a text has something in it, the right length and the pattern."""
    long_enough = len(text) >= max(1, rule.min_length or 0)
    short_enough = rule.max_length is None or len(text) <= rule.max_length
    return long_enough and short_enough and (rule.pattern is None or re.match(rule.pattern, text) is not None)
