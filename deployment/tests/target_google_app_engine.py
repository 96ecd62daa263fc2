"""Google App Engine: the entrypoint of app.yaml, in a folder with the uploaded files and a fresh environment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import yaml

from deployment.tests.asking import HttpAsk
from deployment.tests.environments import environment_with
from deployment.tests.golden import SETTINGS
from deployment.tests.processes import clean_environment, free_port, serving
from deployment.tests.targets import Ask, WebTarget
from deployment.tests.uploads import upload

INSTANCE = {"GAE_ENV": "standard", "GAE_RUNTIME": "python312", "GAE_SERVICE": "default", "GOOGLE_CLOUD_PROJECT": "test"}
"""Part of what App Engine sets in an instance."""


class AppEngine(WebTarget):
    """An instance of the standard environment."""

    name = "google_app_engine"

    @contextmanager
    def running(self, artifact: Path, folder: Path) -> Iterator[Ask]:
        """Upload what .gcloudignore lets through, install the requirements and run the entrypoint."""
        source = upload("google_app_engine", artifact, folder, ignore_file=".gcloudignore")
        described: dict[str, Any] = yaml.safe_load((source / "app.yaml").read_text(encoding="utf-8"))
        port = free_port()
        binaries = environment_with((source / "requirements.txt").read_text(encoding="utf-8")) / "bin"
        variables = {name: str(value) for name, value in described.get("env_variables", {}).items()}
        environment = {**clean_environment(binaries), **INSTANCE, **variables, **SETTINGS, "PORT": str(port)}
        command = ("bash", "-c", f"exec {described['entrypoint']}")
        log = folder / "instance.log"
        with (
            serving(command, port=port, folder=source, log=log, environment=environment) as url,
            closing(HttpAsk(url)) as ask,
        ):
            yield ask


TARGETS = [AppEngine()]
