"""What a target of the suite is, and which there are: those in ``TARGETS`` of the modules ``target_*.py``."""

from __future__ import annotations

import os
import pkgutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Protocol

from deployment.tests.asking import HttpAsk
from deployment.tests.golden_request import Golden
from ml_project.serving.messages import HttpAnswer, HttpRequest

Ask = Callable[[HttpRequest], HttpAnswer]
"""Sends a request to a deployment and returns its answer, with header names in lower case."""

KEY_VARIABLE = "ML_PROJECT_DEPLOYMENT_KEY"
"""Environment variable with the key of a live deployment (its ``serving.api_key``)."""
COLD_START_SECONDS = 90.0


class Target(Protocol):
    """One way to run the project where a provider would."""

    name: str

    def missing(self) -> str | None:
        """Return what this machine lacks to run it, or ``None``."""

    def takes(self, golden: Golden) -> bool:
        """Return whether a golden request makes sense here."""

    def running(self, artifact: Path, folder: Path) -> AbstractContextManager[Ask]:
        """Run it with an artifact until the end of a with-block; ``folder`` is empty and its own.

        Its service gets the environment :data:`deployment.tests.golden.SETTINGS`.
        """

    def live(self, endpoint: str) -> Ask:
        """Return what asks a live deployment, by its URL or its provider's name for it."""


class WebTarget:
    """A base for targets that speak HTTP and know all routes; ``running`` is left to them."""

    name: str

    def missing(self) -> str | None:
        """Return ``None``: nothing but this project's environment is needed."""
        return None

    def takes(self, golden: Golden) -> bool:
        """Return that every golden request makes sense."""
        return True

    def live(self, endpoint: str) -> Ask:
        """Return what asks a URL, with the key from the environment, and waits for a cold start."""
        key = os.environ.get(KEY_VARIABLE)
        headers = {} if key is None else {"x-api-key": key}
        return HttpAsk(endpoint, headers=headers, patience_seconds=COLD_START_SECONDS)


def find_targets() -> list[Target]:
    """Return all targets in the order of their names, the one in this process first.

    Raises
    ------
    ValueError
        When two have the same name.
    """
    package = import_module(__package__)
    names = [module.name for module in pkgutil.iter_modules(package.__path__) if module.name.startswith("target_")]
    modules = [import_module(f"{__package__}.{name}") for name in names]
    targets = [target for module in modules for target in module.TARGETS]
    by_name = {target.name: target for target in targets}
    if len(by_name) < len(targets):
        raise ValueError(f"Two targets have the same name: {sorted(target.name for target in targets)}")
    return sorted(by_name.values(), key=lambda target: (target.name != "in_process", target.name))
