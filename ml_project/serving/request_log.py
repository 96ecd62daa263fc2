"""One JSON line per request, in the form of all other lines, for a fraction of what the logging module takes."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json

from ml_project.serving.json_logging import Shape

SECONDS_BETWEEN_WRITES = 0.1
LOGGER = "ml_project.serving"


class RequestLog:
    """Collects lines and writes them together; those of the last moment are lost when the process is killed.

    Parameters
    ----------
    descriptor
        File to write to; by default stderr.
    shape
        Gives the lines another form than the service's; ``None`` leaves them.
    seconds_between_writes
        Longest time that a line waits; with 0 each one is written at once, and there is no thread.
    """

    def __init__(
        self,
        descriptor: int | None = None,
        *,
        shape: Shape | None = None,
        seconds_between_writes: float = SECONDS_BETWEEN_WRITES,
    ) -> None:
        self._descriptor = _stderr() if descriptor is None else descriptor
        self._shape = shape
        self._seconds_between_writes = seconds_between_writes
        self._lines: list[bytes] = []
        self._last_write = 0.0
        self._second = (0, "")
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def note(
        self,
        *,
        request_id: str,
        method: str,
        path: str,
        status: int,
        seconds: float,
        n_records: int,
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        """Add the line of one request.

        Parameters
        ----------
        request_id, method, path, status
            The request, and the status of its answer.
        seconds
            Time from the request's arrival to its answer.
        n_records
            Number of predictions in the answer.
        fields
            What else the line says.
        """
        now = time.time()
        line: Mapping[str, Any] = {
            "time": self._written(now),
            "severity": "INFO",
            "logger": LOGGER,
            "message": "request",
            "request_id": request_id,
            "method": method,
            "path": path,
            "status": status,
            "milliseconds": round(1000 * seconds, 3),
            "n_records": n_records,
            **(fields or {}),
        }
        self._lines.append(to_json(line if self._shape is None else self._shape(line), fallback=str))
        if not self._seconds_between_writes:
            self.flush()
        elif now - self._last_write > self._seconds_between_writes:
            self.flush()
            self._start()

    def flush(self) -> None:
        """Write what is there; what cannot be written is lost, because no request may fail for its log."""
        with self._lock:
            lines, self._lines = self._lines, []
            self._last_write = time.time()
            if lines:
                lines.append(b"")
                content = memoryview(b"\n".join(lines))
                with suppress(OSError):
                    while content:
                        content = content[os.write(self._descriptor, content) :]

    def close(self) -> None:
        """Write what is there, for the last time."""
        self._closing.set()
        self.flush()

    def _start(self) -> None:
        """Start the thread that writes the last lines before a pause, in the process that has them."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._flush_now_and_then, name="request-log", daemon=True)
            self._thread.start()

    def _flush_now_and_then(self) -> None:
        while not self._closing.wait(self._seconds_between_writes):
            if self._lines:
                self.flush()

    def _written(self, now: float) -> str:
        """Return a moment in ISO 8601; the text of its second is kept for the others in it."""
        second = int(now)
        known, text = self._second
        if known != second:
            text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
            self._second = (second, text)
        return f"{text}.{int(1000 * (now - second)):03d}+00:00"


def _stderr() -> int:
    """Return the file of stderr, of the process's own where something without a file stands in its place."""
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError):
        return 2
