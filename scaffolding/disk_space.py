"""Room for a new project's files."""

from __future__ import annotations

import shutil
from pathlib import Path

SPARE_BYTES = 2**26
"""What must stay free beside the files: git's copies of them, and room to work."""


def too_full(folder: Path, n_bytes: int) -> str | None:
    """Return which disk has too little room, in words that follow "lies on"; ``None`` where there is enough.

    Parameters
    ----------
    folder
        Where something shall be written; it or one of the folders above it exists.
    n_bytes
        Size of what shall be written.

    Examples
    --------
    >>> too_full(Path.cwd() / "not there yet", 0) is None
    True
    """
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    free, needed = shutil.disk_usage(existing).free, n_bytes + SPARE_BYTES
    if free >= needed:
        return None
    return f"a disk with {free / 2**20:,.0f} MB free, and {needed / 2**20:,.0f} MB are needed; free some space"
