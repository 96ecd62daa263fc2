"""The services that the tests of this folder ask: real processes, started once."""

import json
from functools import partial
from pathlib import Path

import pytest

from ml_project.artifacts.loading import load_artifact
from tests.artifacts.fitted import fit, records_of, titanic
from tests.example.features import FEATURE_PROCESSES
from tests.serving.running import KEY, Service, serving, serving_by_asgi

FRAMEWORKS = ("fastapi", "flask")
ASGI = "asgi"
"""FastAPI under a server that knows ASGI only, without the short way for small requests."""


@pytest.fixture(scope="session")
def artifact_file(tmp_path_factory):
    """A model of the Titanic that ONNX predicts with."""
    model = fit("decision_tree")
    return model.export(tmp_path_factory.mktemp("artifact") / "model.zip", config=model.with_engine("onnx"))


@pytest.fixture
def environment(artifact_file):
    """Settings of a web application that a server of one's own starts."""
    return {
        "ML_PROJECT_ARTIFACTS__PATH": str(artifact_file),
        "ML_PROJECT_RUN_MODE": "prediction",
        "ML_PROJECT_DATA_ORIGIN": "production",
        "ML_PROJECT_MONITORING__STORAGE": "null",
    }


@pytest.fixture(scope="session")
def artifact(artifact_file):
    return load_artifact(artifact_file, FEATURE_PROCESSES)


@pytest.fixture(scope="session")
def pipeline(artifact):
    return artifact.pipeline


@pytest.fixture(scope="session")
def records():
    """The whole data set as the JSON of a sender."""
    return json.loads(json.dumps(records_of(titanic()[list(titanic().columns.difference(["survived"]))])))


@pytest.fixture
def record(artifact):
    return dict(artifact.example)


@pytest.fixture(scope="session")
def services(artifact_file, tmp_path_factory):
    """Return a function that gives the service of a framework, started at its first use."""
    with Started(artifact_file, tmp_path_factory) as started:
        yield started


class Started:
    """Services by framework, with their folders."""

    def __init__(self, artifact: Path, factory: pytest.TempPathFactory) -> None:
        from contextlib import ExitStack

        self._artifact = artifact
        self._factory = factory
        self._stack = ExitStack()
        self._services: dict[tuple[str, str], Service] = {}
        self.folders: dict[tuple[str, str], Path] = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()

    def __call__(self, framework: str, name: str = "usual", **options: object) -> Service:
        key = (framework, name)
        if key not in self._services:
            self.folders[key] = self._factory.mktemp(f"{framework}_{name}")
            serve = serving_by_asgi if framework == ASGI else partial(serving, framework)
            context = serve(self._artifact, self.folders[key], **options)
            self._services[key] = self._stack.enter_context(context)
        return self._services[key]


@pytest.fixture(params=(*FRAMEWORKS, ASGI))
def service(request, services):
    """A service with the usual settings."""
    return services(request.param)


@pytest.fixture(params=FRAMEWORKS)
def limited(request, services):
    """A service with a key, low limits and durable storage."""
    return limited_service(services, request.param)


def limited_service(services, framework):
    return services(
        framework,
        "limited",
        serving__api_key=KEY,
        serving__max_body_bytes=20_000,
        serving__max_body_seconds=1,
        serving__max_batch_rows=10,
        serving__max_concurrent_requests=3,
        serving__model_name="titanic",
        monitoring__storage__durable="true",
    )
