"""Propose the edit of the use cases' config that follows from new, renamed and removed columns."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from scaffolding.refreshing.field_keywords import text_literal_like
from scaffolding.refreshing.line_breaking import break_long_lines
from scaffolding.refreshing.source_edits import Source, Span

_NAMES_OF_COLUMNS = ("id_column", "time_column", "group_column")


@dataclass(frozen=True)
class ColumnEdits:
    """What happened to columns that the config names or may name.

    Attributes
    ----------
    added
        Columns that can be features.
    removed
        Columns that are gone.
    renamed
        New names by column.
    """

    added: Collection[str]
    removed: Collection[str]
    renamed: Mapping[str, str]


def propose_columns(text: str, edits: ColumnEdits, length: int) -> str | None:
    r"""Return the source of a use case's config with other columns, ``None`` where only the user can edit it.

    Parameters
    ----------
    text
        Source, whose lines end with ``\n``.
    edits
        What happened to the columns.
    length
        Longest line.
    """
    source = Source(text)
    if "\r" in text or _columns(source) is None:
        return None
    for keyword in _keywords(source, _NAMES_OF_COLUMNS):
        new = edits.renamed.get(str(keyword.value.value)) if isinstance(keyword.value, ast.Constant) else None
        if new is not None:
            source = source.replace(source.span(keyword.value), text_literal_like(new, source.of(keyword.value)))
    for name in [*edits.renamed, *edits.removed]:
        source = _without(source, name, edits.renamed.get(name))
    for name in edits.added:
        source = _with(source, name)
    return source.text if source.text == text else _broken(source, length)


def _columns(source: Source) -> ast.Tuple | ast.List | None:
    """Return the features' columns where they are plain names."""
    found = [keyword.value for keyword in _keywords(source, ("columns",))]
    columns = found[0] if len(found) == 1 else None
    if not isinstance(columns, ast.Tuple | ast.List):
        return None
    plain = all(isinstance(item, ast.Constant) and isinstance(item.value, str) for item in columns.elts)
    return columns if plain else None


def _keywords(source: Source, names: Collection[str]) -> Iterator[ast.keyword]:
    """Yield the keyword arguments of these names in the calls of sections of the config."""
    for call in (node for node in ast.walk(source.tree) if isinstance(node, ast.Call)):
        if source.of(call.func).rpartition(".")[2] in ("DataConfig", "FeaturesConfig", "SplitsConfig"):
            yield from (keyword for keyword in call.keywords if keyword.arg in names)


def _without(source: Source, name: str, new: str | None) -> Source:
    """Return the source in which a column has another name, or is gone."""
    columns = _columns(source)
    assert columns is not None  # checked at first, and edits keep it plain
    for place, item in enumerate(columns.elts):
        if isinstance(item, ast.Constant) and item.value == name:
            if new is not None:
                return source.replace(source.span(item), text_literal_like(new, source.of(item)))
            return _as_tuple(source.remove_item(source.bracket(columns), place))
    return source


def _with(source: Source, name: str) -> Source:
    columns = _columns(source)
    assert columns is not None  # checked at first, and edits keep it plain
    literal = text_literal_like(name, source.of(columns) if columns.elts else '"')
    if isinstance(columns, ast.Tuple) and not columns.elts:
        literal += ","
    return source.add_item(source.bracket(columns), literal)


def _as_tuple(source: Source) -> Source:
    """Return the source in which a single column in parentheses is a tuple."""
    (keyword,) = _keywords(source, ("columns",))
    if not isinstance(keyword.value, ast.Constant):
        return source
    end = source.span(keyword.value).end
    return source.replace(Span(end, end), ",")


def _broken(source: Source, length: int) -> str:
    (keyword,) = _keywords(source, ("columns",))
    statements = [node for node in ast.walk(source.tree) if isinstance(node, ast.Return | ast.Assign | ast.AnnAssign)]
    around = [node for node in statements if any(child is keyword for child in ast.walk(node))]
    if not around:
        return source.text
    span = source.span(around[-1])
    lines = Span(source.line_start(span.start), source.next_line(span.end))
    return break_long_lines(source.text, lines, length)
