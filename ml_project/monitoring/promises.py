"""Futures of answers that wait until they are stored, one for all that are committed together."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress

CHECK_SECONDS = 0.1

logger = logging.getLogger("ml_project.monitoring")


class Promises:
    """Makes the futures, and gives up those for which the database takes too long.

    After it gave up once, new answers do not wait at all until the database has taken rows again: an outage delays the
    first requests, not every one.

    Parameters
    ----------
    timeout_seconds
        Longest time from the first item of a group to its future's end.
    shown
        The database for readers.

    Attributes
    ----------
    kept
        A future that is done.
    """

    def __init__(self, timeout_seconds: float, shown: str) -> None:
        self.kept = _new_future()
        self.kept.set_result(None)
        self._timeout_seconds = timeout_seconds
        self._shown = shown
        self._group: Future[None] | None = None
        self._open: deque[tuple[float, Future[None]]] = deque()
        self._is_waiting = True
        self.is_watched = False
        self._is_ended = threading.Event()

    def join_group(self) -> Future[None]:
        """Return the future of the group that is open for new items; the caller holds the inbox's lock."""
        if not self._is_waiting:
            return self.kept
        if self._group is None:
            self._group = _new_future()
            self._open.append((time.monotonic(), self._group))
        return self._group

    def close_group(self) -> Future[None] | None:
        """Return the open group's future; later items form a new group. The caller holds the inbox's lock."""
        group, self._group = self._group, None
        return group

    def keep(self, future: Future[None]) -> None:
        """Note that the rows of a group were committed."""
        self._is_waiting = True
        _end(future)

    def watch(self) -> None:
        """Give up what takes too long, until :meth:`end`; to be run by a thread of its own.

        The writer cannot do it: it is the one who hangs when the database does.
        """
        while not self._is_ended.wait(CHECK_SECONDS):
            self._give_up(time.monotonic() - self._timeout_seconds)

    def end(self) -> None:
        """Give up everything, and end the thread."""
        self._is_ended.set()
        for _, future in list(self._open):  # left in place, because the thread may be looking at it
            _end(future)

    def _give_up(self, latest_start: float) -> None:
        while self._open and (self._open[0][1].done() or self._open[0][0] < latest_start):
            future = self._open.popleft()[1]
            if future.done():
                continue
            if self._is_waiting:
                logger.error(
                    "%s did not store predictions within %g s; answers do not wait for it until it does.",
                    self._shown,
                    self._timeout_seconds,
                )
            self._is_waiting = False
            _end(future)


def _new_future() -> Future[None]:
    future: Future[None] = Future()
    # Running futures cannot be cancelled: a client that goes away must not end the waiting of the others in its group.
    future.set_running_or_notify_cancel()
    return future


def _end(future: Future[None]) -> None:
    with suppress(InvalidStateError):
        future.set_result(None)
