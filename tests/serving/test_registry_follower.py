"""The process that copies the registry's model: follows the alias, outlives outages, ends with its parent."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from mlflow import MlflowClient

from ml_project.artifacts.loading import load_artifact
from ml_project.errors import TrackingError
from ml_project.serving import registry_follower
from ml_project.serving.model_host import ModelEvent, ModelHost
from ml_project.serving.registry_follower import LONGEST_DELAY, AliasCopy, FollowerSettings, follow, start_follower
from ml_project.tracking.connection import LIBRARY_WARNINGS
from ml_project.tracking.registry_model import ModelRegistry
from tests.artifacts.fitted import fit
from tests.example.features import FEATURE_PROCESSES
from tests.tracking.conftest import database_uri, template_database
from tests.tracking.registered import NAME, connect_to, register, stored_file

__all__ = ["database_uri", "template_database"]  # fixtures

pytestmark = [
    pytest.mark.filterwarnings(f"ignore:{message}:{category.__name__}") for message, category in LIBRARY_WARNINGS
]

CHAMPION = f"models:/{NAME}@champion"
CHECK_SECONDS = 0.1
DEADLINE_SECONDS = 60


def wait_until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.02)


def is_running(process_id: int) -> bool:
    """Return whether a process runs; one that ended and was not collected yet does not."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


class Log:
    """The lines that processes started by a test write to stderr."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self._capfd = capfd
        self.text = ""

    def messages(self) -> list[str]:
        self.text += self._capfd.readouterr().err
        return [json.loads(line)["message"] for line in self.text.splitlines() if line.startswith("{")]

    def wait_for(self, part: str) -> None:
        wait_until(lambda: any(part in message for message in self.messages()))


@pytest.fixture
def log(capfd: pytest.CaptureFixture[str]) -> Log:
    return Log(capfd)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("exported")
    first, second = (fit(name).export(folder / f"{name}.zip") for name in ("linear", "decision_tree"))
    return first, second


@pytest.fixture(scope="module")
def template_registry(
    exported: tuple[Path, Path], template_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """A registry with two versions, of which the first is champion."""
    folder = tmp_path_factory.mktemp("registry")
    shutil.copy(template_database, folder / "mlflow.db")
    uri = f"sqlite:///{folder}/mlflow.db"
    assert [register(uri, path) for path in exported] == ["1", "2"]
    return uri


@pytest.fixture
def registry_uri(template_registry: str) -> Iterator[str]:
    """The registry, whose champion is the first version again after the test."""
    yield template_registry
    make_champion(template_registry, "1")


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    return tmp_path / "serving" / "model.zip"


def make_champion(uri: str, version: str) -> None:
    connect_to(uri).set_registered_model_alias(NAME, "champion", version)


def test_follower_alias_moves_and_back_new_version_is_served_and_old_one_again(
    registry_uri: str, exported: tuple[Path, Path], destination: Path, log: Log
) -> None:
    versions = [load_artifact(path, FEATURE_PROCESSES).model_version for path in exported]
    events: list[ModelEvent] = []
    host = ModelHost(destination, FEATURE_PROCESSES, check_seconds=CHECK_SECONDS, on_event=events.append)
    host.watch()
    try:
        with start_follower(CHAMPION, registry_uri, destination, check_seconds=CHECK_SECONDS) as follower:
            wait_until(lambda: host.current is not None)
            for meant_for_the_service in (signal.SIGINT, signal.SIGHUP):
                follower.process.send_signal(meant_for_the_service)
            make_champion(registry_uri, "2")
            wait_until(lambda: host.current.model_version == versions[1])
            damage_and_promote_first_version(registry_uri, log)
            assert host.current.model_version == versions[1]
            stored_file(registry_uri, "1").write_bytes(exported[0].read_bytes())
            wait_until(lambda: host.current.model_version == versions[0])
            log.wait_for("can be used again")
        assert follower.process.returncode == 0
    finally:
        host.close()
    assert [event.kind for event in events] == ["missing", "loaded", "swapped", "swapped"]
    assert log.messages()[-1] == "The registry is no longer followed"


def damage_and_promote_first_version(registry_uri: str, log: Log) -> None:
    stored = stored_file(registry_uri, "1")
    stored.write_bytes(stored.read_bytes()[:-1000])
    make_champion(registry_uri, "1")
    log.wait_for("is truncated")


def test_follower_server_that_comes_later_and_goes_is_waited_for(
    registry_uri: str,
    exported: tuple[Path, Path],
    destination: Path,
    log: Log,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES")  # MLflow was prepared for trainings in this process
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    with start_follower(CHAMPION, f"http://me:secret@{address}", destination, check_seconds=CHECK_SECONDS) as follower:
        log.wait_for(f"http://***@{address} does not answer")
        server = start_server(registry_uri, address, tmp_path)
        try:
            wait_until(destination.exists)
            assert destination.read_bytes() == exported[0].read_bytes()
            make_champion(registry_uri, "2")
            wait_until(lambda: destination.read_bytes() == exported[1].read_bytes())
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
        n_messages = len(log.messages())
        wait_until(lambda: any("does not answer" in message for message in log.messages()[n_messages:]))
        assert follower.process.poll() is None
    assert "secret" not in log.text


def start_server(database_uri: str, address: str, folder: Path) -> subprocess.Popen[bytes]:
    """Start MLflow over the registry's database, without waiting for it."""
    host, port = address.split(":")
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", database_uri, "--serve-artifacts"]
    command += ["--artifacts-destination", str(folder), "--host", host, "--port", port, "--workers", "1"]
    command += ["--allowed-hosts", address]
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "server.log").open("wb") as log_file:
        return subprocess.Popen(command, stdout=log_file, stderr=log_file, env=environment, start_new_session=True)


