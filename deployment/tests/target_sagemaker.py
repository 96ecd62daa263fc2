"""SageMaker: ``serve`` as a process, the image as SageMaker runs it, and the endpoint that the set-up starts here."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from deployment.deployer.applying import write_files
from deployment.deployer.docker_engine import find_fault, run_docker
from deployment.deployer.planning import make_plan
from deployment.deployer.provider import Options, Plan
from deployment.sagemaker.model_archive import unpack_model
from deployment.sagemaker.provider import ARCHIVE, DESCRIPTION, IMAGE_FOLDER, image_name
from deployment.sagemaker.setup_sagemaker_endpoint import main
from deployment.tests.asking import HttpAsk, wait_for_answer
from deployment.tests.containers import STOP_SECONDS, Container
from deployment.tests.environments import REPOSITORY, environment_with, locked
from deployment.tests.golden import SETTINGS
from deployment.tests.golden_request import Golden
from deployment.tests.processes import clean_environment, free_port, serving
from deployment.tests.project_copies import example_project
from deployment.tests.targets import Ask
from ml_project.serving.messages import HttpAnswer, HttpRequest

CONTAINER_PORT = 8080
MEMORY = "512m"
INVOCATIONS = "/invocations"
HARDENED = (
    "--read-only",
    *("--tmpfs", "/tmp"),  # noqa: S108  in the container
    *("--cap-drop=ALL", "--cap-add=SETUID", "--cap-add=SETGID"),
    "--security-opt=no-new-privileges",
    *("--memory", MEMORY, "--memory-swap", MEMORY),
)
"""Less than SageMaker grants."""


class InvokeEndpoint:
    """Asks a hosted endpoint by its name, which knows one route and hands no headers on.

    Parameters
    ----------
    name
        Name of the endpoint in the account and region of the environment.
    """

    def __init__(self, name: str) -> None:
        import boto3

        self._client: Any = boto3.client("sagemaker-runtime")
        self._name = name

    def __call__(self, request: HttpRequest) -> HttpAnswer:
        """Return the answer to a request."""
        given = {"EndpointName": self._name, "Body": request.body}
        if "content-type" in request.headers:
            given["ContentType"] = request.headers["content-type"]
        try:
            answer = self._client.invoke_endpoint(**given)
        except self._client.exceptions.ModelError as error:
            # What the container answers with another status than 2xx.
            body = error.response["OriginalMessage"].encode()
            return HttpAnswer(int(error.response["OriginalStatusCode"]), body, headers=None)
        return HttpAnswer(200, answer["Body"].read(), answer["ContentType"], None)

    def close(self) -> None:
        """End the connections."""
        self._client.close()


class SageMakerTarget:
    """What the targets have in common."""

    name: str

    def __init__(self) -> None:
        self._is_live = False

    def missing(self) -> str | None:
        """Return why docker cannot be used, or ``None``."""
        return find_fault()

    def takes(self, golden: Golden) -> bool:
        """Return whether a request can be sent: to a container any, through SageMaker those to one route."""
        return not self._is_live or (golden.method, golden.path) == ("POST", INVOCATIONS)

    def live(self, endpoint: str) -> Ask:
        """Return what asks a hosted endpoint by its name, or a container by its URL."""
        if endpoint.startswith(("http://", "https://")):
            return HttpAsk(endpoint)
        self._is_live = True
        return InvokeEndpoint(endpoint)


class StartedByServe(SageMakerTarget):
    """``serve`` as a process of this machine, with a folder in place of /opt/ml and a fresh environment."""

    name = "sagemaker"

    def missing(self) -> str | None:
        """Return ``None``."""
        return None

    @contextmanager
    def running(self, artifact: Path, folder: Path) -> Iterator[Ask]:
        """Unpack what the image would have, and the model."""
        write_plan(artifact, folder)
        unpack_model(folder / ARCHIVE, folder / "opt" / "ml" / "model")
        image = folder / IMAGE_FOLDER
        with zipfile.ZipFile(image / "package.zip") as package:
            package.extractall(folder / "package")
        binaries = environment_with((image / "requirements.txt").read_text(encoding="utf-8")) / "bin"
        port = free_port()
        environment = {
            **clean_environment(binaries),
            **SETTINGS,
            "PYTHONPATH": str(folder / "package"),
            "SAGEMAKER_BASE_DIR": str(folder / "opt" / "ml"),
            "SAGEMAKER_BIND_TO_PORT": str(port),
            "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
            "ML_PROJECT_SERVING__HOST": "127.0.0.1",
        }
        elsewhere, log = folder / "elsewhere", folder / "service.log"
        elsewhere.mkdir()
        command = (binaries / "python", image / "serve")
        with (
            serving(command, port=port, folder=elsewhere, log=log, environment=environment, ready="/ping") as url,
            closing(HttpAsk(url)) as ask,
        ):
            yield ask


class Image(SageMakerTarget):
    """``docker run IMAGE serve`` with the model mounted read-only, a read-only root and little memory."""

    name = "sagemaker_image"

    @contextmanager
    def running(self, artifact: Path, folder: Path) -> Iterator[Ask]:
        """Build the image as the deployer does, and run it."""
        image = build_image(artifact, folder)
        with image_started(image, folder) as container, closing(HttpAsk(container.url)) as ask:
            yield ask


class Local(SageMakerTarget):
    """The endpoint that ``setup_sagemaker_endpoint.py --instance-type local`` starts."""

    name = "sagemaker_local"

    @contextmanager
    def running(self, artifact: Path, folder: Path) -> Iterator[Ask]:
        """Set the endpoint up, and delete it."""
        image, port = build_image(artifact, folder), free_port()
        words = ["--instance-type", "local", "--endpoint-name", f"test-{port}"]
        settings = [word for name, value in SETTINGS.items() for word in ("--env", f"{name}={value}")]
        place = ["--image", image, "--model", str(folder / ARCHIVE), "--port", str(port), "--memory", MEMORY]
        assert main([*words, *place, *settings]) == 0
        try:
            with closing(HttpAsk(f"http://127.0.0.1:{port}")) as ask:
                yield ask
        finally:
            assert main([*words, "--delete"]) == 0


def write_plan(artifact: Path, folder: Path) -> Plan:
    """Write what the deployer plans into a folder."""
    plan = make_plan(Options("sagemaker", artifact), example_project()).plan
    write_files(plan.files, folder)
    return plan


def build_image(artifact: Path, folder: Path) -> str:
    """Write the deployer's files, build the image from them, and return its name."""
    write_plan(artifact, folder)
    image = image_name((folder / DESCRIPTION).read_bytes())
    # One build at a time: others would do the same work once more before the layers are there.
    with locked(REPOSITORY / ".runtimes" / "docker_build.lock"):
        run_docker(["build", "--tag", image, str(folder / IMAGE_FOLDER)])
    return image


