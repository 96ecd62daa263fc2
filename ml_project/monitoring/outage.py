"""The log lines of an outage: one when it begins, one when predictions begin to be lost, one at its end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Literal

from ml_project.monitoring.address import explain

LossReason = Literal["full", "refused", "closed"]
"""Why predictions are lost: too many were waiting; the database cannot take them at all; the process ended."""
OnLoss = Callable[[int, str], None]

REFUSAL_LOG_SECONDS = 60.0

logger = logging.getLogger("ml_project.monitoring")


class OutageLog:
    """Counts what is lost, and says so once per outage.

    Parameters
    ----------
    url
        The database's URL.
    shown
        The same for readers, without credentials.
    on_loss
        Called with each number of lost predictions and the reason, from any thread.

    Attributes
    ----------
    n_lost
        Predictions and labels lost so far.
    """

    def __init__(self, url: str, shown: str, on_loss: OnLoss) -> None:
        self.n_lost = 0
        self._url = url
        self._shown = shown
        self._on_loss = on_loss
        self._lock = threading.RLock()
        self._failing_since: float | None = None
        self._full_since: float | None = None
        self._n_lost_before = 0
        self._next_refusal_log = 0.0
        self._n_refused = 0

    @property
    def is_failing(self) -> bool:
        """Return whether the last attempt to write failed."""
        return self._failing_since is not None

    def failed(self, error: BaseException) -> None:
        """Note that an attempt to write failed."""
        with self._lock:
            if self._failing_since is not None:
                return
            self._failing_since = time.monotonic()
            if self._full_since is None:
                self._n_lost_before = self.n_lost
        logger.error(
            "Predictions cannot be stored in %s (%s). They are answered and kept in memory as far as "
            "monitoring.storage.max_pending allows, and stored as soon as the database takes them.",
            self._shown,
            explain(error, self._url),
        )

    def written(self) -> None:
        """Note that the database has taken all rows."""
        if self._failing_since is None and self._full_since is None:
            return
        with self._lock:
            began = min(since for since in (self._failing_since, self._full_since) if since is not None)
            n_lost = self.n_lost - self._n_lost_before
            self._failing_since = self._full_since = None
        logger.warning(
            "Predictions are stored in %s again after %.1f s; %d were lost.",
            self._shown,
            time.monotonic() - began,
            n_lost,
        )

    def lost(self, n: int, reason: LossReason) -> None:
        """Count what is lost."""
        with self._lock:
            is_first_of_full = reason == "full" and self._full_since is None
            if is_first_of_full:
                self._full_since = time.monotonic()
                if self._failing_since is None:
                    self._n_lost_before = self.n_lost
            self.n_lost += n
        if is_first_of_full:
            logger.error(
                "Predictions are lost from now on: monitoring.storage.max_pending of them wait to be written to %s.",
                self._shown,
            )
        elif reason == "closed":
            logger.error("%d predictions were not yet stored in %s at the end and are lost.", n, self._shown)
        try:
            self._on_loss(n, reason)
        except Exception:
            logger.exception("Counting %d lost predictions failed.", n)

    def refused(self, error: BaseException) -> None:
        """Count a prediction that cannot be stored at all, and say so at most once a minute."""
        self._n_refused += 1
        self.lost(1, "refused")
        if time.monotonic() < self._next_refusal_log:
            return
        self._next_refusal_log = time.monotonic() + REFUSAL_LOG_SECONDS
        logger.error(
            "%d predictions or labels that cannot be stored in %s are lost; the last one: %s",
            self._n_refused,
            self._shown,
            explain(error, self._url),
        )
        self._n_refused = 0
