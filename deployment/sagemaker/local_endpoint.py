"""An endpoint on this machine: the inference image in a container, started as SageMaker starts it."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from deployment.deployer.docker_engine import read_log, run_docker
from deployment.deployer.errors import DeploymentError
from deployment.sagemaker.model_archive import hash_of, unpack_model

LABEL = "ml-project.sagemaker-endpoint"
PLAN_LABEL = "ml-project.sagemaker-plan"
CONTAINER_PORT = 8080
_HOST = "127.0.0.1"


@dataclass(frozen=True)
class LocalPlan:
    """What shall run here.

    Attributes
    ----------
    name
        Name of the endpoint.
    image
        Local name of the inference image.
    archive
        The file ``model.tar.gz``.
    folder
        Where the model is unpacked, in a folder with the endpoint's name.
    port
        Port on the loopback interface.
    memory
        Most memory of the container, as docker writes it; ``None`` for all that there is.
    environment
        Variables of the container.
    wait_seconds
        How long the container gets until it answers.
    """

    name: str
    image: str
    archive: Path
    folder: Path
    port: int = CONTAINER_PORT
    memory: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    wait_seconds: float = 60.0

    @property
    def url(self) -> str:
        """Address of the endpoint."""
        return f"http://{_HOST}:{self.port}"


def start_local(plan: LocalPlan, *, say: Callable[[str], None] = print) -> str:
    """Start a container with the model and return its identifier once it answers ``/ping``.

    A container that an earlier call started for the same endpoint is replaced, unless it runs with the same image,
    model and settings.

    Raises
    ------
    DeploymentError
        When docker, the image or the archive is missing, the port is taken, or the container does not answer; then it
        is removed, and the message has the end of its log.
    """
    if not plan.archive.is_file():
        raise DeploymentError(f"{plan.archive} is missing; write it: bash executables/cloud_setup.sh sagemaker")
    fingerprint = _fingerprint(plan)
    running = run_docker(
        ["ps", "--quiet", "--no-trunc", *_filters(plan.name), "--filter", f"label={PLAN_LABEL}={fingerprint}"]
    )
    if running:
        _wait_for_ping(running, plan)
        say(f"The endpoint {plan.name} runs already: {plan.url} (container {running[:12]})")
        return running
    stop_local(plan.name, plan.folder, say=say, is_replaced=True)
    _check_port(plan)
    model = plan.folder / plan.name / "model"
    unpack_model(plan.archive, model)
    container = _run(plan, model, fingerprint)
    say(f"Started the container {container[:12]}")
    try:
        _wait_for_ping(container, plan)
    except BaseException:
        stop_local(plan.name, plan.folder, say=say)
        raise
    say(f"The endpoint {plan.name} answers: {plan.url}/invocations")
    return container


def stop_local(name: str, folder: Path, *, say: Callable[[str], None] = print, is_replaced: bool = False) -> None:
    """Stop and remove the containers of an endpoint, and the model that was unpacked for it."""
    containers = run_docker(["ps", "--all", "--quiet", "--no-trunc", *_filters(name)]).split()
    for container in containers:
        # As SageMaker does: SIGTERM, and the end 30 seconds later.
        run_docker(["stop", "--time", "30", container])
        run_docker(["rm", "--force", container])
        say(f"Removed the container {container[:12]}")
    shutil.rmtree(folder / name, ignore_errors=True)
    with suppress(OSError):  # other endpoints' models are in there
        folder.rmdir()
        folder.parent.rmdir()
    if not containers and not is_replaced:
        say(f"No container runs for the endpoint {name}")


def _run(plan: LocalPlan, model: Path, fingerprint: str) -> str:
    options = [
        "--label",
        f"{LABEL}={plan.name}",
        "--label",
        f"{PLAN_LABEL}={fingerprint}",
        "--publish",
        f"{_HOST}:{plan.port}:{CONTAINER_PORT}",
        "--mount",
        f"type=bind,source={model.resolve()},target=/opt/ml/model,readonly",
        # Harder than SageMaker is, so that nothing works here that depends on more.
        "--read-only",
        "--tmpfs",
        "/tmp",  # noqa: S108  the container's own
        "--cap-drop=ALL",
        "--cap-add=SETUID",
        "--cap-add=SETGID",
        "--security-opt=no-new-privileges",
    ]
    if plan.memory is not None:
        options += ["--memory", plan.memory, "--memory-swap", plan.memory]
    for name, value in plan.environment.items():
        options += ["--env", f"{name}={value}"]
    container = run_docker(["create", *options, plan.image, "serve"])
    try:
        run_docker(["start", container])
    except DeploymentError as error:
        run_docker(["rm", "--force", container])
        raise DeploymentError(f"{error}\nIf port {plan.port} is taken, choose another --port") from error
    return container


def _wait_for_ping(container: str, plan: LocalPlan) -> None:
    end = time.monotonic() + plan.wait_seconds
    while not _answers(plan.port):
        state = run_docker(["inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", container])
        if state.split()[0] != "running":
            raise DeploymentError(f"The container ended ({state}) before it answered:\n{read_log(container)}")
        if time.monotonic() > end:
            raise DeploymentError(
                f"The container did not answer {plan.url}/ping with 200 within {plan.wait_seconds:.0f} s:\n"
                f"{read_log(container)}"
            )
        time.sleep(0.1)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(_HOST, port, timeout=2)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _check_port(plan: LocalPlan) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, plan.port))
        except OSError as error:
            raise DeploymentError(
                f"Port {plan.port} cannot be used: {error.strerror}; choose another --port or end what has it"
            ) from error


def _fingerprint(plan: LocalPlan) -> str:
    """Return a hash of all that a container was started with."""
    try:
        image = run_docker(["image", "inspect", "--format", "{{.Id}}", plan.image])
    except DeploymentError as error:
        raise DeploymentError(
            f"The image {plan.image} cannot be used: {error}\nBuild it: bash executables/cloud_setup.sh sagemaker"
        ) from error
    parts = [image, hash_of(plan.archive.read_bytes()), plan.port, plan.memory, sorted(plan.environment.items())]
    return hash_of(json.dumps(parts).encode())


def _filters(name: str) -> list[str]:
    return ["--filter", f"label={LABEL}={name}"]
