"""Proposed edits as a patch that ``git apply`` takes."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_COLOURS = {"+": "\033[32m", "-": "\033[31m", "@": "\033[36m"}
_PLAIN = "\033[0m"


@dataclass(frozen=True)
class FileEdit:
    """A file before and after an edit.

    Attributes
    ----------
    path
        The file, relative to the project's root, with forward slashes.
    before, after
        Its text.
    """

    path: str
    before: str
    after: str


def make_patch(edits: Sequence[FileEdit]) -> str:
    """Return all edits as unified differences; empty where no file changes."""
    return "".join(line for edit in edits for line in _difference(edit))


def _difference(edit: FileEdit) -> Iterator[str]:
    before, after = _lines(edit.before), _lines(edit.after)
    for line in difflib.unified_diff(before, after, f"a/{edit.path}", f"b/{edit.path}"):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _lines(text: str) -> list[str]:
    r"""Return the lines as git counts them: only ``\n`` ends one."""
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def coloured(patch: str) -> str:
    """Return a patch in the colours of a terminal."""
    lines = patch.split("\n")
    return "\n".join(f"{_COLOURS[line[0]]}{line}{_PLAIN}" if line[:1] in _COLOURS else line for line in lines)
