"""A process beside the service that copies the registry's model to the file which the service watches.

MLflow takes seconds and some 200 MB to import, which the processes that answer requests are spared in this way. Nothing
is imported here that they would have to pay for.
"""

from __future__ import annotations

import argparse
import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ml_project.errors import MlProjectError
from ml_project.termination import Terminated, sigterm_raises

if TYPE_CHECKING:
    from ml_project.tracking.registry_model import ModelRegistry, RegisteredVersion

logger = logging.getLogger("ml_project.serving.registry_follower")

TRACKING_URI_VARIABLE = "ML_PROJECT_TRACKING__TRACKING_URI"
"""The address may hold a password, and everyone on a machine can read a command's words but not its environment."""
QUICK_TO_GIVE_UP = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "10", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
"""What MLflow is told where the environment does not say otherwise: it is asked again soon in any case."""
LONGEST_DELAY = 60.0
SECONDS_BETWEEN_LOOKS_AT_PARENT = 1.0
SECONDS_TO_RESTART = 5.0
SECONDS_TO_END = 5.0
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class FollowerSettings:
    """What a follower is told.

    Attributes
    ----------
    address
        ``models:/NAME@ALIAS``, or ``models:/NAME/VERSION``, which is copied once.
    destination
        File to write.
    check_seconds
        Seconds between two looks at the registry.
    """

    address: str
    destination: Path
    check_seconds: float

    @property
    def follows_alias(self) -> bool:
        """Return whether the address can mean another version later."""
        return "@" in self.address


class Follower:
    """A running follower, started again when it dies; used as a context manager, it ends with the block.

    To be made by a thread that lives as long as the service does: the process ends with the thread that started it.

    Parameters
    ----------
    settings
        What to follow.
    tracking_uri
        Address of the tracking server or database.

    Attributes
    ----------
    process
        The process that runs now.
    """

    def __init__(self, settings: FollowerSettings, tracking_uri: str) -> None:
        self._command = [
            *(sys.executable, "-m", "ml_project.serving.registry_follower"),
            *("--address", settings.address, "--destination", str(settings.destination)),
            *("--check-seconds", str(settings.check_seconds), "--parent", str(os.getpid())),
        ]
        self._environment = os.environ | {TRACKING_URI_VARIABLE: tracking_uri}
        self._ends_by_itself = not settings.follows_alias
        self._closing = threading.Event()
        self.process = self._start()
        self._guard = threading.Thread(target=self._start_again_when_dead, name="registry-follower", daemon=True)
        self._guard.start()

    def close(self) -> None:
        """End the process."""
        self._closing.set()
        self._guard.join()
        self.process.terminate()
        try:
            self.process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Self:
        """Return the follower."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the process."""
        self.close()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, env=self._environment, stdin=subprocess.DEVNULL)  # noqa: S603  our own

    def _start_again_when_dead(self) -> None:
        while not self._closing.wait(SECONDS_BETWEEN_LOOKS_AT_PARENT):
            code = self.process.poll()
            if code is None:
                continue
            if code == 0 and self._ends_by_itself:
                return
            # The code can be 0 for a killed process, too: gunicorn collects the codes of all children.
            logger.error("The process that follows the registry ended (code %s); it is started again", code)
            if not self._closing.wait(SECONDS_TO_RESTART):
                try:
                    self.process = self._start()
                except OSError:
                    logger.exception("The process that follows the registry cannot be started; that is tried again")


def start_follower(address: str, tracking_uri: str, destination: Path, *, check_seconds: float) -> Follower:
    """Start a process that copies the registry's model to a file, now and whenever the alias moves.

    Parameters
    ----------
    address
        ``models:/NAME@ALIAS`` or ``models:/NAME/VERSION``.
    tracking_uri
        Address of the tracking server or database.
    destination
        File to write; what is there serves until there is something better.
    check_seconds
        Seconds between two looks at the registry.

    Raises
    ------
    TrackingError
        When the tracking address is of no kind that can hold a registry.
    """
    from ml_project.tracking.places import find_place

    find_place(tracking_uri)
    return Follower(FollowerSettings(address, destination.absolute(), check_seconds), tracking_uri)


