"""Images that the deployer builds from a copy of the project, and containers that are stopped and removed again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployment.deployer.docker_engine import read_log, run_docker
from deployment.deployer.provider import Options
from deployment.deployer.setting_up import set_up
from deployment.tests.asking import wait_for_answer
from deployment.tests.environments import REPOSITORY, locked
from deployment.tests.processes import free_port
from deployment.tests.project_copies import copy_parts

BUILD_FILES = ("Pipfile", "Pipfile.lock", "README.md", "pyproject.toml")
BUILD_FOLDERS = ("ml_project", "deployment/docker", "deployment/google_cloud_run")
STOP_SECONDS = 30


def copy_project(root: Path) -> None:
    """Copy what the deployer and the build of the release image read."""
    copy_parts(root, *BUILD_FOLDERS, *BUILD_FILES)


def deploy(options: Options, root: Path) -> list[str]:
    """Set a provider up in a copy of the project, and return what the deployer said.

    Parameters
    ----------
    options
        Provider, artifact and further options.
    root
        Empty folder for the copy.
    """
    copy_project(root)
    told: list[str] = []
    # One build at a time: others would do the same work once more before the layers are there.
    with locked(REPOSITORY / ".runtimes" / "docker_build.lock"):
        set_up(options, told.append, root)
    return "\n".join(told).splitlines()


@dataclass(frozen=True)
class Container:
    """A container that runs.

    Attributes
    ----------
    id
        For docker.
    url
        Where its service answers.
    """

    id: str
    url: str

    def run(self, *command: str) -> str:
        """Run a command in it and return what it wrote."""
        return run_docker(["exec", self.id, *command])

    def inspect(self) -> Mapping[str, Any]:
        """Return all that docker knows of it."""
        found: Mapping[str, Any] = json.loads(run_docker(["inspect", self.id]))[0]
        return found

    def ended(self) -> str | None:
        """Return the end of its log when it has ended, else ``None``."""
        state = self.inspect()["State"]
        return None if state["Running"] else f"the container ended with {state['ExitCode']}:\n{read_log(self.id)}"


@contextmanager
def container_of(
    image: str,
    *options: str,
    inner_port: int,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Container]:
    """Run an image until the end of a with-block; it must end in order when it is told to.

    Parameters
    ----------
    image
        Its name.
    *options
        Of ``docker run``.
    inner_port
        Where the service in it listens.
    environment
        Variables for it.

    Raises
    ------
    AssertionError
        When it does not end with exit code 0.
    """
    port = free_port()
    variables = [word for name, value in (environment or {}).items() for word in ("--env", f"{name}={value}")]
    published = f"127.0.0.1:{port}:{inner_port}"
    identifier = run_docker(["run", "--detach", *options, "--publish", published, *variables, image])
    container = Container(identifier, f"http://127.0.0.1:{port}")
    try:
        wait_for_answer(f"{container.url}/ready", ended=container.ended)
        yield container
        run_docker(["stop", "--time", str(STOP_SECONDS), identifier])
        code = container.inspect()["State"]["ExitCode"]
        assert code == 0, f"{image} ended with {code} after SIGTERM:\n{read_log(identifier)}"
    finally:
        run_docker(["rm", "--force", "--volumes", identifier])
