"""Settings of the interpreter that suit a process which answers requests."""

from __future__ import annotations

import gc
import sys

SWITCH_SECONDS = 0.0005
OBJECTS_BETWEEN_COLLECTIONS = 50_000


def settle() -> None:
    """Prepare the process for requests; to be called when everything is loaded.

    What was loaded stays, so the garbage collector need not look at it again and again; requests make many objects and
    next to no cycles, so it need not look often. And a request waits for at
    most :data:`SWITCH_SECONDS` for the interpreter while the thread of the storage works, not for Python's 5 ms.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, 50, 100)
