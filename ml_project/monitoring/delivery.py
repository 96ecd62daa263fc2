"""Rows brought to the database: in large transactions, and where it refuses some, without these."""

from __future__ import annotations

import itertools
import logging
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress

from ml_project.monitoring.blocks import Block, UnreadableBlockError
from ml_project.monitoring.database import Database, MovedError, is_busy
from ml_project.monitoring.outage import OutageLog
from ml_project.monitoring.rows import Row, to_plain_ascii

ROWS_PER_COMMIT = 1000
FAILURES_BEFORE_SINGLE_ROWS = 3
FAILURES_IN_A_ROW = 4
"""So many different rows that fail one after another mean that the database is at fault, not the rows."""
STRIKES = 3
"""So often a row must fail while others are written before it is given up."""
SECONDS_BETWEEN_LOOKS = 10.0
"""Other processes may have left blocks when they were killed."""
SECONDS_AFTER_FAILED_SPREAD = 1.0

logger = logging.getLogger("ml_project.monitoring")


class Delivery:
    """Writes rows, opening the database when it is needed.

    Parameters
    ----------
    url, durable, timeout_seconds
        See :class:`ml_project.monitoring.database.Database`.
    outage_log
        Where refused rows are counted.

    Attributes
    ----------
    n_waiting_blocks
        Blocks that are not rows yet, as far as is known.
    in_use
        Held while the database is used. A process must not be forked meanwhile: SQLite would take the parent's locks
        for the child's own, and the child would find the database locked for ever.
    """

    def __init__(self, url: str, *, durable: bool, timeout_seconds: float, outage_log: OutageLog) -> None:
        self._url = url
        self._durable = durable
        self._timeout_seconds = timeout_seconds
        self._outage_log = outage_log
        self._database: Database | None = None
        self._n_failures = 0
        self._strikes: Counter[str] = Counter()
        self.n_waiting_blocks = 0
        self.in_use = threading.RLock()
        self._refuses_blocks = False
        self._next_spread = 0.0
        self._spread_fails = False
        self._unreadable: set[int] = set()

    def open(self) -> Database:
        """Return the open database.

        Raises
        ------
        Exception
            What opening it raises.
        """
        with self.in_use:
            if self._database is None:
                self._database = Database(self._url, durable=self._durable, timeout_seconds=self._timeout_seconds)
            return self._database

    def close(self) -> None:
        """Give the connection back; the next delivery opens a new one."""
        database, self._database = self._database, None
        self._unreadable.clear()  # another file has other blocks
        if database is not None:
            with self.in_use, suppress(Exception):  # what cannot be closed any more is gone already
                database.close()

    @property
    def takes_blocks(self) -> bool:
        """Return whether :meth:`deliver_blocks` is worth an attempt."""
        return self._database is not None and self._database.takes_blocks and not self._refuses_blocks

    def deliver_blocks(self, blocks: Sequence[Block]) -> bool:
        """Write blocks in one transaction; return whether that went well, because if not, rows have to be made of them.

        What is wrong then shows when the rows are delivered; no further block is tried until they are.
        """
        try:
            with self.in_use:
                self.open().write_blocks(blocks)
        except Exception:  # noqa: BLE001  each driver has errors of its own
            self._refuses_blocks = True
            return False
        self.n_waiting_blocks += len(blocks)
        if not self._spread_fails:
            self._next_spread = 0.0
        return True

    def spread_block(self) -> bool:
        """Make rows of the oldest block; return whether another one can follow at once."""
        if self._database is None or not self._database.takes_blocks or time.monotonic() < self._next_spread:
            return False
        try:
            with self.in_use:
                number = self._database.oldest_block(self._unreadable)
                if number is not None:
                    self._spread(self._database, number)
        except MovedError:  # the next prediction begins a new file
            number = None
        except Exception as error:
            self._next_spread = time.monotonic() + SECONDS_AFTER_FAILED_SPREAD * random.uniform(0.5, 1.0)  # noqa: S311
            if not is_busy(error):
                if not self._spread_fails:
                    logger.exception("Large batches are stored, but cannot become rows; that is tried again")
                self._spread_fails = True
            return False
        self._spread_fails = False
        if number is None:
            self.n_waiting_blocks = 0
            self._next_spread = time.monotonic() + SECONDS_BETWEEN_LOOKS
        return number is not None

    def _spread(self, database: Database, number: int) -> None:
        try:
            self.n_waiting_blocks = database.spread_block(number)
        except UnreadableBlockError as error:
            logger.error("A block of a large batch is passed over and stays where it is: %s", error)  # noqa: TRY400
            self._unreadable.add(number)

    def deliver(self, rows: deque[Row]) -> tuple[int, int]:
        """Write the oldest rows and take off those that are settled.

        Parameters
        ----------
        rows
            Rows that wait, oldest first.

        Returns
        -------
        tuple of int
            How many rows were written and how many refused.

        Raises
        ------
        Exception
            When the database does not take rows; they stay, and can be tried again.
        """
        if self._n_failures >= FAILURES_BEFORE_SINGLE_ROWS:
            return self._deliver_singly(rows)
        batch = list(itertools.islice(rows, ROWS_PER_COMMIT))
        try:
            refusals = self._write_reconnected(batch)
        except Exception:
            self._n_failures += 1
            self.close()
            raise
        self._n_failures = 0
        self._refuses_blocks = False
        for _ in batch:
            rows.popleft()
        return self._settle(len(batch), refusals)

    def _deliver_singly(self, rows: deque[Row]) -> tuple[int, int]:
        """Write rows one by one: if not all fail, those that do must not hold up the others."""
        failures: list[tuple[Row, Exception]] = []
        refusals: list[Exception] = []
        n_written = n_in_a_row = 0
        while rows and n_written < ROWS_PER_COMMIT and n_in_a_row < FAILURES_IN_A_ROW:
            row = rows.popleft()
            try:
                refusals += self._write([row])
            except Exception as error:  # noqa: BLE001  each driver has errors of its own
                failures.append((row, error))
                n_in_a_row = FAILURES_IN_A_ROW if self._database is None else n_in_a_row + 1
                self.close()
            else:
                n_written, n_in_a_row = n_written + 1, 0
                self._strikes.pop(row[0], None)
        if n_written:
            self._strikes.update(row[0] for row, _ in failures)
        given_up = [(row, error) for row, error in failures if self._strikes[row[0]] >= STRIKES]
        kept = [failure for failure in failures if failure not in given_up]
        rows.extendleft(row for row, _ in reversed(kept))
        self._n_failures = self._n_failures if kept else 0
        if not n_written:
            raise failures[-1][1]
        return self._settle(n_written + len(given_up), [*refusals, *(error for _, error in given_up)])

    def _settle(self, n_rows: int, refusals: Sequence[Exception]) -> tuple[int, int]:
        for error in refusals:
            self._outage_log.refused(error)
        return n_rows - len(refusals), len(refusals)

    def _write_reconnected(self, rows: Sequence[Row]) -> list[Exception]:
        """Write rows, with a new connection if the one that lay idle is gone."""
        was_open = self._database is not None
        try:
            return self._write(rows)
        except Exception as error:
            if not was_open or not _is_connection_gone(error):
                raise
        self.close()
        return self._write(rows)

    def _write(self, rows: Sequence[Row]) -> list[Exception]:
        """Write rows, halving them until those that the database refuses stand alone; return why it refuses them."""
        database = self.open()
        try:
            with self.in_use:
                database.write(rows)
        except Exception as error:
            if not _is_refusal(error):
                raise
        else:
            return []
        if len(rows) > 1:
            middle = len(rows) // 2
            return self._write(rows[:middle]) + self._write(rows[middle:])
        try:
            with self.in_use:
                database.write([to_plain_ascii(rows[0])])
        except Exception as error:
            if not _is_refusal(error):
                raise
            return [error]
        return []


def _is_refusal(error: Exception) -> bool:
    """Return whether an error is about the rows, not the database."""
    import sqlalchemy as sa

    if isinstance(error, (sa.exc.DataError, sa.exc.IntegrityError)):
        return not error.connection_invalidated
    return isinstance(error, (ValueError, OverflowError)) or type(error) is sa.exc.StatementError


def _is_connection_gone(error: Exception) -> bool:
    import sqlalchemy as sa

    return isinstance(error, MovedError) or (isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated)
