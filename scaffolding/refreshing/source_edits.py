"""Small edits of Python source that a person wrote: what is not meant stays byte for byte."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Self

_OPENING, _CLOSING = "([{", ")]}"
_LAYOUT = frozenset({tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT})


@dataclass(frozen=True)
class Span:
    """Some characters of a source, from ``start`` to before ``end``, counted from 0."""

    start: int
    end: int


@dataclass(frozen=True)
class Bracket:
    """A pair of brackets and what stands between its commas.

    Attributes
    ----------
    opening, closing
        Positions of the brackets.
    items
        Spans of the items, without comments and blanks around them.
    has_last_comma
        Whether a comma follows the last item.
    """

    opening: int
    closing: int
    items: tuple[Span, ...]
    has_last_comma: bool


@dataclass(frozen=True)
class Source:
    r"""Python source whose lines end with ``\n``.

    Attributes
    ----------
    text
        The source.
    """

    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Return the syntax tree; raises ``SyntaxError``."""
        return ast.parse(self.text)

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        for line in self._lines:
            starts.append(starts[-1] + len(line) + 1)
        return starts

    @cached_property
    def _brackets(self) -> dict[int, Bracket]:
        """Return all brackets by the position of the closing one."""
        return {bracket.closing: bracket for bracket in self._find_brackets()}

    def span(self, node: ast.AST) -> Span:
        """Return where a node of the tree stands."""
        start = self._position(node.lineno, node.col_offset)  # type: ignore[attr-defined]  # nodes with a position only
        return Span(start, self._position(node.end_lineno, node.end_col_offset))  # type: ignore[attr-defined]

    def of(self, node: ast.AST) -> str:
        """Return the source of a node."""
        span = self.span(node)
        return self.text[span.start : span.end]

    def bracket(self, node: ast.AST) -> Bracket:
        """Return the brackets with which a call, list, tuple, set or dictionary ends."""
        return self._brackets[self.span(node).end - 1]

    def replace(self, span: Span, text: str) -> Self:
        """Return the source with other text at a place."""
        return type(self)(self.text[: span.start] + text + self.text[span.end :])

    def line_start(self, position: int) -> int:
        """Return where the line of a position starts."""
        return self.text.rfind("\n", 0, position) + 1

    def next_line(self, position: int) -> int:
        """Return where the line after that of a position starts, or the end of the text."""
        found = self.text.find("\n", position)
        return len(self.text) if found < 0 else found + 1

    def indentation(self, position: int) -> str | None:
        """Return the blanks before a position where nothing else stands before it on its line, else ``None``."""
        before = self.text[self.line_start(position) : position]
        return before if not before.strip() else None

    def add_item(self, bracket: Bracket, text: str, place: int | None = None) -> Self:
        """Return the source with one more item between brackets, laid out as the others.

        Parameters
        ----------
        bracket
            Where the item is added.
        text
            Source of the item.
        place
            Number of the item before which it is put; ``None`` for the end.
        """
        if not bracket.items:
            return self.replace(Span(bracket.opening + 1, bracket.opening + 1), text)
        if place is not None and place < len(bracket.items):
            start = bracket.items[place].start
            indentation = self.indentation(start)
            return self.replace(Span(start, start), f"{text}, " if indentation is None else f"{text},\n{indentation}")
        return self._append_item(bracket, text)

    def _append_item(self, bracket: Bracket, text: str) -> Self:
        end, indentation = bracket.items[-1].end, self.indentation(bracket.items[-1].start)
        if indentation is None:
            # the comma after the single item of a tuple is not needed any more
            is_single = len(bracket.items) == 1 and self.text[end : bracket.closing].strip() == ","
            return self.replace(Span(end, bracket.closing if is_single else end), f", {text}")
        if self.indentation(bracket.closing) is None:
            return self.replace(Span(end, end), f",\n{indentation}{text}")
        below = self.line_start(bracket.closing)
        added = self.replace(Span(below, below), f"{indentation}{text}{',' if bracket.has_last_comma else ''}\n")
        return added if bracket.has_last_comma else added.replace(Span(end, end), ",")

    def remove_item(self, bracket: Bracket, place: int) -> Self:
        """Return the source without one item between brackets, and without the line that was the item's alone."""
        item, last = bracket.items[place], place == len(bracket.items) - 1
        line_end = self.next_line(item.end)
        following = bracket.closing if last else bracket.items[place + 1].start
        if self.indentation(item.start) is not None and following >= line_end:
            return self.replace(Span(self.line_start(item.start), line_end), "")
        if not last:
            return self.replace(Span(item.start, following), "")
        if place:
            return self.replace(Span(bracket.items[place - 1].end, item.end), "")
        return self.replace(Span(bracket.opening + 1, bracket.closing), "")

    def _position(self, line: int, byte: int) -> int:
        start = self._line_starts[line - 1]
        text = self._lines[line - 1]
        return start + (byte if text.isascii() else len(text.encode()[:byte].decode()))

    def _find_brackets(self) -> Iterator[Bracket]:
        open_ones: list[tuple[int, list[Span], list[int]]] = []  # opening, items, start and end of the item under way
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            start, end = (self._line_starts[line - 1] + column for line, column in (token.start, token.end))
            if token.type in _LAYOUT:
                continue
            if token.type == tokenize.OP and token.string in _CLOSING:
                opening, items, current = open_ones.pop()
                yield Bracket(opening, start, (*items, *([Span(*current)] if current else [])), not current)
            if token.type == tokenize.OP and token.string == "," and open_ones:
                open_ones[-1][1].append(Span(*open_ones[-1][2]))
                open_ones[-1][2].clear()
            elif open_ones:
                open_ones[-1][2][:] = [*open_ones[-1][2][:1], end] if open_ones[-1][2] else [start, end]
            if token.type == tokenize.OP and token.string in _OPENING:
                open_ones.append((start, [], []))
