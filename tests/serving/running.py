"""The service as a process of its own, and requests to it without a library that would put them right."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.workspace import ENVIRONMENT, workspace

START_SECONDS = 60
STOP_SECONDS = 40
HANG_SECONDS = 30
ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")
KEY = "a key of enough letters"
JSON_TYPE = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Service:
    """A service that runs."""

    process: subprocess.Popen[str]
    port: int
    lines: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANG_SECONDS)
        try:
            connection.request(method, path, body=body, headers=dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, lower_names(response.getheaders()), response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, content: Any, **headers: str) -> Answer:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", path, body, {**JSON_TYPE, **given})

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=HANG_SECONDS)

    def send_raw(self, content: bytes) -> bytes:
        """Send bytes and return all that comes back until the server closes or an answer is whole."""
        with self.connect() as connection:
            connection.sendall(content)
            return receive_answer(connection)

    def metric(self, name: str, **headers: str) -> float:
        lines = self.get("/metrics", **headers).body.decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if re.match(rf"{re.escape(name)}[ {{]", line))

    def wait_for_line(self, text: str) -> str:
        wait_until(lambda: any(text in line for line in self.lines))
        return next(line for line in self.lines if text in line)

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)


def receive_answer(connection: socket.socket) -> bytes:
    content = b""
    while piece := connection.recv(262_144):
        content += piece
        head, separator, body = content.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
        if separator and length and len(body) >= int(length[1]):
            break
    return content


def status_of(raw: bytes) -> int:
    return int(raw.split(b" ", 2)[1])


def lower_names(headers: list[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


def wait_until(condition: Callable[[], object], seconds: float = START_SECONDS) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.01)


@contextmanager
def running(
    command: list[str], environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> Iterator[Service]:
    """Run a command that serves, from the address that it writes to stderr until the end of a with-block.

    It runs in :func:`workspace` by default.
    """
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=folder or workspace(),
        env={**clean_environment(), **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    service = Service(process, port=0)
    reader = threading.Thread(target=lambda: service.lines.extend(process.stderr), daemon=True)
    reader.start()
    try:
        wait_until(lambda: address_in(service.lines) or process.poll() is not None)
        assert process.poll() is None, "".join(service.lines)
        service.port = address_in(service.lines)
        yield service
    finally:
        try:
            service.stop()
        finally:
            process.kill()
            process.wait()
            reader.join()
            process.stderr.close()


def address_in(lines: list[str]) -> int:
    found = (ADDRESS.search(line) for line in list(lines))
    return next((int(match[1]) for match in found if match), 0)


@contextmanager
def serving(framework: str, artifact: Path, folder: Path, **options: Any) -> Iterator[Service]:
    """Run ``python -m ml_project serve`` on a free port; options are fields of the config, ``__`` for a point."""
    fields = {
        "framework": framework,
        "port": 0,
        "artifacts.path": artifact,
        "monitoring.storage.url": f"sqlite:///{folder}/predictions.db",
        **{name.replace("__", "."): value for name, value in options.items()},
    }
    words = [word for name, value in fields.items() for word in (f"--{name}", str(value))]
    with running(["-m", "ml_project", "serve", *words]) as service:
        yield service


@contextmanager
def serving_by_asgi(artifact: Path, folder: Path, **options: Any) -> Iterator[Service]:
    """Run the FastAPI application under uvicorn itself; parameters as in :func:`serving`."""
    fields = {
        "artifacts__path": artifact,
        "run_mode": "prediction",
        "data_origin": "production",
        "monitoring__storage__url": f"sqlite:///{folder}/predictions.db",
        **options,
    }
    environment = {f"ML_PROJECT_{name.upper()}": str(value) for name, value in fields.items()}
    words = ["-m", "uvicorn", "--factory", "ml_project.web:fastapi_app", "--port", "0", "--timeout-keep-alive", "75"]
    with running(words, environment) as service:
        yield service


def start_and_end(*words: str, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run ``python -m ml_project serve`` that cannot start, and return its exit code and what it wrote to stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "ml_project", "serve", *words],
        cwd=workspace(),
        env={**clean_environment(), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    return done.returncode, done.stderr


def clean_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ML_PROJECT_", "PROMETHEUS_"))}
    return {**kept, **ENVIRONMENT}
