"""The Cloud Function: its zip file, unpacked, under functions-framework with its requirements and nothing else."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deployment.deployer.planning import make_plan
from deployment.deployer.provider import Options
from deployment.tests.asking import HttpAsk, wait_for_answer
from deployment.tests.environments import environment_with
from deployment.tests.golden import SETTINGS
from deployment.tests.processes import clean_environment, free_port, running
from deployment.tests.project_copies import example_project
from deployment.tests.targets import COLD_START_SECONDS, KEY_VARIABLE, Ask, WebTarget

NAME = "google_cloud_function"
ENTRY_POINT = "predict"
TOKEN_VARIABLE = "ML_PROJECT_DEPLOYMENT_TOKEN"
"""Environment variable with a token of Google's, for a live function that not everybody may call."""


@dataclass(frozen=True)
class RunningFunction:
    """A function that answers.

    Attributes
    ----------
    url
        Its address.
    log
        What it writes, as Cloud Logging would read it.
    process_id
        The framework's first process, whose child answers the requests.
    """

    url: str
    log: Path
    process_id: int


def make_zip(artifact: Path) -> bytes:
    """Return the zip file that the deployer makes of an artifact."""
    [planned] = make_plan(Options(NAME, artifact), example_project()).plan.files
    return planned.content


def unpack(packed: bytes, folder: Path) -> Path:
    """Return a folder with what is in a zip file, as it lies in an instance."""
    source = folder / "function"
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        archive.extractall(source)
    return source


@contextmanager
def serving(source: Path, log: Path, settings: Mapping[str, str]) -> Iterator[RunningFunction]:
    """Run an unpacked function until the end of a with-block.

    Parameters
    ----------
    source
        Folder of the function.
    log
        File for its log.
    settings
        Its environment variables.
    """
    binaries = environment_with((source / "requirements.txt").read_text(encoding="utf-8")) / "bin"
    port = free_port()
    words = ("--target", ENTRY_POINT, "--signature-type", "http", "--host", "127.0.0.1", "--port", str(port))
    environment = {**clean_environment(binaries), **settings}
    command = (binaries / "functions-framework", *words)
    with running(command, folder=source, log=log, environment=environment) as started:
        url = f"http://127.0.0.1:{port}"
        wait_for_answer(f"{url}/ready", ended=started.ended)
        yield RunningFunction(url, log, started.process.pid)


class CloudFunction(WebTarget):
    """A function of the second generation, as an instance of it starts."""

    name = NAME

    @contextmanager
    def running(self, artifact: Path, folder: Path) -> Iterator[Ask]:
        """Make the zip file, unpack it and run the framework there."""
        source = unpack(make_zip(artifact), folder)
        with serving(source, folder / "function.log", SETTINGS) as function, closing(HttpAsk(function.url)) as ask:
            yield ask

    def live(self, endpoint: str) -> Ask:
        """Return what asks a URL, with the service's key and Google's token from the environment."""
        key, token = os.environ.get(KEY_VARIABLE), os.environ.get(TOKEN_VARIABLE)
        headers = {} if key is None else {"x-api-key": key}
        headers |= {} if token is None else {"authorization": f"Bearer {token}"}
        return HttpAsk(endpoint, headers=headers, patience_seconds=COLD_START_SECONDS)


TARGETS = [CloudFunction()]
