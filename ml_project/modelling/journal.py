"""The record of a search under way, from which an interrupted run goes on.

A journal lies in a folder named by the fingerprint of everything that decides the search's results. It is removed when
the leaderboard is complete, so only an interrupted run leaves one.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_project.errors import ModellingError

if TYPE_CHECKING:
    import optuna

logger = logging.getLogger(__name__)

OpenStudy = Callable[[str], "optuna.Study | None"]


def search_fingerprint(parts: Mapping[str, Any]) -> str:
    """Return the hash of everything that decides a search's results, as 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


@contextmanager
def search_journal(directory: Path, fingerprint: str) -> Iterator[OpenStudy]:
    """Open the journal of a search for a with-block and remove it when the block ends without an exception.

    A second run of the same search at the same time goes without a journal.

    Parameters
    ----------
    directory
        Folder of all journals.
    fingerprint
        What :func:`search_fingerprint` returns.

    Yields
    ------
    Callable
        Function from a candidate's name to its study in the journal, or ``None`` where there is no journal.
    """
    folder = directory / fingerprint
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            logger.warning(
                "The same search is under way in another process; this one could not be resumed if interrupted."
            )
            yield lambda _: None
            return
        try:
            yield _opener(folder / "journal.log")
        except ModellingError:
            _remove(folder)  # all failed: to go on from there would only fail again, whatever has been corrected
            raise
        _remove(folder)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # the same search may just have been started once more in this folder


def _opener(path: Path) -> OpenStudy:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    # The folder's lock already keeps others out; a lock file left by a killed run must not block the next one.
    path.with_name("journal.log.lock").unlink(missing_ok=True)
    storage = JournalStorage(JournalFileBackend(str(path), lock_obj=JournalFileOpenLock(str(path))))

    def open_study(candidate: str) -> optuna.Study:
        import optuna

        return optuna.create_study(storage=storage, study_name=candidate, direction="maximize", load_if_exists=True)

    return open_study
