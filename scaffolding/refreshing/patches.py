"""Proposed edits as a patch that ``git apply`` takes."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

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


def make_patch(edits: Sequence[FileEdit], root: Path) -> str:
    """Return all edits as git writes differences; empty where no file changes.

    Parameters
    ----------
    edits
        The files.
    root
        Folder of the project. Where it lies in a larger repository, the patch counts paths from that, as git does.
    """
    folder = _place_in_repository(root)
    return "".join(line for edit in edits for line in _difference(edit, f"{folder}{edit.path}"))


def _place_in_repository(root: Path) -> str:
    top = next((parent for parent in (root, *root.parents) if (parent / ".git").exists()), root)
    return "" if top == root else f"{root.relative_to(top).as_posix()}/"


def _difference(edit: FileEdit, path: str) -> Iterator[str]:
    before, after = _lines(edit.before), _lines(edit.after)
    end = "\t" if " " in path else ""  # marks the end of a name with blanks
    lines = list(difflib.unified_diff(before, after, f"a/{path}{end}", f"b/{path}{end}"))
    if lines:
        yield f"diff --git a/{path} b/{path}\n"
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _lines(text: str) -> list[str]:
    r"""Return the lines as git counts them: only ``\n`` ends one."""
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def coloured(patch: str) -> str:
    """Return a patch in the colours of a terminal."""
    lines = patch.split("\n")
    return "\n".join(f"{_COLOURS[line[0]]}{line}{_PLAIN}" if line[:1] in _COLOURS else line for line in lines)
