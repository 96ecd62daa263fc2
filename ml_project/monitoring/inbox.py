"""Where requests leave what shall be stored: the only part of the storage that runs while a client waits."""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future
from queue import Empty, SimpleQueue

from ml_project.monitoring.blocks import BatchOfBlocks
from ml_project.monitoring.items import Item, count_predictions
from ml_project.monitoring.outage import OutageLog
from ml_project.monitoring.promises import Promises
from ml_project.monitoring.rows import Row, to_rows

ROWS_CONVERTED_AT_ONCE = 16
"""Up to so many predictions become rows at once, by the request's own thread, which has just made them: they still lie
in the processor's cache then, and nobody waits for the interpreter's lock. For single predictions both together cost a
quarter of what it takes to convert them later, and halve what the storage adds to the 99th percentile of requests."""

FILLING_ROWS = 256
HURRY_ROWS = 4096
"""When so many predictions lie in the inbox, the writer is woken before its time."""
MOST_ROWS_AHEAD = 8192
"""From so many predictions on that are not written yet, large batches have to wait for the writer."""
Waiting = Item | BatchOfBlocks | list[Row]
"""What the writer takes: rows, blocks, or what it has to make rows of."""


class Inbox:
    """Items that wait for the writer, and how many predictions are not settled yet.

    The lock is reentrant, because a signal handler that ends the service may run in the middle of :meth:`add`.

    Parameters
    ----------
    capacity
        Most predictions and labels that may wait, those that the writer has taken included.
    promises
        Futures of durable answers; ``None`` where answers do not wait.
    outage_log
        Where losses are counted.

    Attributes
    ----------
    n_written
        Predictions and labels that were committed.
    closed_at
        Time of :meth:`close` by :func:`time.monotonic`; ``None`` before it.
    """

    def __init__(self, capacity: int, promises: Promises | None, outage_log: OutageLog) -> None:
        self._capacity = capacity
        self._promises = promises
        self._outage_log = outage_log
        self._lock = threading.RLock()
        self._most_ahead = min(MOST_ROWS_AHEAD, capacity // 2)
        self._items: deque[Waiting] = deque()
        self._n_pending = 0
        self._n_inside = 0
        self.n_written = 0
        self.closed_at: float | None = None
        self._is_awake = False
        self._signals: SimpleQueue[None] = SimpleQueue()

    @property
    def n_pending(self) -> int:
        """Return how many predictions and labels are neither written nor lost."""
        return self._n_pending

    @property
    def is_filling(self) -> bool:
        """Return whether a large batch came since the last :meth:`take`, or anything that an answer waits for."""
        return self._n_inside >= (FILLING_ROWS if self._promises is None else 1)

    @property
    def is_closed(self) -> bool:
        """Return whether nothing is taken in any more."""
        return self.closed_at is not None

    def add(self, item: Item | BatchOfBlocks) -> Future[None] | None:
        """Take an item, or count it as lost where there is no room; see :class:`PredictionStorage`."""
        entry: Waiting = item
        if isinstance(item, BatchOfBlocks):
            n = item.n_rows
        else:
            n = count_predictions(item)
            entry = _convert(item, n) if n <= ROWS_CONVERTED_AT_ONCE else item
        with self._lock:
            if self._fits(n) and self.closed_at is None:
                self._n_pending += n
                self._n_inside += n
                self._items.append(entry)
                if self._n_inside >= HURRY_ROWS:
                    self._wake()
                return None if self._promises is None else self._promise()
        self._outage_log.lost(n, "full" if self.closed_at is None else "closed")
        return None if self._promises is None else self._promises.kept

    def take(self) -> tuple[list[Waiting], Future[None] | None]:
        """Return what was added since the last time, and the future of all that."""
        with self._lock:
            self._is_awake = False
            self._n_inside = 0
            items = list(self._items)
            self._items.clear()
            return items, None if self._promises is None else self._promises.close_group()

    def settle(self, n_written: int, n_lost: int) -> None:
        """Note what became of predictions; without effect after :meth:`abandon`, which has counted them already."""
        with self._lock:
            if self._n_pending:
                self._n_pending -= n_written + n_lost
                self.n_written += n_written

    def abandon(self) -> int:
        """Return how many predictions and labels wait, and forget them."""
        with self._lock:
            n_left, self._n_pending = self._n_pending, 0
            self._items.clear()
            return n_left

    def has_room(self, n: int) -> bool:
        """Return whether a large batch should be added now; see :class:`PredictionStorage`."""
        is_behind = self._n_pending > self._most_ahead or not self._fits(n)
        return not is_behind or self._outage_log.is_failing or self.closed_at is not None

    def _fits(self, n: int) -> bool:
        # A batch that is larger than the whole inbox is taken when nothing else waits.
        return self._n_pending + n <= self._capacity or not self._n_pending

    def wait(self, seconds: float) -> None:
        """Wait, but not longer than until the inbox is closed, fills up or, where answers wait, something is added."""
        try:
            self._signals.get(timeout=max(seconds, 0.0))
        except Empty:
            return

    def close(self) -> None:
        """Take nothing in any more, and wake the writer."""
        if self.closed_at is None:
            self.closed_at = time.monotonic()
        self._signals.put(None)

    def _promise(self) -> Future[None]:
        assert self._promises is not None
        self._wake()
        return self._promises.join_group()

    def _wake(self) -> None:
        if not self._is_awake:
            self._is_awake = True
            self._signals.put(None)


def _convert(item: Item, n: int) -> Item | list[Row]:
    """Return an item's rows; what cannot be converted is left to the writer, which finds out what is wrong with it."""
    try:
        return to_rows(item, 0, n)
    except Exception:  # noqa: BLE001  a record may hold anything
        return item
