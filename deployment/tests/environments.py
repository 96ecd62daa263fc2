"""Fresh virtual environments with exactly what a requirements file names, made once and shared by all targets."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deployment.tests.processes import clean_environment

REPOSITORY = Path(__file__).resolve().parents[2]
ENVIRONMENTS = REPOSITORY / ".runtimes" / "environments"
COMPLETE = "complete"


def environment_with(requirements: str, *, needs_hashes: bool = True) -> Path:
    """Return the folder of a virtual environment in which these requirements are installed, and nothing else.

    Parameters
    ----------
    requirements
        Text of a requirements file.
    needs_hashes
        Whether every requirement must have one.

    Raises
    ------
    RuntimeError
        When pip refuses; the message is what it wrote.
    """
    key = hashlib.sha256(f"{sys.version}\n{needs_hashes}\n{requirements}".encode()).hexdigest()[:16]
    folder = ENVIRONMENTS / key
    with locked(ENVIRONMENTS / f"{key}.lock"):
        if not (folder / COMPLETE).exists():
            shutil.rmtree(folder, ignore_errors=True)
            _install(folder, requirements, needs_hashes=needs_hashes)
            (folder / COMPLETE).touch()
    return folder


def _install(folder: Path, requirements: str, *, needs_hashes: bool) -> None:
    _run(sys.executable, "-m", "venv", "--without-pip", str(folder))
    listed = folder / "requirements.txt"
    listed.write_text(requirements, encoding="utf-8")
    pip = (sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "--disable-pip-version-check")
    options = ("--require-hashes",) if needs_hashes else ()
    _run(*pip, "install", "--quiet", "--no-deps", *options, "--requirement", str(listed))
    _run(*pip, "check")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=clean_environment())
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold a lock that all processes of this machine see."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