@contextmanager
def image_started(image: str, folder: Path, *options: str) -> Iterator[Container]:
    """Run an image with the model of a folder until the end of a with-block; it must end in order.

    Parameters
    ----------
    image
        Its name.
    folder
        Where :func:`build_image` wrote.
    *options
        Further ones of ``docker run``.

    Raises
    ------
    AssertionError
        When it does not end with exit code 0.
    """
    model = folder / "opt" / "ml" / "model"
    unpack_model(folder / ARCHIVE, model)
    port = free_port()
    settings = [word for name, value in SETTINGS.items() for word in ("--env", f"{name}={value}")]
    mount = f"type=bind,source={model},target=/opt/ml/model,readonly"
    published = f"127.0.0.1:{port}:{CONTAINER_PORT}"
    identifier = run_docker(
        ["run", "--detach", *HARDENED, "--mount", mount, "--publish", published, *settings, *options, image, "serve"]
    )
    container = Container(identifier, f"http://127.0.0.1:{port}")
    try:
        wait_for_answer(f"{container.url}/ping", ended=container.ended)
        yield container
        run_docker(["stop", "--time", str(STOP_SECONDS), identifier])
        code = container.inspect()["State"]["ExitCode"]
        assert code == 0, f"{image} ended with {code} after SIGTERM"
    finally:
        run_docker(["rm", "--force", identifier])


TARGETS = [StartedByServe(), Image(), Local()]