def test_follower_of_a_version_copies_it_and_ends(registry_uri: str, exported: tuple[Path, Path], destination: Path):
    with start_follower(f"models:/{NAME}/2", registry_uri, destination, check_seconds=CHECK_SECONDS) as follower:
        follower.process.wait(DEADLINE_SECONDS)
        first_process = follower.process
    assert (first_process.returncode, follower.process) == (0, first_process)
    assert destination.read_bytes() == exported[1].read_bytes()


def test_follower_killed_is_started_again(
    database_uri: str, destination: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(registry_follower, "SECONDS_TO_RESTART", 0.01)
    with start_follower(CHAMPION, database_uri, destination, check_seconds=CHECK_SECONDS) as follower:
        first_process = follower.process
        first_process.kill()
        wait_until(lambda: follower.process is not first_process)
        assert is_running(follower.process.pid)
    assert not is_running(follower.process.pid)
    assert "ended (code -9); it is started again" in caplog.text


def test_follower_parent_killed_ends(database_uri: str, destination: Path) -> None:
    code = f"""
from pathlib import Path
from ml_project.serving.registry_follower import start_follower
follower = start_follower({CHAMPION!r}, {database_uri!r}, Path({str(destination)!r}), check_seconds=0.1)
print(follower.process.pid, flush=True)
follower.process.wait()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        process_id = int(parent.stdout.readline())
        parent.kill()
    wait_until(lambda: not is_running(process_id))


def test_follow_parent_gone_before_the_first_look_ends(database_uri: str, destination: Path) -> None:
    settings = FollowerSettings(CHAMPION, destination, CHECK_SECONDS)
    follow(settings, database_uri, parent=os.getppid() + 1)
    assert not destination.exists()


def test_follower_password_is_not_among_the_words_of_its_command(destination: Path) -> None:
    uri = "http://me:secret@127.0.0.1:9"
    with start_follower(CHAMPION, uri, destination, check_seconds=CHECK_SECONDS) as follower:
        words = Path(f"/proc/{follower.process.pid}/cmdline").read_text().split("\0")
    assert CHAMPION in words
    assert not [word for word in words if "secret" in word]


def test_start_follower_address_of_no_registry_is_refused(destination: Path) -> None:
    with pytest.raises(TrackingError, match="neither a database nor a server"):
        start_follower(CHAMPION, "file:./mlruns", destination, check_seconds=CHECK_SECONDS)


def test_update_failures_make_the_waiting_longer_until_a_success(registry_uri: str, destination: Path) -> None:
    client: MlflowClient = connect_to(registry_uri)
    copy = AliasCopy(FollowerSettings(f"models:/{NAME}@late", destination, 4.0), ModelRegistry(registry_uri))
    assert [copy.update() for _ in range(6)] == [8.0, 16.0, 32.0, LONGEST_DELAY, LONGEST_DELAY, LONGEST_DELAY]
    client.set_registered_model_alias(NAME, "late", "1")
    assert copy.update() == 4.0
    client.delete_registered_model_alias(NAME, "late")
    assert copy.update() == 8.0


def test_update_long_interval_is_kept_after_a_failure(database_uri: str, destination: Path) -> None:
    copy = AliasCopy(FollowerSettings(CHAMPION, destination, 600.0), ModelRegistry(database_uri))
    assert [copy.update(), copy.update()] == [600.0, 600.0]


def test_update_file_removed_is_copied_again(registry_uri: str, destination: Path) -> None:
    copy = AliasCopy(FollowerSettings(CHAMPION, destination, CHECK_SECONDS), ModelRegistry(registry_uri))
    copy.update()
    written = destination.stat().st_mtime_ns
    copy.update()
    assert destination.stat().st_mtime_ns == written
    destination.unlink()
    assert copy.update() == CHECK_SECONDS
    assert destination.exists()
