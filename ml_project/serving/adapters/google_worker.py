"""When a function loads its model: in the process that answers, before its first request.

functions-framework imports the entry point, and then starts the process that answers as a copy of itself (a fork).
ONNX Runtime has threads from its import on, and a copy has none of them, so that it hangs or is aborted when it ends.
Therefore it is the copy that loads the model.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from threading import Lock

from ml_project.serving.adapters.google import FrameworkAnswer, FrameworkRequest, FunctionAdapter

_LOG = logging.getLogger("ml_project.serving")
FAILED_TO_BOOT = 3
"""Exit code by which gunicorn, which functions-framework runs, knows that another copy would fail too."""


class WorkerFunction:
    """Answers requests with an adapter that is made once per process: when the process is copied, or else when asked.

    Parameters
    ----------
    make
        Makes the adapter; a copy of the process that cannot make it ends, which keeps Google from deploying it.
    """

    def __init__(self, make: Callable[[], FunctionAdapter]) -> None:
        self._make = make
        self._adapter: FunctionAdapter | None = None
        self._lock = Lock()
        os.register_at_fork(after_in_child=self._load_or_end)

    def answer(self, received: FrameworkRequest) -> FrameworkAnswer:
        """Return the answer to a request.

        Parameters
        ----------
        received
            Flask's request.
        """
        adapter = self._adapter
        return (self._load() if adapter is None else adapter).answer(received)

    def _load(self) -> FunctionAdapter:
        with self._lock:
            if self._adapter is None:
                self._adapter = self._make()
            return self._adapter

    def _load_or_end(self) -> None:
        try:
            self._load()
        except Exception as error:  # noqa: BLE001  what is raised here, Python would print and forget
            _LOG.exception("The function cannot start: %s", error)
            os._exit(FAILED_TO_BOOT)
