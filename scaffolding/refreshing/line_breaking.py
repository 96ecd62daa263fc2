"""Break the lines of an edited statement that became too long, as ``ruff format`` does."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from ml_project.errors import ConfigError
from scaffolding.refreshing.source_edits import Span

USUAL_LENGTH = 88
"""What ruff takes where a project says nothing."""


def line_length(root: Path) -> int:
    """Return the length of lines that a project asks for in its ``pyproject.toml``."""
    path = root / "pyproject.toml"
    if not path.is_file():
        return USUAL_LENGTH
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}; correct it.") from error
    return int(settings.get("tool", {}).get("ruff", {}).get("line-length", USUAL_LENGTH))


def break_long_lines(text: str, lines: Span, length: int) -> str:
    """Return source in which some lines, a statement of a class's or function's body, are broken where one is too long.

    Parameters
    ----------
    text
        The source.
    lines
        The statement's lines, whole.
    length
        Longest line allowed, in characters.
    """
    statement = text[lines.start : lines.end]
    if all(len(line) <= length for line in statement.split("\n")):
        return text
    unit = statement[: len(statement) - len(statement.lstrip())]
    formatted = _format(f"def any():\n{statement}", length).partition("\n")[2]
    indented = "\n".join(_indent(line, unit) for line in formatted.split("\n"))
    return text[: lines.start] + indented + text[lines.end :]


def _indent(line: str, unit: str) -> str:
    depth = (len(line) - len(line.lstrip(" "))) // 4
    return unit * depth + line[4 * depth :]


def _format(source: str, length: int) -> str:
    settings = (f"--config=line-length={length}", "--config=format.quote-style='preserve'")
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--quiet", *settings, "-"]
    done = subprocess.run(command, input=source.encode(), capture_output=True, check=False)  # noqa: S603  own words only
    return done.stdout.decode() if done.returncode == 0 else source
