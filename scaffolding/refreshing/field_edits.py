"""Change what the declaration of one column says: its type and single limits."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import partial

from ml_project.data.raw_schema import ColumnKind, ColumnRule
from scaffolding.refreshing.field_expectations import remove_example, set_expectations
from scaffolding.refreshing.field_keywords import remove_keyword, replaced, set_keyword, text_literal_like
from scaffolding.refreshing.field_limits import BOUNDS, set_bound, set_lengths
from scaffolding.refreshing.schema_fields import ByHandError, SchemaSource
from scaffolding.writing.literals import number_literal

TYPES: dict[ColumnKind, str] = {
    "integer": "int", "number": "float", "boolean": "bool", "category": "str", "text": "str",
    "datetime": "pd.Timestamp",
}  # fmt: skip


def edit_field(source: SchemaSource, old: ColumnRule, new: ColumnRule) -> SchemaSource:
    """Return the source in which a column's declaration says what its new rule says.

    Parameters
    ----------
    source
        Source of the schema.
    old, new
        The column's rule as it is and as it shall be.

    Raises
    ------
    ByHandError
        When something is computed or made by code, so that only the user can change it.
    """
    for step in _steps(old, new):
        source = step(source)
    return source


def _steps(old: ColumnRule, new: ColumnRule) -> Iterator[Callable[[SchemaSource], SchemaSource]]:
    """Yield the edits of single parts of the declaration that differ."""
    column = old.name
    if TYPES[old.kind] != TYPES[new.kind]:
        yield partial(_set_type, column=column, kind=new.kind)
    for name in BOUNDS:
        if getattr(old, name) != getattr(new, name):
            yield partial(set_bound, column=column, name=name, bound=getattr(new, name))
    if old.allowed != new.allowed:
        yield partial(_set_allowed, old=old, new=new)
    if old.pattern != new.pattern:
        yield partial(remove_keyword, column=column, name="str_matches")
    if (old.min_length, old.max_length) != (new.min_length, new.max_length):
        yield partial(set_lengths, new=new)
    if new.nullable and not old.nullable:
        yield partial(set_keyword, column=column, name="nullable", value="True")
    if old.unique and not new.unique:
        yield partial(remove_keyword, column=column, name="unique")
    if new.description is not None and old.description != new.description:
        yield partial(_set_description, column=column, description=new.description)
    if old.expectations != new.expectations:
        yield partial(set_expectations, old=old, new=new)
    if old.example is not None and new.example is None:
        yield partial(remove_example, column=column)


def _set_type(source: SchemaSource, column: str, kind: ColumnKind) -> SchemaSource:
    annotation: ast.expr = source.field(column).statement.annotation
    outer = annotation
    while isinstance(annotation, ast.Subscript):
        outer, annotation = annotation, annotation.slice
    wrapped = isinstance(outer, ast.Subscript) and not source.of(outer.value).endswith(("Series", "Optional"))
    if wrapped or not isinstance(annotation, ast.Name | ast.Attribute):
        raise ByHandError(f"change the type {source.of(outer)} to {TYPES[kind]}")
    return replaced(source, annotation, TYPES[kind])


def _set_allowed(source: SchemaSource, old: ColumnRule, new: ColumnRule) -> SchemaSource:
    field = source.field(old.name)
    name = "isin" if field.keyword("isin") is not None else "eq"
    if new.allowed is None:
        return remove_keyword(source, old.name, name)
    added = [value for value in new.allowed if value not in (old.allowed or ())]
    existing = field.keyword(name)
    quoted = source.of(existing.value) if existing else '"'
    texts = [text_literal_like(value, quoted) if isinstance(value, str) else _number(value) for value in added]
    if old.allowed is None:
        return set_keyword(source, old.name, "isin", f"[{', '.join(texts)}]")
    if existing is not None and name == "eq":
        return replaced(source, existing, f"isin=[{', '.join([source.of(existing.value), *texts])}]")
    if existing is None or not isinstance(existing.value, ast.List | ast.Tuple | ast.Set):
        raise ByHandError(f"add {', '.join(texts)} to the values allowed")
    for text in texts:
        node = source.field(old.name).keyword("isin")
        assert node is not None
        source = source.add_item(source.bracket(node.value), text)
    return source


def _set_description(source: SchemaSource, column: str, description: str) -> SchemaSource:
    existing = source.field(column).keyword("description")
    quoted = source.of(existing.value) if existing else '"'
    return set_keyword(source, column, "description", text_literal_like(description, quoted))


def _number(value: int | float | bool) -> str:
    return repr(value) if isinstance(value, bool | int) else number_literal(value)
