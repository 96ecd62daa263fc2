"""Bounds and lengths in the field that declares a column."""

from __future__ import annotations

import ast
import datetime as dt

from ml_project.data.raw_schema import ColumnRule
from scaffolding.refreshing.field_keywords import differs, remove_keyword, replaced, set_keyword, set_value
from scaffolding.refreshing.schema_fields import ByHandError, SchemaSource
from scaffolding.writing.literals import moment_literal, number_literal

BOUNDS = {
    "minimum": ("ge", 0), "exclusive_minimum": ("gt", 0), "earliest": ("ge", 0),
    "maximum": ("le", 1), "exclusive_maximum": ("lt", 1), "latest": ("le", 1),
}  # fmt: skip
"""The keyword of each bound, and its place in ``in_range``."""


def set_bound(source: SchemaSource, column: str, name: str, bound: float | dt.datetime | None) -> SchemaSource:
    """Return the source in which a column's field has another bound, or none.

    Raises
    ------
    ByHandError
        When the bound is computed.
    """
    field = source.field(column)
    keyword, place = BOUNDS[name]
    ends = field.keyword("in_range")
    if field.keyword(keyword) is not None or ends is None:
        if bound is None:
            return remove_keyword(source, column, keyword)
        existing = field.keyword(keyword)
        if existing is None:
            return set_keyword(source, column, keyword, _bound_literal(bound))
        return set_value(source, keyword, existing.value, bound)
    values = _range_values(ends.value)
    if bound is None or place not in values:
        raise ByHandError(f"change in_range={source.of(ends.value)}")
    return set_value(source, "in_range", values[place], bound)


def set_lengths(source: SchemaSource, new: ColumnRule) -> SchemaSource:
    """Return the source in which a column's field limits the length of texts as its new rule does.

    Raises
    ------
    ByHandError
        When a length is computed.
    """
    ends = {"min_value": new.min_length, "max_value": new.max_length}
    given = {name: length for name, length in ends.items() if length is not None}
    if not given:
        return remove_keyword(source, new.name, "str_length")
    existing = source.field(new.name).keyword("str_length")
    written = ", ".join(f'"{name}": {length}' for name, length in given.items())
    if existing is None or isinstance(existing.value, ast.Constant):
        return set_keyword(source, new.name, "str_length", f"{{{written}}}")
    for place, name in enumerate(ends):
        node = source.field(new.name).keyword("str_length")
        assert node is not None
        value = _range_values(node.value).get(place)
        if value is None and name not in given:
            continue
        if value is None or name not in given:
            raise ByHandError(f"change str_length={source.of(node.value)} to {{{written}}}")
        source = replaced(source, value, str(given[name])) if differs(source, value, given[name]) else source
    return source


def _range_values(node: ast.expr) -> dict[int, ast.expr]:
    """Return lower and upper end of a range as they stand in the source."""
    if isinstance(node, ast.Tuple | ast.List):
        return dict(enumerate(node.elts[:2]))
    keys = {"min_value": 0, "max_value": 1}
    pairs = zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ()
    return {keys[key.value]: value for key, value in pairs if isinstance(key, ast.Constant) and key.value in keys}


def _bound_literal(bound: float | dt.datetime) -> str:
    return moment_literal(bound) if isinstance(bound, dt.datetime) else number_literal(bound)
