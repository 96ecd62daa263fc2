"""A SQLite database with MLflow's tables (made once, copied per test), a real MLflow server, and an exported model."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from ml_project.config import Config
from ml_project.tracking.connection import LIBRARY_WARNINGS, connect, prepare_mlflow
from ml_project.tracking.places import find_place
from ml_project.tracking.records import HoldoutScore, RunRecord, TrialRecord

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RUN = RunRecord("a run", {"splits": {"n_folds": 5}, "compute": {"seed": 42}}, git_commit="abc123", git_dirty=True)


def make_config(tracking_uri: str, **tracking: object) -> Config:
    return Config(
        data={"source": "people.csv", "target_column": "income"},
        features={"columns": ["age"]},
        tracking={"tracking_uri": tracking_uri, **tracking},
    )


def make_trial(number: int = 0, **changes: object) -> TrialRecord:
    values = {
        "number": number,
        "parameters": {"depth": 3, "rate": 0.1, "kind": "gini", "none": None},
        "fold_scores": (0.8, 0.9),
        "mean": 0.85,
        "state": "complete",
        "started_at": START,
        "finished_at": START + timedelta(seconds=2),
    }
    return TrialRecord(**(values | changes))


def make_score(value: float = 0.8, **changes: object) -> HoldoutScore:
    values = {
        "metric": "roc_auc",
        "value": value,
        "greater_is_better": True,
        "data_fingerprint": "d" * 64,
        "holdout_fingerprint": "h" * 64,
    }
    return HoldoutScore(**(values | changes))


@pytest.fixture(scope="session")
def template_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "mlflow.db"
    prepare_mlflow()
    connect(find_place(f"sqlite:///{file}"))
    return file


@pytest.fixture
def database_uri(template_database: Path, tmp_path: Path) -> str:
    shutil.copy(template_database, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


@pytest.fixture(scope="session")
def server_uri(template_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(template_database, folder / "mlflow.db")
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", "sqlite:///mlflow.db"]
    command += ["--artifacts-destination", str(folder / "artifacts"), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--allowed-hosts", f"127.0.0.1:{port}"]
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "log.txt").open("wb") as log:
        server = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, env=environment, start_new_session=True
        )
    try:
        _wait_until_healthy(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=20)


def _wait_until_healthy(uri: str) -> None:
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=Retry(total=60, backoff_factor=0.1, backoff_max=0.5)))
        session.get(f"{uri}/health", timeout=5).raise_for_status()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    folder = Path(__file__).parent
    for item in items:
        if folder in item.path.parents:
            for message, category in LIBRARY_WARNINGS:
                item.add_marker(pytest.mark.filterwarnings(f"ignore:{message}:{category.__name__}"))
