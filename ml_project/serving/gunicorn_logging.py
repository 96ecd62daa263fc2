"""gunicorn's own messages, handed to the loggers of the process like all others."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger


class RootLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Leaves handlers and formats to the root logger."""

    def setup(self, cfg: Any) -> None:
        """Let messages pass to the root logger; requests are logged by the service itself."""
        self.loglevel = self.error_log.level
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        self.access_log.handlers.clear()
        self.access_log.disabled = True
