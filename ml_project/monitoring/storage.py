"""Predictions, the features behind them and labels fed back, stored off the request path.

A request only appends to a queue. A thread commits what is in it within the window, and keeps it while the database
does not take it; no request knows: see :mod:`ml_project.monitoring.writer`.
"""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future

from ml_project.config_service import StorageConfig
from ml_project.masking import mask_credentials
from ml_project.monitoring.blocks import ROWS_PER_BLOCK, BatchOfBlocks, to_blocks
from ml_project.monitoring.inbox import Inbox
from ml_project.monitoring.items import Feedback, Item, PredictionBatch
from ml_project.monitoring.outage import OnLoss, OutageLog
from ml_project.monitoring.promises import Promises
from ml_project.monitoring.reading import read_predictions
from ml_project.monitoring.writer import Writer

__all__ = ["BatchOfBlocks", "Feedback", "PredictionBatch", "PredictionStorage", "read_predictions"]


LONGEST_PAUSE_SECONDS = 2.0
"""Time that a fork waits for a transaction under way."""


def _if_there(method: Callable[[], None]) -> Callable[[], None]:
    """Return a call of a method that does not keep its object alive."""
    reference = weakref.WeakMethod(method)

    def call() -> None:
        found = reference()
        if found is not None:
            found()

    return call


def _ignore_loss(_n: int, _reason: str) -> None:
    """Do nothing."""


class PredictionStorage:
    """Stores predictions and labels without failing or delaying a request.

    Making one is cheap: SQLAlchemy is imported and the database opened by a thread that :meth:`start` starts, or else
    the first :meth:`add`. A forked process begins with an empty storage and a thread of its own.

    Parameters
    ----------
    config
        Where and how to store.
    on_loss
        Called with a number of lost predictions or labels and the reason: ``full`` (too many wait), ``refused`` (the
        database cannot take them at all) or ``closed`` (the process ended before they were written). Any thread may
        call it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     url = f"sqlite:///{folder}/predictions.db"
    ...     storage = PredictionStorage(StorageConfig(url=url))
    ...     storage.add(PredictionBatch(["a"], 0.0, None, "1", [{"age": 30}], {}, [{"value": 2.5}], [()], 0.001))
    ...     storage.close()
    ...     read_predictions(url)["output.value"].tolist()
    [2.5]
    """

    def __init__(self, config: StorageConfig, *, on_loss: OnLoss = _ignore_loss) -> None:
        self._config = config
        self._on_loss = on_loss
        self._of_parents: tuple[Writer, ...] = ()
        self._is_paused = False
        self._set_up()
        os.register_at_fork(
            before=_if_there(self._pause),
            after_in_parent=_if_there(self._go_on),
            after_in_child=_if_there(self._set_up_child),
        )

    def _set_up(self) -> None:
        config, shown = self._config, mask_credentials(self._config.url)
        self._outage_log = OutageLog(config.url, shown, self._on_loss)
        self._promises = Promises(config.timeout_seconds, shown) if config.durable else None
        self._inbox = Inbox(config.max_pending, self._promises, self._outage_log)
        self._writer = Writer(config, self._inbox, self._promises, self._outage_log)
        self._thread: threading.Thread | None = None
        self._start_lock = threading.RLock()

    def _pause(self) -> None:
        """Let no process be forked while the database is used, unless it hangs."""
        self._is_paused = self._writer.pause(LONGEST_PAUSE_SECONDS)

    def _go_on(self) -> None:
        if self._is_paused:
            self._writer.go_on()

    def _set_up_child(self) -> None:
        """Begin with nothing in a forked process: its parent writes what the parent has taken."""
        # The parent's connection must not be closed here, as it would be with the last reference to it.
        self._of_parents += (self._writer,)
        was_closed = self._inbox.is_closed
        self._set_up()
        if was_closed:
            self._inbox.close()

    @property
    def is_durable(self) -> bool:
        """Return whether answers wait until their predictions are stored."""
        return self._config.durable

    @property
    def n_pending(self) -> int:
        """Return how many predictions and labels wait to be written."""
        return self._inbox.n_pending

    @property
    def n_written(self) -> int:
        """Return how many predictions and labels were committed."""
        return self._inbox.n_written

    @property
    def n_lost(self) -> int:
        """Return how many predictions and labels were lost."""
        return self._outage_log.n_lost

    def start(self) -> None:
        """Start the thread that writes; without effect where it runs.

        To be called by the process that answers requests when it is ready for them, so that the import of SQLAlchemy
        does not slow down its start or the first request.
        """
        with self._start_lock:
            if self._thread is not None or self._inbox.is_closed:
                return
            thread = threading.Thread(target=self._writer.run, name="prediction-storage", daemon=True)
            try:
                if self._promises is not None and not self._promises.is_watched:
                    threading.Thread(target=self._promises.watch, name="prediction-promises", daemon=True).start()
                    self._promises.is_watched = True
                thread.start()
            except RuntimeError as error:  # the system allows no further thread; the next prediction tries again
                self._outage_log.failed(error)
                return
            self._thread = thread
            atexit.register(self.close)

    def prepare(self, batch: PredictionBatch) -> PredictionBatch | BatchOfBlocks:
        """Return what is to be added for a batch; for a large one it takes the time that :meth:`add` would not have.

        To be called by the thread that made the batch, and that has the interpreter's lock and the processor's cache.
        """
        is_large = len(batch.ids) >= ROWS_PER_BLOCK and self._writer.takes_blocks
        return to_blocks(batch) if is_large else batch

    def add(self, item: Item | BatchOfBlocks) -> Future[None] | None:
        """Take predictions or a label to be stored; at once, whatever state the database is in.

        Parameters
        ----------
        item
            What to store, also as :meth:`prepare` returned it. It may not be changed afterwards.

        Returns
        -------
        concurrent.futures.Future or None
            With ``config.durable`` a future that ends when the item is committed, or given up after
            ``config.timeout_seconds``; it holds no error. Else ``None``.
        """
        if self._thread is None:
            self.start()
        return self._inbox.add(item)

    def has_room(self, n: int) -> bool:
        """Return whether so many predictions should be added now, or the writer is behind.

        Who waits with large batches until there is room loses none. While the database takes nothing at all, waiting
        does not help, and there is room as far as anybody can say.
        """
        return self._inbox.has_room(n)

    def close(self) -> None:
        """Write everything that waits, for at most ``config.timeout_seconds``; what is not written then is lost."""
        self._inbox.close()
        if self._thread is not None:
            self._thread.join(self._config.timeout_seconds)
        n_left = self._inbox.abandon()
        if n_left:
            self._outage_log.lost(n_left, "closed")
        if self._promises is not None:
            self._promises.end()
        atexit.unregister(self.close)
