"""Logs as one JSON object per line, as cloud platforms and log collectors read them."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json

Shape = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Gives a line another form: other names, other fields."""

_OWN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class JsonFormatter(logging.Formatter):
    """Writes a record with its time (UTC), severity, logger, message, exception, and whatever ``extra`` gave it.

    Parameters
    ----------
    shape
        Gives the lines another form; ``None`` leaves them.
    """

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__()
        self._shape = shape

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "severity": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _OWN_FIELDS}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        shaped = line if self._shape is None else self._shape(line)
        return to_json(shaped, inf_nan_mode="null", fallback=str).decode("utf-8", "replace")


def log_as_json(shape: Shape | None = None) -> None:
    """Let all loggers of this process write JSON lines to stderr, from the level INFO on.

    Parameters
    ----------
    shape
        Gives the lines another form; ``None`` leaves them.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(shape))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)


def drop_unread_output() -> None:
    """Forget what nobody reads any more, so that the process does not fail at its end because of it."""
    try:
        sys.stderr.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stderr.fileno())
        os.close(nowhere)
