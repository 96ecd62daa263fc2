"""A prediction service on this machine for as long as it is needed: the one that runs, or one that is started."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ml_project.config import Config
from ml_project.config_sources import is_for_a_field
from ml_project.errors import MlProjectError
from ml_project.serving.client import PredictionClient
from ml_project.serving.client_errors import NotOurServiceError, ServiceCallError

START_SECONDS = 60.0
"""Longest time that a service gets until it can answer."""
_SECONDS_BETWEEN_LOOKS = 0.05
_SECONDS_BETWEEN_LINES = 5.0
_SECONDS_AFTER_SHUTDOWN = 10.0
_LINES_OF_LOG = 15
_ANNOUNCEMENT = re.compile(r"^Serving on (http://\S+)", re.MULTILINE)

Tell = Callable[[str], None]


@contextlib.contextmanager
def local_service(config: Config, *, tell: Tell) -> Iterator[str]:
    """Give the address of a service of ours that can answer.

    Where one runs at ``serving.host`` and ``serving.port`` it is used, and left running. Otherwise one is started with
    this very config, and stopped in the end, whatever happens.

    Parameters
    ----------
    config
        Its section ``serving`` says where and which framework.
    tell
        Takes lines about what happens.

    Raises
    ------
    MlProjectError
        When something else listens there, or the service does not get ready; with the end of its log.
    """
    url = local_url(config)
    if url is not None and _is_taken(config):
        with contact(config, url) as client:
            version = _wait_for_running(client, url, tell)
        tell(f"Using the service that runs on {url}: {describe_model(version)}.")
        yield url
        return
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ml_project_service_")))
        service = _OwnService(config, folder, tell)
        stack.callback(service.stop)
        service.start()
        yield service.wait_until_ready()


def contact(config: Config, url: str) -> PredictionClient:
    """Return a client with the time limits and the key of a config."""
    serving = config.serving
    return PredictionClient(
        url, timeout_seconds=serving.timeout_seconds, max_attempts=serving.max_attempts, api_key=serving.api_key
    )


def local_url(config: Config) -> str | None:
    """Return the address under which this machine reaches its service, ``None`` where the port is any free one."""
    if config.serving.port == 0:
        return None
    host = _reachable_host(config)
    return f"http://[{host}]:{config.serving.port}" if ":" in host else f"http://{host}:{config.serving.port}"


def describe_model(version: dict[str, Any]) -> str:
    """Return in words which model a service has, from its answer to ``GET /version``."""
    model = version.get("model", {})
    return f"{model.get('name')} (version {model.get('version')})"


def _reachable_host(config: Config) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.serving.host, config.serving.host)  # noqa: S104


def _is_taken(config: Config) -> bool:
    """Return whether anything listens where the service would."""
    with contextlib.suppress(OSError):
        socket.create_connection((_reachable_host(config), config.serving.port), timeout=2).close()
        return True
    return False


def _wait_for_running(client: PredictionClient, url: str, tell: Tell) -> dict[str, Any]:
    """Return the version of what runs already, once it is ready."""
    deadline = time.monotonic() + START_SECONDS
    try:
        while not client.ready():
            if time.monotonic() > deadline:
                raise MlProjectError(f"What listens on {url} is not ready after {START_SECONDS:g} s; see its log")
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        return client.version()
    except (NotOurServiceError, ServiceCallError) as error:
        raise MlProjectError(
            f"Something else than a prediction service listens on {url}; end it, or choose another serving.port "
            f"(0 takes a free one). {error}"
        ) from error


class _OwnService:
    """A service in a process of its own; the folder is for its config and its log."""

    def __init__(self, config: Config, folder: Path, tell: Tell) -> None:
        # Nobody would read the lines about requests, and this folder need not hold them all.
        serving = config.serving.model_copy(update={"log_requests": False})
        self._config = config.model_copy(update={"serving": serving})
        self._settings, self._log = folder / "config.yaml", folder / "service.log"
        self._tell = tell
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process, with this config and nothing else."""
        import yaml

        self._tell(f"Starting the {self._config.serving.framework} service ...")
        self._settings.write_text(yaml.safe_dump(self._config.model_dump(mode="json")), encoding="utf-8")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603  our own program
                [sys.executable, "-m", "ml_project", "serve", "--config", str(self._settings)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={name: text for name, text in os.environ.items() if not is_for_a_field(name)},
                start_new_session=True,  # Ctrl-C is for this program, which then stops the service in order
            )

    def wait_until_ready(self) -> str:
        """Return the address once the service can answer."""
        started = told = time.monotonic()
        while (now := time.monotonic()) < started + START_SECONDS:
            url = self._announced_url()
            if url is not None and self._can_answer(url):
                self._tell(f"The service answers on {url} after {now - started:.1f} s.")
                return url
            code = None if self._process is None else self._process.poll()
            if code is not None:
                raise self._error(f"ended with exit code {code} before it could answer")
            if now > told + _SECONDS_BETWEEN_LINES:
                told = now
                self._tell(f"Still starting after {now - started:.0f} s ...")
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        raise self._error(f"cannot answer after {START_SECONDS:g} s")

    def stop(self) -> None:
        """End the process in order, and by force when it does not."""
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(self._config.serving.shutdown_seconds + _SECONDS_AFTER_SHUTDOWN)
            self._tell("The service has ended.")
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            self._tell("The service did not end in time and was killed.")

    def _announced_url(self) -> str | None:
        found = _ANNOUNCEMENT.search(self._log.read_text(encoding="utf-8", errors="replace"))
        if found is None:
            return None
        port = found[1].rpartition(":")[2]
        with_port = self._config.serving.model_copy(update={"port": int(port)})
        return local_url(self._config.model_copy(update={"serving": with_port}))

    def _can_answer(self, url: str) -> bool:
        with contact(self._config, url) as client:
            return client.ready()

    def _error(self, what: str) -> MlProjectError:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LINES_OF_LOG:]
        shown = "\n".join(f"  {line}" for line in lines)
        return MlProjectError(f"The {self._config.serving.framework} service {what}; the end of its log:\n{shown}")
