"""Columns that comments of the schema leave out on purpose: ``# left out: boat, "home, dest"``."""

from __future__ import annotations

import csv
import io
import re

from scaffolding.refreshing.field_placing import above_comments
from scaffolding.refreshing.schema_fields import ByHandError, SchemaSource
from scaffolding.refreshing.source_edits import Span

_COMMENT = re.compile(r"^[ \t]*# left out: (.+)$", re.MULTILINE)


def left_out_columns(text: str) -> list[str]:
    """Return the columns that comments of the schema leave out on purpose.

    Examples
    --------
    >>> left_out_columns('    # left out: boat, "home, dest"')
    ['boat', 'home, dest']
    """
    return [name for found in _COMMENT.findall(text) for name in next(csv.reader([found], skipinitialspace=True))]


def add_left_out(source: SchemaSource, column: str, length: int) -> SchemaSource:
    """Return the source in which a comment leaves out one more column.

    Parameters
    ----------
    source
        Source of the schema.
    column
        The column.
    length
        Longest line.

    Raises
    ------
    ByHandError
        When the name cannot stand in a comment, or the class declares no column above which it could.
    """
    word = _word(column)
    comments = list(_COMMENT.finditer(source.text))
    if comments and len(comments[-1][0]) + len(f", {word}") <= length:
        end = len(comments[-1][0].rstrip()) + comments[-1].start()
        return source.replace(Span(end, end), f", {word}")
    if comments:
        position = source.next_line(comments[-1].end())
        indentation = comments[-1][0].partition("#")[0]
    else:
        position, indentation = _above_first_field(source)
    return source.replace(Span(position, position), f"{indentation}# left out: {word}\n")


def _word(column: str) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="").writerow([column])
    word = written.getvalue()
    if not column.isprintable() or left_out_columns(f"# left out: {word}") != [column]:
        raise ByHandError("its name cannot stand in a comment that leaves it out; remove it from the table")
    return word


def _above_first_field(source: SchemaSource) -> tuple[int, str]:
    own = [field for field in source.fields.values() if field.statement in source.model.body]
    if not own:
        raise ByHandError("the class declares no column above which a comment could leave it out")
    start = source.lines_of(own[0]).start
    indentation = source.indentation(source.span(own[0].statement).start)
    return above_comments(source, start), indentation or ""
