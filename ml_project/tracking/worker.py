"""One background thread that does jobs in the order in which they come."""

from __future__ import annotations

import logging
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

from ml_project.tracking.texts import explain_problem

logger = logging.getLogger(__name__)

Job = Callable[[], None]


class Worker:
    """Does jobs one after another in a thread; the first problem ends the work, and later jobs are dropped.

    The thread starts with the first job and does not keep the process alive.
    """

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name=name, daemon=True)
        self.problem: Exception | None = None

    def submit(self, job: Job) -> None:
        """Take a job and return at once."""
        if not self._thread.is_alive():
            self._thread.start()
        self._jobs.put(job)

    def join(self) -> None:
        """Wait until every job taken is done; nothing may be submitted afterwards."""
        if self._thread.is_alive():
            self._jobs.put(None)
            self._thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if self.problem is None:
                self._try(job)

    def _try(self, job: Job) -> None:
        try:
            job()
        except Exception as problem:  # noqa: BLE001 - kept, and raised in the thread that waits
            self.problem = problem
            text = explain_problem(problem)
            logger.warning("The work in the background (%s) stopped: %s", self._thread.name, text)
