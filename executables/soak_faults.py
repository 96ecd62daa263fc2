"""Faults of the database that a service stores its predictions in, each for a short while."""

import contextlib
import resource
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import sqlalchemy as sa

from ml_project.monitoring.address import parse_url, sqlite_file
from ml_project.monitoring.engine import create_engine
from ml_project.monitoring.storage import read_predictions

FAULT_SECONDS = 1.5
PAUSE_SECONDS = 0.1


class Faults:
    """Takes the faults of a database in turn.

    Parameters
    ----------
    url
        Address of the database: SQLite or PostgreSQL.
    service
        The process that stores.

    Attributes
    ----------
    counts
        How often each fault happened, by name.
    """

    def __init__(self, url: str, service: subprocess.Popen[bytes]) -> None:
        self.url = parse_url(url)
        self.service = service
        file = sqlite_file(self.url)
        faults: dict[str, Callable[[], None]]
        if file is None:
            faults = {"table locked": self._lock_table, "connections cut": self._cut_connections}
        else:
            faults = {"database locked": lambda: lock(file), "disk full": lambda: fill_disk(file, service.pid)}
        self.counts = dict.fromkeys(faults, 0)
        self._faults = list(faults.items())

    def happen(self) -> None:
        """Let the next fault happen, and come back when it is over."""
        name, fault = self._faults[sum(self.counts.values()) % len(self._faults)]
        self.counts[name] += 1
        fault()

    def read_ids(self) -> set[str]:
        """Return the identifiers of all predictions stored."""
        return set(read_predictions(self.url.render_as_string(hide_password=False))["prediction_id"])

    def _lock_table(self) -> None:
        with create_engine(self.url, 10).begin() as connection:
            connection.execute(sa.text("LOCK TABLE predictions IN ACCESS EXCLUSIVE MODE"))
            time.sleep(FAULT_SECONDS)

    def _cut_connections(self) -> None:
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE :text AND pid != :own"
        with create_engine(self.url, 10).connect() as connection:
            own = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
            for _ in waiting():
                connection.execute(sa.text(cut), {"text": "%prediction%", "own": own})


def lock(file: Path) -> None:
    """Lock a SQLite file, as another program would that reads and writes it."""
    with contextlib.closing(sqlite3.connect(file, timeout=10, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        time.sleep(FAULT_SECONDS)
        connection.execute("ROLLBACK")


def fill_disk(file: Path, pid: int) -> None:
    """Let a process and its children write nothing at the end of files, as if the disk were full."""
    size = min(path.stat().st_size for path in file.parent.glob(f"{file.name}*") if path.stat().st_size)
    for _ in waiting():
        for member in family(pid):
            resource.prlimit(member, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    for member in family(pid):
        resource.prlimit(member, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def waiting() -> Iterator[None]:
    """Come round again and again while a fault lasts."""
    end = time.monotonic() + FAULT_SECONDS
    while time.monotonic() < end:
        yield
        time.sleep(PAUSE_SECONDS)


def family(pid: int) -> list[int]:
    """Return a process and all that it started and they started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(member for child in children for member in family(int(child)))]
