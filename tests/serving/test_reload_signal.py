"""SIGHUP to the command that serves: every worker looks at the model's file, none ends."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from ml_project.artifacts.loading import load_artifact
from ml_project.safe_file import replace_file
from tests.artifacts.fitted import fit
from tests.example.features import FEATURE_PROCESSES
from tests.workspace import workspace

N_WORKERS = 2
DEADLINE_SECONDS = 60


def wait_until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("versions")
    return [fit(name).export(folder / f"{name}.zip") for name in ("linear", "decision_tree")]


def catches_hang_up(process_id: int) -> bool:
    status = Path(f"/proc/{process_id}/status").read_text()
    caught = int(status.partition("SigCgt:")[2].split()[0], 16)
    return bool(caught & 1 << signal.SIGHUP - 1)


class Service:
    """The command that serves a file, with several workers that never look at it unasked."""

    def __init__(self, framework: str, folder: Path, artifact: Path) -> None:
        self.file, self.log_file = folder / "model.zip", folder / "log.txt"
        replace_file(self.file, artifact.read_bytes())
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [sys.executable, "-m", "ml_project", "serve", "--serving.framework", framework]
        command += ["--serving.workers", str(N_WORKERS), "--serving.port", str(self.port)]
        command += ["--serving.model_check_seconds", "1000", "--serving.log_requests", "false"]
        command += ["--monitoring.storage", "null", "--artifacts.path", str(self.file)]
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=workspace(), stderr=log, start_new_session=True)

    def messages(self) -> list[str]:
        lines = self.log_file.read_text().splitlines()
        return [json.loads(line)["message"] for line in lines if line.startswith("{")]

    def wait_until_ready(self) -> None:
        self.wait_for_workers("was loaded")
        wait_until(lambda: sum(map(catches_hang_up, self._children())) == N_WORKERS)

    def _children(self) -> list[int]:
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(word) for word in found.split()]

    def wait_for_workers(self, part: str) -> None:
        wait_until(lambda: sum(part in message for message in self.messages()) == N_WORKERS)

    def versions(self) -> set[tuple[int, str | None]]:
        """Return the statuses and versions that new connections find."""
        return {self._ask() for _ in range(20)}

    def _ask(self) -> tuple[int, str | None]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_SECONDS)) as connection:
            connection.request("GET", "/ready")
            answer = connection.getresponse()
            answer.read()
            return answer.status, answer.headers["X-Model-Version"]


@pytest.fixture(params=["fastapi", "flask"])
def service(request: pytest.FixtureRequest, tmp_path: Path, artifacts: list[Path]) -> Iterator[Service]:
    found = Service(request.param, tmp_path, artifacts[0])
    try:
        yield found
    finally:
        with suppress(ProcessLookupError):  # all ended in order
            os.killpg(found.process.pid, signal.SIGKILL)
        found.process.wait()


def test_hang_up_damaged_file_is_refused_and_a_good_one_served_by_every_worker(
    service: Service, artifacts: list[Path]
) -> None:
    first, second = (load_artifact(path, FEATURE_PROCESSES).model_version for path in artifacts)
    service.wait_until_ready()
    replace_file(service.file, artifacts[1].read_bytes()[:-1000])
    service.process.send_signal(signal.SIGHUP)
    service.wait_for_workers("was refused")
    assert service.versions() == {(200, first)}
    replace_file(service.file, artifacts[1].read_bytes())
    service.process.send_signal(signal.SIGHUP)
    service.wait_for_workers(f"{second} replaced version {first}")
    assert service.versions() == {(200, second)}
    service.process.terminate()
    assert service.process.wait(DEADLINE_SECONDS) == 0