class AliasCopy:
    """The copy of what an address means, kept up to date.

    Parameters
    ----------
    settings
        What to follow.
    registry
        Where the model comes from.
    """

    def __init__(self, settings: FollowerSettings, registry: ModelRegistry) -> None:
        self._settings = settings
        self._registry = registry
        self._copied: RegisteredVersion | None = None
        self._delay = settings.check_seconds

    def update(self) -> float | None:
        """Copy the model if another version is meant than before, and return the seconds to wait until the next look.

        Failures are logged, and make the waiting longer. ``None`` when no further look is needed, because the address
        names a version and that was copied.
        """
        try:
            self._copy_if_moved()
        except Exception as error:  # noqa: BLE001  what goes wrong with a registry passes, and the service goes on
            return self._wait_after(error)
        if self._delay > self._settings.check_seconds:
            logger.info("The registry at %s can be used again", self._registry.shown)
        self._delay = self._settings.check_seconds
        return self._delay if self._settings.follows_alias else None

    def _copy_if_moved(self) -> None:
        found = self._registry.find(self._settings.address)
        if found == self._copied and self._settings.destination.exists():
            return
        started = time.perf_counter()
        manifest = self._registry.fetch(found, self._settings.destination)
        seconds = time.perf_counter() - started
        logger.info(
            "Copied %s (%s) from %s to %s in %.2f s",
            *(found, manifest.version, self._registry.shown, self._settings.destination, seconds),
            extra={"registry_version": found.version, "model_version": manifest.version},
        )
        self._copied = found

    def _wait_after(self, error: Exception) -> float:
        self._delay = max(self._settings.check_seconds, min(LONGEST_DELAY, 2 * self._delay))
        expected = isinstance(error, MlProjectError)
        logger.warning("%s (tried again in %.0f s)", error, self._delay, exc_info=None if expected else error)
        return self._delay


def main(arguments: Sequence[str] | None = None) -> int:
    """Follow the registry until the parent process ends or SIGTERM comes."""
    from ml_project.serving.json_logging import log_as_json

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--destination", required=True, type=Path)
    parser.add_argument("--check-seconds", required=True, type=float)
    parser.add_argument("--parent", required=True, type=int, help="process with whose end this one ends")
    words = parser.parse_args(arguments)
    log_as_json()
    for name in ("alembic", "urllib3"):  # what matters of their notes comes as an error, too
        logging.getLogger(name).setLevel(logging.ERROR)
    for meant_for_service in (signal.SIGHUP, signal.SIGINT):  # a terminal sends them to this process, too
        signal.signal(meant_for_service, signal.SIG_IGN)
    settings = FollowerSettings(words.address, words.destination, words.check_seconds)
    try:
        with sigterm_raises():
            _end_with_parent()
            follow(settings, os.environ[TRACKING_URI_VARIABLE], parent=words.parent)
    except Terminated:
        logger.info("The registry is no longer followed")
    return 0


def follow(settings: FollowerSettings, tracking_uri: str, *, parent: int) -> None:
    """Keep a copy of the registry's model up to date as long as the parent process lives.

    Parameters
    ----------
    settings
        What to follow.
    tracking_uri
        Address of the tracking server or database.
    parent
        Number of the parent process.
    """
    for name, value in QUICK_TO_GIVE_UP.items():
        os.environ.setdefault(name, value)
    from ml_project.tracking.registry_model import ModelRegistry

    copy = AliasCopy(settings, ModelRegistry(tracking_uri))
    while os.getppid() == parent:
        delay = copy.update()
        if delay is None:
            return
        _wait(delay, parent)


def _wait(seconds: float, parent: int) -> None:
    """Wait, but not longer than the parent lives."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and os.getppid() == parent:
        time.sleep(min(left, SECONDS_BETWEEN_LOOKS_AT_PARENT))


def _end_with_parent() -> None:
    """Let Linux send SIGTERM when the thread that started this process ends, so that a long download ends, too."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
