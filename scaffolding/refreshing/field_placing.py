"""Add, remove and rename the declarations of columns in the source of a schema."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from ml_project.data.raw_schema import ColumnRule
from scaffolding.refreshing.field_keywords import set_keyword, text_literal_like
from scaffolding.refreshing.schema_fields import ByHandError, Field, SchemaSource
from scaffolding.refreshing.source_edits import Span
from scaffolding.writing.attribute_names import attribute_names
from scaffolding.writing.schema_source import field_source


def add_field(source: SchemaSource, rule: ColumnRule, order: Sequence[str]) -> SchemaSource:
    """Return the source with the declaration of one more column, beside its neighbour in the table.

    Parameters
    ----------
    source
        Source of the schema.
    rule
        The new column's rule.
    order
        All columns of the table, in its order.

    Raises
    ------
    ByHandError
        When the class itself declares none of the table's columns.
    """
    own = {name: field for name, field in source.fields.items() if field.statement in source.model.body}
    place = list(order).index(rule.name)
    before = [own[name] for name in reversed(order[:place]) if name in own]
    after = [own[name] for name in order[place + 1 :] if name in own]
    if not before and not after:
        raise ByHandError("the class declares no column beside which it could stand")
    lines = source.lines_of((before or after)[0])
    position = lines.end if before else above_comments(source, lines.start)
    beside = source.text[lines.start : lines.end]
    indentation = beside[: len(beside) - len(beside.lstrip())]
    text = _like(field_source(rule, _free_attribute(source, rule.name)), (before or after)[0], source, indentation)
    missing_end = "" if source.text[:position].endswith("\n") else "\n"
    return source.replace(Span(position, position), missing_end + text)


def remove_field(source: SchemaSource, column: str) -> SchemaSource:
    """Return the source without the declaration of a column; comments above it stay.

    Raises
    ------
    ByHandError
        When it is not declared as a plain field, or nothing else stands in the class.
    """
    field = source.field(column)
    if source.is_alone(field):
        raise ByHandError("nothing else is declared in the class; remove it yourself")
    return source.replace(source.lines_of(field), "")


def rename_field(source: SchemaSource, column: str, name: str) -> SchemaSource:
    """Return the source in which a column has another name: its alias, else its attribute where that can be.

    Raises
    ------
    ByHandError
        When it is not declared as a plain field with a plain name.
    """
    field = source.field(column)
    alias = field.keyword("alias")
    if alias is not None:
        return set_keyword(source, column, "alias", text_literal_like(name, source.of(alias.value)))
    if _free_attribute(source, name) == name:
        return source.replace(source.span(field.statement.target), name)
    return set_keyword(source, column, "alias", text_literal_like(name, '"'))


def with_imports(source: SchemaSource, rule: ColumnRule) -> SchemaSource:
    """Return the source with the imports that the declaration of a column of this kind needs."""
    if rule.kind == "datetime" and "pd" not in source.bound_names:
        return _import_pandas(source)
    return source


def _like(text: str, neighbour: Field, source: SchemaSource, indentation: str) -> str:
    """Return a generated declaration with the indentation and the names that the source uses."""
    if not isinstance(neighbour.statement.annotation, ast.Subscript) and "Series" not in source.bound_names:
        text = re.sub(r"Series\[([\w.]+)\]", r"\1", text, count=1)
    if source.field_function is not None:
        text = text.replace("= pa.Field(", f"= {source.field_function}(", 1)
    depths = re.compile(r"^(?: {4})+", re.MULTILINE)
    return depths.sub(lambda found: indentation * (len(found[0]) // 4), text)


def _import_pandas(source: SchemaSource) -> SchemaSource:
    imports = [found for found in source.tree.body if isinstance(found, ast.Import | ast.ImportFrom)]
    of_pandera = [found for found in imports if "pandera" in source.of(found)]
    if not of_pandera:
        raise ByHandError("import pandas as pd")
    start = source.span(of_pandera[0]).start
    return source.replace(Span(start, start), "import pandas as pd\n")


def _free_attribute(source: SchemaSource, column: str) -> str:
    taken = {field.attribute for field in source.fields.values()}
    if column in taken:
        column = f"{column}_2"
    return attribute_names([*taken - {column}, column])[column]


def above_comments(source: SchemaSource, position: int) -> int:
    """Return where the comments right above a line begin, which belong to it."""
    while position > 0:
        line = source.line_start(position - 1)
        if not source.text[line:position].strip().startswith("#"):
            break
        position = line
    return position
