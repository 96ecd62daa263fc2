"""An example of a feature that a user could add: a function of columns that the project really has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

from ml_project.data.raw_schema import ColumnRule
from scaffolding.plan import ProjectPlan
from scaffolding.writing.attribute_names import argument_names, readable
from scaffolding.writing.formatting import LINE_LENGTH, format_source
from scaffolding.writing.literals import literal, number_literal

COMMENT_WIDTH = len("#     ")
MAX_NAME = 40
MAX_COMPARED = 50
"""Numbers of which pairs are looked at."""
MAX_RATIO = 10
"""How far two numbers may be apart for one to be a sensible part or multiple of the other."""
LEAST_SPREAD = 5
"""Whole numbers that vary less are codes, grades or counts of few."""
_TIMES = {"year", "yr", "month", "mnth", "day", "date", "time", "hour", "hr", "minute", "week", "weekday", "season"}
_CODES = {"id", "code", "key", "index", "no", "nr", "number", "num", "zip", "type", "kind", "class", "group", "flag"}


def example_lines(plan: ProjectPlan) -> list[str]:
    """Return a row function over columns of this project.

    It is the ratio of two numbers of the same size, where there are such; else something of a single column.

    Parameters
    ----------
    plan
        The project.
    """
    rules = [plan.schema.rule(name) for name in plan.columns] or list(plan.schema.columns)
    plain = [rule for rule in rules if len(rule.name) <= MAX_NAME and "#" not in rule.name] or rules
    measured = [rule for rule in plain if _is_measured(rule)][:MAX_COMPARED]
    pairs = [pair for pair in combinations(measured, 2) if _distance(*pair) <= math.log(MAX_RATIO)]
    lines = _ratio(*min(pairs, key=_strangeness)) if pairs else _of_one(measured or plain)
    return format_source("\n".join(lines), line_length=LINE_LENGTH - COMMENT_WIDTH).splitlines()


def _is_measured(rule: ColumnRule) -> bool:
    """Return whether a column holds amounts, of which one knows the size: no dates in parts, flags or codes."""
    interval = rule.expectations.mean_between
    if rule.kind not in ("integer", "number") or rule.allowed is not None or interval is None or sum(interval) == 0:
        return False
    is_coded = rule.kind == "integer" and interval[1] - interval[0] < LEAST_SPREAD
    return not is_coded and not {*readable(rule.name).split("_")} & {*_TIMES, *_CODES}


def _mean(rule: ColumnRule) -> float:
    interval = rule.expectations.mean_between
    assert interval is not None
    return interval[0] / 2 + interval[1] / 2


def _distance(first: ColumnRule, second: ColumnRule) -> float:
    """Return the logarithm of how many times larger one column's values are than the other's."""
    return abs(math.log(abs(_mean(first))) - math.log(abs(_mean(second))))


def _strangeness(pair: tuple[ColumnRule, ColumnRule]) -> tuple[int, float]:
    """Return what orders pairs: first those whose names have most words in common, then those of nearest size."""
    first, second = ({*readable(rule.name).split("_")} for rule in pair)
    return -len(first & second), _distance(*pair)


def _ratio(first: ColumnRule, second: ColumnRule) -> list[str]:
    one, other = argument_names([first.name, second.name]).values()
    return [
        f'@row_feature(inputs=({_text(first.name)}, {_text(second.name)}), kind="number", missing="propagates")',
        f"def {one}_per_{other}({one}: float, {other}: float) -> float | None:",
        f'    """Return the ratio of the two; there is none where {other} is 0."""',
        f"    return {one} / {other} if {other} else None",
    ]


def _of_one(rules: Sequence[ColumnRule]) -> list[str]:
    """Return a function of the first column of which there is most to say."""
    rule = next(
        (rule for kind in ("text", "category", "number", "integer") for rule in rules if rule.kind == kind), None
    )
    if rule is None:
        return _function(rules[0], "{}_is_known", "object", "Return 1; without a value the result is missing.", "1")
    if rule.kind == "text":
        return _function(rule, "words_in_{}", "str", "Return the number of words.", "len({}.split())")
    if rule.kind == "category" and rule.allowed:
        value = literal(rule.allowed[0]).replace("#", "\\x23")
        return _function(rule, "{}_is_first", "str", "Return 1 for one of the categories, else 0.", f"{{}} == {value}")
    limit = number_literal(float(f"{_mean(rule):.2g}")) if rule.expectations.mean_between else "0"
    return _function(rule, "{}_is_high", "float", "Return 1 where the number is high, else 0.", f"{{}} > {limit}")


def _function(rule: ColumnRule, name: str, kind: str, docstring: str, result: str) -> list[str]:
    """Return the source of a function of one column, whose name stands for ``{}``."""
    (argument,) = argument_names([rule.name]).values()
    return [
        f'@row_feature(inputs=({_text(rule.name)},), kind="number", missing="propagates")',
        f"def {name.replace('{}', argument)}({argument}: {kind}) -> float:",
        f'    """{docstring}"""',
        f"    return {result.replace('{}', argument, 1)}",
    ]


def _text(name: str) -> str:
    """Return a literal in which no tool finds a comment with an order to it."""
    return literal(name).replace("#", "\\x23")
