"""Rows of engineered columns as importances need them: chosen, counted, gone through with a progress bar."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.data.columns import Columns

Compute = Callable[[Columns], npt.NDArray[Any]]
"""From engineered columns to probabilities of shape ``(n_rows, n_classes)`` or values of shape ``(n_rows,)``."""


def choose_rows(n_rows: int, most: int, generator: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return the positions of at most ``most`` random rows, in order."""
    return np.arange(n_rows) if n_rows <= most else np.sort(generator.choice(n_rows, most, replace=False))


def count_rows(columns: Columns) -> int:
    """Return the number of rows."""
    return len(next(iter(columns.values())))


def show_progress[Item](items: Sequence[Item], title: str) -> Iterable[Item]:
    """Return the items, with a progress bar on stderr where that is a terminal."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(items, title, console=console, transient=True, disable=not console.is_terminal)
