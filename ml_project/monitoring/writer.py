"""The thread that turns what requests left into rows and commits them."""

from __future__ import annotations

import math
import random
import time
from collections import deque
from concurrent.futures import Future

from ml_project.config_service import StorageConfig
from ml_project.monitoring.blocks import BLOCKS_PER_COMMIT, BatchOfBlocks, Block
from ml_project.monitoring.delivery import Delivery
from ml_project.monitoring.inbox import Inbox
from ml_project.monitoring.items import Item, count_predictions
from ml_project.monitoring.outage import OutageLog
from ml_project.monitoring.promises import Promises
from ml_project.monitoring.rows import Row, to_rows

ROWS_PER_BREATH = 16
BREATH_SECONDS = 0.0001
"""After so many rows the interpreter's lock is left to requests for so long: they wait for a few hundred microseconds
at most, not for the five milliseconds after which Python would interrupt this thread."""
QUIET_SECONDS = 0.5
"""So long after the last large batch its blocks become rows, which would slow down the next one."""
MOST_WAITING_BLOCKS = 4000
"""About a million predictions; while so many wait, those of further large batches become rows at once."""
REST = 3.0
"""So many times as long as making rows of a block took, the database is left to others."""
FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS = 0.1, 2.0
LONGEST_DELAY_AT_END_SECONDS = 0.2
SPARE_SECONDS = 0.5
LAST_SPREAD_SECONDS = 1.0


class Writer:
    """Commits every half window, so that nothing waits for longer than the window.

    While the database does not take rows, they are kept as rows, which need less memory than what requests left.

    Parameters
    ----------
    config
        Window, limits and address.
    inbox
        Where requests leave their predictions.
    promises
        Futures of durable answers; ``None`` where answers do not wait.
    outage_log
        Where outages and losses are noted.
    """

    def __init__(self, config: StorageConfig, inbox: Inbox, promises: Promises | None, outage_log: OutageLog) -> None:
        self._inbox = inbox
        self._promises = promises
        self._outage_log = outage_log
        self._delivery = Delivery(
            config.url, durable=config.durable, timeout_seconds=config.timeout_seconds, outage_log=outage_log
        )
        self._period = config.window_milliseconds / 2000
        self._timeout_seconds = config.timeout_seconds
        self._rows: deque[Row] = deque()
        self._blocks: list[Block] = []
        self._n_in_blocks = 0
        self._promised: list[Future[None]] = []
        self._delay = FIRST_DELAY_SECONDS
        self._next_attempt = 0.0
        self._last_blocks_at = -math.inf

    def run(self) -> None:
        """Work until the inbox is closed and everything in it is written, or cannot be in time."""
        self._attempt()
        while self._inbox.closed_at is None:
            started = time.monotonic()
            self._convert(breathe_until=started + self._period / 2)
            self._attempt()
            self._spread_blocks(started + self._period)
            if not self._inbox.is_filling:  # or the signal that it is may have ended a rest
                self._inbox.wait(started + self._period - time.monotonic())
        self._finish(self._inbox.closed_at + self._timeout_seconds)
        self._delivery.close()

    def _finish(self, deadline: float) -> None:
        """Write what is left, trying more often than usual."""
        self._convert(breathe_until=0.0)
        self._next_attempt = 0.0
        self._attempt()
        while self._rows and (now := time.monotonic()) < deadline:
            self._next_attempt = min(self._next_attempt, now + LONGEST_DELAY_AT_END_SECONDS)
            time.sleep(max(0.0, min(self._next_attempt, deadline) - now))
            self._attempt()
        end = min(deadline - SPARE_SECONDS, time.monotonic() + LAST_SPREAD_SECONDS)
        while time.monotonic() < end and self._delivery.spread_block():
            pass  # what is left, the next process does

    def pause(self, seconds: float) -> bool:
        """Return whether the database is not used until :meth:`go_on`, having waited for so long at most."""
        return self._delivery.in_use.acquire(timeout=seconds)

    def go_on(self) -> None:
        """Let the database be used again; for the thread that paused it."""
        self._delivery.in_use.release()

    @property
    def takes_blocks(self) -> bool:
        """Return whether large batches can be written as blocks now."""
        return self._delivery.takes_blocks and self._delivery.n_waiting_blocks < MOST_WAITING_BLOCKS

    def _convert(self, *, breathe_until: float) -> None:
        """Make rows of what requests left, or write it at once, giving way to requests every now and then."""
        items, promise = self._inbox.take()
        for item in items:
            if isinstance(item, list):
                self._rows += item
            elif isinstance(item, BatchOfBlocks):
                self._blocks += item.blocks
                self._n_in_blocks += item.n_rows
                if len(self._blocks) >= BLOCKS_PER_COMMIT:
                    self._write_blocks()
            else:
                self._make_rows(item, 0, count_predictions(item), breathe_until)
        self._write_blocks()
        if promise is not None:
            self._promised.append(promise)

    def _write_blocks(self) -> None:
        blocks, self._blocks = self._blocks, []
        n_rows, self._n_in_blocks = self._n_in_blocks, 0
        if not blocks:
            return
        self._last_blocks_at = time.monotonic()
        if self.takes_blocks and self._delivery.deliver_blocks(blocks):
            self._inbox.settle(n_rows, 0)
            return
        for block in blocks:
            self._rows += block.rows()

    def _spread_blocks(self, until: float) -> None:
        """Make rows of blocks as long as nothing else is to be done; other processes can write in between."""
        if time.monotonic() < self._last_blocks_at + QUIET_SECONDS:
            return
        while (started := time.monotonic()) < until and not (self._inbox.is_filling or self._inbox.is_closed):
            if not self._delivery.spread_block():
                return
            self._inbox.wait(REST * (time.monotonic() - started))

    def _make_rows(self, item: Item, start: int, stop: int, breathe_until: float) -> None:
        """Make rows of a part of an item; what cannot be one is counted as lost, each prediction alone."""
        for first in range(start, stop, ROWS_PER_BREATH):
            last = min(first + ROWS_PER_BREATH, stop)
            try:
                self._rows += to_rows(item, first, last)
            except Exception:  # noqa: BLE001  a record may hold anything
                for position in range(first, last):
                    self._rows += self._make_row(item, position)
            if time.monotonic() < breathe_until:
                time.sleep(BREATH_SECONDS)

    def _make_row(self, item: Item, position: int) -> list[Row]:
        try:
            return to_rows(item, position, position + 1)
        except Exception as error:  # noqa: BLE001  a record may hold anything
            self._outage_log.refused(error)
            self._inbox.settle(0, 1)
            return []

    def _attempt(self) -> None:
        """Write all rows, unless the last failure is too recent."""
        if time.monotonic() < self._next_attempt:
            return
        try:
            self._delivery.open()
            while self._rows:
                n_written, n_refused = self._delivery.deliver(self._rows)
                self._inbox.settle(n_written, n_refused)
        except Exception as error:  # noqa: BLE001  each driver has errors of its own
            self._outage_log.failed(error)
            self._next_attempt = time.monotonic() + self._delay * random.uniform(0.8, 1.2)  # noqa: S311  no secret
            self._delay = min(2 * self._delay, LONGEST_DELAY_SECONDS)
            return
        self._delay = FIRST_DELAY_SECONDS
        self._outage_log.written()
        self._keep_promises()

    def _keep_promises(self) -> None:
        if self._promises is not None:
            for promise in self._promised:
                self._promises.keep(promise)
            self._promised.clear()

