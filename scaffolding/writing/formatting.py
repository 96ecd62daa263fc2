"""Generated Python in the form that the project's own checks ask for, through ruff itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

LINE_LENGTH = 120
LOOKALIKES = ("RUF001", "RUF002", "RUF003")
"""Rules against characters that look like others, which the words of a data set may well hold."""


def format_source(source: str, *, line_length: int = LINE_LENGTH) -> str:
    """Return Python source as ``ruff format`` writes it."""
    return _ruff(["format", f"--config=line-length={line_length}", "-"], source)


def allow_lookalikes(source: str) -> str:
    """Return Python source with a line that allows characters which look like others, where it holds any.

    Such are the multiplication sign, dashes that are no hyphens, and single letters of other alphabets. They come from
    the data, and mean there what they look like.
    """
    report = _ruff(["check", f"--select={','.join(LOOKALIKES)}", "--output-format=json", "--exit-zero", "-"], source)
    found = sorted({finding["code"] for finding in json.loads(report)})
    return f"# ruff: noqa: {', '.join(found)}\n{source}" if found else source


def _ruff(arguments: Sequence[str], source: str) -> str:
    command = [sys.executable, "-m", "ruff", arguments[0], "--isolated", "--quiet", *arguments[1:]]
    done = subprocess.run(command, input=source.encode(), capture_output=True, check=False)  # noqa: S603  own words only
    if done.returncode:
        raise RuntimeError(f"ruff {arguments[0]} refused generated source: {done.stderr.decode()}\n{source}")
    return done.stdout.decode()
