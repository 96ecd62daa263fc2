"""How far a long piece of work is: a bar on a terminal, a line now and then elsewhere; always on stderr."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

SECONDS_BETWEEN_LINES = 10.0

Advance = Callable[[int], None]


@contextlib.contextmanager
def show_progress(task: str, total: int | None, done: int = 0) -> Iterator[Advance]:
    """Give a function to call with the number of rows just done.

    Parameters
    ----------
    task
        What is being done, for instance ``scoring``.
    total
        Number of all rows, where it is known.
    done
        Number of rows that were done before.
    """
    if sys.stderr.isatty():
        with _bar(task, total, done) as advance:
            yield advance
    else:
        yield _Lines(task, total, done).advance


def tell(text: str) -> None:
    """Print a line on stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@contextlib.contextmanager
def _bar(task: str, total: int | None, done: int) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        identifier = progress.add_task(task, total=total, completed=done)
        yield lambda n_rows: progress.advance(identifier, n_rows)


class _Lines:
    """Prints a line at most every :data:`SECONDS_BETWEEN_LINES` seconds."""

    def __init__(self, task: str, total: int | None, done: int) -> None:
        self._task, self._total, self._before, self._done = task, total, done, 0
        self._started = self._printed = time.monotonic()

    def advance(self, n_rows: int) -> None:
        self._done += n_rows
        now = time.monotonic()
        if now - self._printed < SECONDS_BETWEEN_LINES:
            return
        self._printed = now
        tell(f"{self._task}: {progress_text(self._done, self._total, now - self._started, self._before)}")


def progress_text(done: int, total: int | None, seconds: float, before: int = 0) -> str:
    """Return how far the work is, in words.

    Parameters
    ----------
    done
        Number of rows done in ``seconds``.
    total
        Number of all rows, where it is known.
    seconds
        Time taken so far.
    before
        Number of rows done earlier.

    Examples
    --------
    >>> progress_text(1000, 4000, 10.0)
    '1,000 of 4,000 rows, about 30 s left'
    >>> progress_text(1000, None, 10.0)
    '1,000 rows'
    """
    now = before + done
    if total is None or done == 0:
        return f"{now:,} rows"
    return f"{now:,} of {total:,} rows, about {max(0.0, seconds * (total - now) / done):.0f} s left"
