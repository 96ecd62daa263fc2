"""AWS Lambda: the function's folder under AWS's Runtime Interface Emulator, and its image under docker.

Golden requests go to the function as a function URL would hand them over, because a direct invocation knows no paths,
methods and statuses.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from compileall import compile_dir
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from deployment.aws_lambda.provider import FOLDER, PROVIDER
from deployment.deployer.docker_engine import find_fault, read_log, run_docker
from deployment.deployer.provider import Context, Options, Plan
from deployment.tests.asking import wait_for_answer
from deployment.tests.environments import REPOSITORY, environment_with, locked
from deployment.tests.golden import SETTINGS
from deployment.tests.golden_request import Golden
from deployment.tests.lambda_client import LambdaClient
from deployment.tests.processes import clean_environment, free_port, running
from deployment.tests.project_copies import example_project
from deployment.tests.targets import KEY_VARIABLE, Ask, WebTarget
from ml_project.artifacts.manifest import read_manifest

EMULATOR = REPOSITORY / ".runtimes" / "bin" / "aws-lambda-rie"
CLIENT_CATEGORY = "aws-lambda"
MEMORY = "512m"


class AwsLambdaTarget:
    """What both targets have in common."""

    name: str

    def takes(self, golden: Golden) -> bool:
        """Return that every golden request makes sense."""
        return True

    def live(self, endpoint: str) -> Ask:
        """Return what asks a function by its name, ``NAME:live``, or by its public URL."""
        if endpoint.startswith(("http://", "https://")):
            return WebTarget().live(endpoint)
        key = os.environ.get(KEY_VARIABLE)
        return LambdaClient(endpoint, headers={} if key is None else {"x-api-key": key})


class Emulated(AwsLambdaTarget):
    """The function's folder, with AWS's runtime client and emulator as processes of this machine."""

    name = "aws_lambda"

    def missing(self) -> str | None:
        """Return that there is no emulator."""
        if EMULATOR.exists():
            return None
        return "no Runtime Interface Emulator (bash executables/install_provider_runtimes.sh rie)"

    @contextmanager
    def running(self, artifact: Path, folder: Path) -> Iterator[LambdaClient]:
        """Write the folder and run the function in a fresh environment of the locked packages."""
        context = make_context(artifact)
        task = write_plan(context, folder)
        compile_dir(task, quiet=1)  # as in the image and in the zip package
        client = environment_with(context.requirements(CLIENT_CATEGORY))
        with emulate(task, client, folder / "function.log") as function:
            yield function


class Image(AwsLambdaTarget):
    """The image, with a read-only root and little memory."""

    name = "aws_lambda_image"

    def missing(self) -> str | None:
        """Return why docker cannot be used."""
        return find_fault()

    @contextmanager
    def running(self, artifact: Path, folder: Path) -> Iterator[LambdaClient]:
        """Build the image as the deployer does, and run it."""
        plan = write_and_build(make_context(artifact), folder)
        image = image_of(plan)
        port = free_port()
        settings = [word for name, value in SETTINGS.items() for word in ("--env", f"{name}={value}")]
        limits = ("--read-only", "--tmpfs", "/tmp", "--memory", MEMORY, "--memory-swap", MEMORY)  # noqa: S108
        container = run_docker(["run", "--detach", "--publish", f"127.0.0.1:{port}:8080", *limits, *settings, image])

        def ended() -> str | None:
            state = run_docker(["inspect", "--format", "{{.State.Running}}", container])
            return None if state == "true" else f"the container has ended:\n{read_log(container)}"

        try:
            with opened(port, ended=ended) as client:
                yield client
        finally:
            run_docker(["rm", "--force", container])


@contextmanager
def emulate(task: Path, environment: Path, log: Path) -> Iterator[LambdaClient]:
    """Run the function in a folder until the end of a with-block.

    Parameters
    ----------
    task
        The function's folder.
    environment
        Virtual environment with AWS's runtime client.
    log
        What the function and the emulator write.
    """
    binaries = environment / "bin"
    port = free_port()
    inner_port = next(other for other in iter(free_port, None) if other != port)
    addresses = ("--runtime-interface-emulator-address", f"127.0.0.1:{port}", "--runtime-api-address")
    command = (
        EMULATOR,
        *addresses,
        f"127.0.0.1:{inner_port}",
        binaries / "python",
        "-m",
        "awslambdaric",
        "app.handler",
    )
    variables = {
        **clean_environment(binaries),
        **SETTINGS,
        "PYTHONDONTWRITEBYTECODE": "1",
        "ORT_DISABLE_TELEMETRY": "1",
    }
    with (
        running(command, folder=task, log=log, environment=variables) as started,
        opened(port, ended=started.ended) as client,
    ):
        yield client


@contextmanager
def opened(port: int, *, ended: Any) -> Iterator[LambdaClient]:
    """Wait until an emulator answers and return what invokes its function."""
    # It answers a path that it does not know before it starts the function.
    wait_for_answer(f"http://127.0.0.1:{port}/nothing", ended=ended, status=404)
    with closing(LambdaClient("function", endpoint=f"http://127.0.0.1:{port}")) as client:
        yield client


def make_context(artifact: Path, **extra: str) -> Context:
    """Return what the deployer would hand to the provider."""
    options = Options(PROVIDER.name, artifact, extra={"package": "image", **extra})
    return Context(example_project(), options, read_manifest(artifact))


def write_plan(context: Context, folder: Path) -> Path:
    """Write the planned files below a folder and return the function's own folder."""
    for file in PROVIDER.plan(context).files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
    return folder / FOLDER


def write_and_build(context: Context, folder: Path) -> Plan:
    """Write the planned files below a folder and build the image there."""
    plan = PROVIDER.plan(context)
    write_plan(context, folder)
    words = plan.steps[0].command
    assert words is not None
    start = words.index("docker") + 1
    environment = {**os.environ, "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
    # One build at a time: others would do the same work once more before the layers are there.
    with locked(REPOSITORY / ".runtimes" / "docker_build.lock"):
        run_docker([*words[start:-1], str(folder / FOLDER)], environment=environment)
    return plan


def image_of(plan: Plan) -> str:
    """Return the name of the image that a plan builds."""
    words = plan.steps[0].command
    assert words is not None
    return words[words.index("--tag") + 1]


TARGETS = [Emulated(), Image()]
