"""The service on this machine: called in this process, and served by both web frameworks."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from deployment.tests.asking import HttpAsk
from deployment.tests.golden import SETTINGS
from deployment.tests.golden_request import Golden
from deployment.tests.processes import clean_environment, free_port, serving
from deployment.tests.targets import Ask, WebTarget
from ml_project.serving.deployed import deployed_api
from ml_project.serving.messages import HttpAnswer, HttpRequest
from tests.workspace import ENVIRONMENT


@contextmanager
def own_process_settings() -> Iterator[None]:
    """Take back what a function does to its process, which is that of all tests: its log, its garbage collector."""
    root, seconds, thresholds = logging.getLogger(), sys.getswitchinterval(), gc.get_threshold()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        sys.setswitchinterval(seconds)
        gc.set_threshold(*thresholds)
        gc.unfreeze()


class InProcess:
    """The contract without a server."""

    name = "in_process"

    def missing(self) -> str | None:
        """Return ``None``."""
        return None

    def takes(self, golden: Golden) -> bool:
        """Return that every golden request makes sense."""
        return True

    @contextmanager
    def running(self, artifact: Path, folder: Path) -> Iterator[Ask]:
        """Load the artifact here."""
        with own_process_settings():
            api = deployed_api(artifact, environment=SETTINGS)

        def ask(request: HttpRequest) -> HttpAnswer:
            # Whatever carries requests asks first whether their size is allowed.
            refusal = api.find_refusal(has_room=True, n_bytes=len(request.body))
            answer = api.answer(request) if refusal is None else api.refuse(request, refusal)
            answer.headers = {name.lower(): value for name, value in (answer.headers or {}).items()}
            return answer

        try:
            yield ask
        finally:
            api.close()

    def live(self, endpoint: str) -> Ask:
        """Refuse: there is nothing elsewhere."""
        raise ValueError("in_process runs here only; for a URL take --target fastapi")


class Served(WebTarget):
    """``python -m ml_project serve`` with a web framework, in this project's environment."""

    def __init__(self, framework: str) -> None:
        self.name = framework

    @contextmanager
    def running(self, artifact: Path, folder: Path) -> Iterator[Ask]:
        """Run it in a folder with nothing in it."""
        with self.serving(artifact, folder, SETTINGS) as url, closing(HttpAsk(url)) as ask:
            yield ask

    @contextmanager
    def serving(self, artifact: Path, folder: Path, settings: Mapping[str, str]) -> Iterator[str]:
        """Run it with settings of one's own and yield its URL."""
        port = free_port()
        words = ("--framework", self.name, "--port", str(port), "--artifacts.path", str(artifact))
        environment = {**clean_environment(), **ENVIRONMENT, **settings}
        command = (sys.executable, "-m", "ml_project", "serve", *words)
        with serving(command, port=port, folder=folder, log=folder / "service.log", environment=environment) as url:
            yield url


TARGETS = [InProcess(), Served("fastapi"), Served("flask")]
