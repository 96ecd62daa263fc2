"""What a present value of a column must fulfil, in words, for one value and for an array at once."""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.data.raw_schema import NUMERIC_KINDS, ColumnRule

REQUIRED = "is required"
_MOST_NAMED = 20


@dataclass(frozen=True)
class Requirement:
    """One thing that present values must fulfil.

    Attributes
    ----------
    wording
        The problem in words when a value does not fulfil it.
    fulfilled
        Whether one raw value fulfils it.
    fulfilled_in
        Which values of an array without missing values, in the form of :data:`ml_project.data.columns.Columns`,
        fulfil it; booleans of shape ``(n_values,)``.
    """

    wording: str
    fulfilled: Callable[[Any], bool]
    fulfilled_in: Callable[[npt.NDArray[Any]], npt.NDArray[np.bool_]]


def requirements_of(rule: ColumnRule) -> tuple[Requirement, ...]:
    """Return what the present values of a column must fulfil.

    Examples
    --------
    >>> [requirement.wording for requirement in requirements_of(ColumnRule(name="age", kind="number", minimum=0))]
    ['must be at least 0']
    """
    return (*_bounds(rule), *_members(rule), *_texts(rule))


def _bounds(rule: ColumnRule) -> list[Requirement]:
    bounds: tuple[tuple[float | dt.datetime | None, str, Callable[[Any, Any], Any]], ...] = (
        (rule.minimum, "must be at least", operator.ge),
        (rule.exclusive_minimum, "must be greater than", operator.gt),
        (rule.maximum, "must be at most", operator.le),
        (rule.exclusive_maximum, "must be less than", operator.lt),
        (rule.earliest, "must not be before", operator.ge),
        (rule.latest, "must not be after", operator.le),
    )
    return [_bound(bound, words, compare) for bound, words, compare in bounds if bound is not None]


def _bound(bound: float | dt.datetime, words: str, compare: Callable[[Any, Any], Any]) -> Requirement:
    limit = np.datetime64(bound, "us") if isinstance(bound, dt.datetime) else bound
    return Requirement(
        wording=f"{words} {written(bound)}",
        fulfilled=lambda value: bool(compare(value, bound)),
        fulfilled_in=lambda values: np.asarray(compare(values, limit), dtype=bool),
    )


def _members(rule: ColumnRule) -> list[Requirement]:
    if rule.allowed is None:
        return []
    allowed = rule.allowed
    members = frozenset(allowed)
    named = ", ".join(map(written, allowed[:_MOST_NAMED]))
    more = f" and {len(allowed) - _MOST_NAMED} more" if len(allowed) > _MOST_NAMED else ""
    return [
        Requirement(
            wording=f"must be one of {named}{more}" if len(allowed) > 1 else f"must be {named}",
            fulfilled=lambda value: value in members,
            fulfilled_in=_are_in(members) if rule.kind not in NUMERIC_KINDS else _are_numbers_in(members),
        )
    ]


def _are_in(members: frozenset[Any]) -> Callable[[npt.NDArray[Any]], npt.NDArray[np.bool_]]:
    return lambda values: np.fromiter((value in members for value in values.tolist()), dtype=bool, count=len(values))


def _are_numbers_in(members: frozenset[Any]) -> Callable[[npt.NDArray[Any]], npt.NDArray[np.bool_]]:
    numbers = np.array([float(member) for member in members if not isinstance(member, str)])
    return lambda values: np.isin(values, numbers)


def _texts(rule: ColumnRule) -> list[Requirement]:
    found = []
    if rule.pattern is not None:
        matches = re.compile(rule.pattern).match
        found.append(_text(f"must match the pattern {rule.pattern!r}", lambda text: matches(text) is not None))
    if rule.min_length is not None:
        shortest = rule.min_length
        found.append(_text(f"must have at least {_characters(shortest)}", lambda text: len(text) >= shortest))
    if rule.max_length is not None:
        longest = rule.max_length
        found.append(_text(f"must have at most {_characters(longest)}", lambda text: len(text) <= longest))
    return found


def _text(wording: str, fulfilled: Callable[[str], bool]) -> Requirement:
    # Python's own regular expressions and lengths on both paths: those of Arrow texts differ in details.
    return Requirement(
        wording=wording,
        fulfilled=fulfilled,
        fulfilled_in=lambda values: np.fromiter(map(fulfilled, values.tolist()), dtype=bool, count=len(values)),
    )


def _characters(count: int) -> str:
    return "1 character" if count == 1 else f"{count} characters"


def written(value: Any) -> str:
    """Return a value of the schema as a reader wants to see it: whole numbers without decimals, moments in ISO 8601."""
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
