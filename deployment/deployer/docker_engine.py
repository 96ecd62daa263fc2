"""Docker, asked through its command line, which knows where the engine is."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence

from deployment.deployer.errors import DeploymentError

HOW_TO_GET = "install Docker (https://docs.docker.com/engine/install) and start it"
_LAST_LINES = 8


def find_fault() -> str | None:
    """Return why docker cannot be used, or ``None``."""
    if shutil.which("docker") is None:
        return f"docker is missing; {HOW_TO_GET}"
    try:
        run_docker(["version", "--format", "{{.Server.Version}}"])
    except DeploymentError as error:
        return f"no docker engine answers ({error.message.splitlines()[-1]}); start one, or correct DOCKER_HOST"
    return None


def run_docker(
    arguments: Sequence[str], *, environment: Mapping[str, str] | None = None, stdin: str | None = None
) -> str:
    """Run docker and return what it wrote.

    Parameters
    ----------
    arguments
        Its words.
    environment
        Variables of the command; those of this process by default.
    stdin
        What the command reads.

    Raises
    ------
    DeploymentError
        With the last lines of what docker said.
    """
    done = _run(arguments, environment=environment, stdin=stdin)
    if done.returncode != 0:
        last = "\n".join(done.stderr.strip().splitlines()[-_LAST_LINES:])
        raise DeploymentError(f"docker {arguments[0]} failed: {last or 'it gave no reason'}")
    return done.stdout.strip()


def read_log(container: str, *, n_lines: int = 20) -> str:
    """Return the last lines that a container wrote, to wherever."""
    return _run(["logs", "--tail", str(n_lines), container], stderr=subprocess.STDOUT).stdout.strip()


def _run(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    stdin: str | None = None,
    stderr: int = subprocess.PIPE,
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603  the words are made by this project, and no shell reads them
            ["docker", *arguments],  # noqa: S607  which docker it is, the user's PATH says
            env=dict(os.environ if environment is None else environment),
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise DeploymentError(f"docker is missing; {HOW_TO_GET}") from error
