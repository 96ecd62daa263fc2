"""A time limit for the arrival of bodies, so that clients that stop sending do not use up a service."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable

from ml_project.errors import BodyTooSlowError


class SlowBodies:
    """Ends the reading of bodies that take too long.

    One task looks at all of them from time to time, because a timer for each would cost more than reading does.

    Parameters
    ----------
    seconds
        What a body may take.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: dict[asyncio.Task[object], float] = {}
        self._ended: set[asyncio.Task[object]] = set()

    async def limit[T](self, reading: Awaitable[T]) -> T:
        """Return what the reading of a body returns.

        Raises
        ------
        BodyTooSlowError
            When it took too long.
        """
        task = asyncio.current_task()
        assert task is not None
        self._since[task] = time.monotonic()
        try:
            return await reading
        except asyncio.CancelledError:
            if task not in self._ended:
                raise
            task.uncancel()
            raise slow_body(self._seconds) from None
        finally:
            del self._since[task]
            self._ended.discard(task)

    async def watch(self) -> None:
        """End what takes too long, until this is cancelled."""
        while True:
            await asyncio.sleep(min(1.0, self._seconds / 4))
            latest = time.monotonic() - self._seconds
            for task in [task for task, since in self._since.items() if since < latest and task not in self._ended]:
                self._ended.add(task)
                task.cancel()


def slow_body(seconds: float) -> BodyTooSlowError:
    """Return the error for a body that takes too long."""
    return BodyTooSlowError(f"The body did not arrive within {seconds:g} seconds; send it faster, or fewer records")
