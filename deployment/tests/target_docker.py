"""The release image under docker: as it should be run anywhere, and as Google Cloud Run runs it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from deployment.deployer.docker_engine import find_fault
from deployment.deployer.provider import Options
from deployment.docker.image import HARDENED, PORT
from deployment.google_cloud_run.provider import SETTINGS_FILE
from deployment.tests.asking import HttpAsk
from deployment.tests.containers import Container, container_of, deploy
from deployment.tests.golden import SETTINGS
from deployment.tests.targets import Ask, WebTarget
from ml_project.artifacts.manifest import read_manifest

IMAGE = "ml-project-test"
PROJECT = "my-project-1"
CLOUD_RUN_PORT = 8080
CLOUD_RUN_INSTANCE = {
    "PORT": str(CLOUD_RUN_PORT),
    "K_SERVICE": "ml-project",
    "K_REVISION": "ml-project-00001-abc",
    "K_CONFIGURATION": "ml-project",
    "GOOGLE_CLOUD_PROJECT": PROJECT,
    "ML_PROJECT_SERVING__LOG_STYLE": "google",
}
"""What Cloud Run and the Terraform files set in an instance."""


class ContainerTarget(WebTarget, ABC):
    """A base for targets that run the release image."""

    def missing(self) -> str | None:
        """Return why docker cannot be used, or ``None``."""
        return find_fault()

    @contextmanager
    def running(self, artifact: Path, folder: Path) -> Iterator[Ask]:
        """Build the image as the deployer does, and run it."""
        with self.started(self.build(artifact, folder)) as container, closing(HttpAsk(container.url)) as ask:
            yield ask

    @abstractmethod
    def build(self, artifact: Path, folder: Path) -> str:
        """Return the name of the image that the deployer has built in a copy of the project."""

    @abstractmethod
    def started(self, image: str) -> AbstractContextManager[Container]:
        """Run the image until the end of a with-block."""


class Docker(ContainerTarget):
    """The image with everything forbidden that it can do without."""

    name = "docker"

    def build(self, artifact: Path, folder: Path) -> str:
        """Return the name of the image."""
        deploy(Options("docker", artifact, extra={"image": IMAGE}), folder)
        return f"{IMAGE}:{read_manifest(artifact).version}"

    @contextmanager
    def started(self, image: str) -> Iterator[Container]:
        """Run the image read-only, without capabilities and with little memory."""
        with container_of(image, *HARDENED, inner_port=PORT, environment=SETTINGS) as container:
            yield container


class CloudRun(ContainerTarget):
    """The same image under its name in Artifact Registry, with the variables of Cloud Run."""

    name = "google_cloud_run"

    def build(self, artifact: Path, folder: Path) -> str:
        """Return the name of the image."""
        deploy(Options("google_cloud_run", artifact, extra={"project-id": PROJECT}), folder)
        image: str = json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8"))["image"]
        return image

    @contextmanager
    def started(self, image: str) -> Iterator[Container]:
        """Run the image on the port that Cloud Run chooses."""
        environment = {**SETTINGS, **CLOUD_RUN_INSTANCE}
        with container_of(image, "--memory", "512m", inner_port=CLOUD_RUN_PORT, environment=environment) as container:
            yield container


TARGETS = [Docker(), CloudRun()]
