"""Processes that tests start: each a group of its own, with a log file, ended with all that it started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from deployment.tests.asking import wait_for_answer

STOP_SECONDS = 40
LAST_CHARACTERS = 4000
OWN_VARIABLES = ("ML_PROJECT_", "PROMETHEUS_", "PYTHON", "VIRTUAL_ENV", "RESOLVED_ML_PROJECT_", "GUNICORN", "PORT")
"""Beginnings of names of environment variables that must not reach what is deployed."""


@dataclass(frozen=True)
class Started:
    """A process that was started.

    Attributes
    ----------
    log
        What it and its children write.
    """

    process: subprocess.Popen[bytes]
    log: Path

    def ended(self) -> str | None:
        """Return the end of the log when the process has ended, else ``None``."""
        if self.process.poll() is None:
            return None
        return f"{self.process.args!r} ended with {self.process.returncode}:\n{self.last_lines()}"

    def last_lines(self) -> str:
        """Return the end of the log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-LAST_CHARACTERS:]


def free_port() -> int:
    """Return a port of the loopback interface on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def clean_environment(binaries: Path | None = None) -> dict[str, str]:
    """Return this process's environment without the settings of Python and of this project.

    Parameters
    ----------
    binaries
        Folder in front of the search path, for instance ``bin`` of a virtual environment.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OWN_VARIABLES)}
    if binaries is not None:
        kept["PATH"] = f"{binaries}:{kept['PATH']}"
    return kept


@contextmanager
def running(
    command: Sequence[str | Path], *, folder: Path, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Started]:
    """Run a command until the end of a with-block, with SIGTERM first, and end whatever it leaves behind.

    Parameters
    ----------
    command
        Program and its arguments.
    folder
        Where it runs.
    log
        File for all that it writes.
    environment
        All its variables; :func:`clean_environment` by default.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=folder,
            env=dict(clean_environment() if environment is None else environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Started(process, log)
    finally:
        stop(process)


@contextmanager
def serving(
    command: Sequence[str | Path],
    *,
    port: int,
    folder: Path,
    log: Path,
    environment: Mapping[str, str] | None = None,
    ready: str = "/ready",
) -> Iterator[str]:
    """Run a command that serves on a port, wait until the path ``ready`` answers 200, and yield its URL.

    Parameters are otherwise those of :func:`running`.
    """
    url = f"http://127.0.0.1:{port}"
    with running(command, folder=folder, log=log, environment=environment) as started:
        wait_for_answer(f"{url}{ready}", ended=started.ended)
        yield url


def stop(process: subprocess.Popen[bytes], seconds: float = STOP_SECONDS) -> None:
    """End a process that leads its group, and then the group.

    Raises
    ------
    TimeoutError
        When it had to be killed because it did not end in order.
    """
    try:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(seconds)
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"{process.args!r} did not end within {seconds:.0f} s of SIGTERM") from error
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
