"""Single keyword arguments of the field that declares a column."""

from __future__ import annotations

import ast
import datetime as dt
from typing import Any

from scaffolding.refreshing.schema_fields import ByHandError, SchemaSource
from scaffolding.refreshing.source_edits import Span
from scaffolding.writing.literals import number_literal

_ORDER = (
    "alias", "ge", "gt", "le", "lt", "in_range", "eq", "isin", "str_matches", "str_length", "nullable", "unique",
    "coerce", "title", "description", "metadata",
)  # fmt: skip


def set_keyword(source: SchemaSource, column: str, name: str, value: str) -> SchemaSource:
    """Return the source in which a column's field has a keyword argument, given as source.

    Raises
    ------
    ByHandError
        When the field is made by code, or the value that stands there is computed.
    """
    field = source.field(column)
    existing = field.keyword(name)
    if existing is not None:
        require_literal(source, name, existing.value, value)
        return replaced(source, existing.value, value)
    if field.statement.value is None:
        if source.field_function is None:
            raise ByHandError(f"add {name}={value}")
        end = source.span(field.statement).end
        return source.replace(Span(end, end), f" = {source.field_function}({name}={value})")
    call = source.changeable_call(field)
    names = [keyword.arg for keyword in call.keywords]
    rank = _ORDER.index(name)
    later = [place for place, other in enumerate(names) if other in _ORDER and _ORDER.index(other) > rank]
    place = len(call.args) + later[0] if later else None
    return source.add_item(source.bracket(call), f"{name}={value}", place)


def remove_keyword(source: SchemaSource, column: str, name: str) -> SchemaSource:
    """Return the source in which a column's field lacks a keyword argument.

    Raises
    ------
    ByHandError
        When the field has no such argument of its own.
    """
    field = source.field(column)
    existing = field.keyword(name)
    if existing is None:
        raise ByHandError(f"remove {name}")
    call = source.changeable_call(field)
    return source.remove_item(source.bracket(call), len(call.args) + call.keywords.index(existing))


def set_value(source: SchemaSource, name: str, node: ast.expr, value: float | dt.datetime) -> SchemaSource:
    """Return the source with another number or moment in place of a literal one, in the way in which that is written.

    Raises
    ------
    ByHandError
        When it is computed.
    """
    if isinstance(value, dt.datetime):
        return _set_moment(source, name, node, value)
    found = require_literal(source, name, node, number_literal(value))
    return replaced(source, node, repr(float(value)) if isinstance(found, float) else number_literal(value))


def _set_moment(source: SchemaSource, name: str, node: ast.expr, moment: dt.datetime) -> SchemaSource:
    text = moment.date().isoformat() if moment.time() == dt.time() else moment.isoformat(sep=" ")
    arguments = node.args if isinstance(node, ast.Call) and not node.keywords else [node]
    if len(arguments) == 1 and isinstance(arguments[0], ast.Constant) and isinstance(arguments[0].value, str):
        return replaced(source, arguments[0], text_literal_like(text, source.of(arguments[0])))
    parts = [moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second, moment.microsecond]
    while len(parts) > 3 and not parts[-1]:
        parts.pop()
    if len(arguments) >= 3 and all(isinstance(part, ast.Constant) for part in arguments):
        span = Span(source.span(arguments[0]).start, source.span(arguments[-1]).end)
        return source.replace(span, ", ".join(map(str, parts)))
    raise ByHandError(f"{name}={source.of(node)} is computed; it must become {text}")


def require_literal(source: SchemaSource, name: str, node: ast.expr, wanted: str) -> Any:
    """Return the value of a literal.

    Raises
    ------
    ByHandError
        When it is computed, with what it must become.
    """
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise ByHandError(f"{name}={source.of(node)} is computed; it must become {wanted}") from error


def differs(source: SchemaSource, node: ast.expr, value: float) -> bool:
    """Return whether a literal number is another one than a value; raises like :func:`require_literal`."""
    try:
        return bool(ast.literal_eval(node) != value)
    except ValueError as error:
        raise ByHandError(f"{source.of(node)} is computed; it must become {number_literal(value)}") from error


def replaced(source: SchemaSource, node: ast.AST, text: str) -> SchemaSource:
    """Return the source with other text in place of a node."""
    return source.replace(source.span(node), text)


def text_literal_like(text: str, quoted: str) -> str:
    """Return a text as a literal with the quotes that are used in some source nearby."""
    written = repr(text)
    if ("'" in quoted and '"' not in quoted) or '"' in text or written[0] == '"':
        return written
    return f'"{written[1:-1]}"' if "\\'" not in written else written
