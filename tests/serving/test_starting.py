"""How the service starts and ends: what it says when it cannot start, without a model, with several workers."""

import json
import os
import signal
import socket
import subprocess
import sys

import pytest

from ml_project.monitoring.storage import read_predictions
from ml_project.safe_file import replace_file
from tests.serving.conftest import FRAMEWORKS
from tests.serving.running import (
    KEY,
    Service,
    address_in,
    clean_environment,
    running,
    serving,
    start_and_end,
    wait_until,
)
from tests.workspace import workspace

PROGRAM = "python -m ml_project serve: "
APPLICATIONS = {
    "fastapi": ["-m", "uvicorn", "--factory", "ml_project.web:fastapi_app", "--port", "0"],
    "flask": ["-m", "gunicorn", "ml_project.web:flask_app()", "--bind", "127.0.0.1:0", "--threads", "2"],
}


@pytest.fixture
def options(artifact_file, tmp_path):
    return ["--port", "0", "--artifacts.path", str(artifact_file),
            "--monitoring.storage.url", f"sqlite:///{tmp_path}/predictions.db"]  # fmt: skip


def last_lines(text: str) -> str:
    """Return what follows the program's name at the end of its messages."""
    return text.partition(PROGRAM)[2]


def test_start_port_taken_says_what_to_do(options):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, text = start_and_end(*options, "--port", str(port))
    assert code == 1
    assert last_lines(text) == (
        f"The service cannot listen on 127.0.0.1:{port}: Address already in use; end the program that does, or "
        "choose another serving.port (0 takes a free one) or serving.host\n"
    )


def test_start_no_artifact_says_where_it_was_looked_for(options, tmp_path):
    code, text = start_and_end(*options, "--artifacts.path", str(tmp_path / "no.zip"))
    assert code == 1
    assert last_lines(text) == (
        f"There is no artifact at {tmp_path}/no.zip; train a model first or correct artifacts.path\n"
    )


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_start_damaged_artifact_is_refused(options, artifact_file, tmp_path, framework):
    damaged = tmp_path / "damaged.zip"
    content = bytearray(artifact_file.read_bytes())
    content[1000] ^= 1
    damaged.write_bytes(content)
    code, text = start_and_end(*options, "--framework", framework, "--artifacts.path", str(damaged))
    assert code == 1
    assert last_lines(text).startswith(f"{damaged} is damaged: ")
    assert "Traceback" not in text


def test_start_wrong_settings_in_the_environment_are_all_named(options):
    environment = {
        "ML_PROJECT_SERVING__PORT": "70000",
        "ML_PROJECT_SERVING__FRAMEWORK": "django",
        "ML_PROJECT_SERVING__API_KEY": "short",
        "ML_PROJECT_SERVING__MAX_BODY": "5",
        "ML_PROJECT_SERVING__MODEL": "titanic@champion",
    }
    code, text = start_and_end(*options[2:], environment=environment)
    assert code == 2
    for wording in (
        "serving.port",
        "serving.framework",
        "serving.api_key",
        "serving.max_body: is not a field; did you mean",
        "must be models:/NAME@ALIAS or models:/NAME/VERSION",
    ):
        assert wording in text
    assert "Traceback" not in text


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_without_model_is_503_until_one_appears(artifact_file, artifact, record, tmp_path, framework):
    """As servers start the applications that import them."""
    environment = {
        "ML_PROJECT_ARTIFACTS__PATH": str(tmp_path / "model.zip"),
        "ML_PROJECT_SERVING__MODEL_CHECK_SECONDS": "0.05",
        "ML_PROJECT_RUN_MODE": "prediction",
        "ML_PROJECT_DATA_ORIGIN": "production",
        "ML_PROJECT_MONITORING__STORAGE": "null",
    }
    with running(APPLICATIONS[framework], environment) as service:
        for path in ("/ready", "/ping", "/version", "/schema"):
            answer = service.get(path)
            assert (answer.status, answer.headers["retry-after"]) == (503, "1")
            assert answer.json()["error"]["code"] == "model_not_ready"
        assert service.post("/predict", record).status == 503
        assert service.get("/v2/health/ready").json() == {
            "error": "No model is loaded yet; try again when GET /ready answers 200."
        }
        assert service.get("/health").status == 200
        assert service.get("/docs").status == 200
        document = service.get("/openapi.json").json()
        assert document["components"]["schemas"]["Record"] == {"type": "object"}
        replace_file(tmp_path / "model.zip", artifact_file.read_bytes())
        wait_until(lambda: service.get("/ready").status == 200)
        assert service.post("/predict", record).headers["x-model-version"] == artifact.model_version
        feedback = service.post("/feedback", {"prediction_id": "x", "label": 1})
        assert (feedback.status, feedback.json()["error"]["code"]) == (503, "storage_off")
        assert "retry-after" not in feedback.headers
        if framework == "fastapi":
            service.wait_for_line('"model_event":"loaded"')


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_workers_share_their_numbers_and_store_everything(artifact_file, record, tmp_path, framework):
    with serving(framework, artifact_file, tmp_path, workers=2) as service:
        wait_until(lambda: service.metric("ml_project_model_events_total") == 2)  # both workers are there
        ids = {service.post("/predict", record).json()["prediction_id"] for _ in range(30)}
        # The last request is counted after its answer, by a process that need not be the one that shows the numbers.
        wait_until(lambda: service.metric('ml_project_requests_total{route="/predict",status="200"}') == 30)
        wait_until(lambda: service.metric("ml_project_predictions_total") == 30)
        assert service.stop() == 0
    assert set(read_predictions(f"sqlite:///{tmp_path}/predictions.db")["prediction_id"]) == ids
    assert not [line for line in service.lines if "Traceback" in line]


def test_end_by_keyboard_is_as_orderly(artifact_file, record, tmp_path):
    with serving("fastapi", artifact_file, tmp_path) as service:
        assert service.post("/predict", record).status == 200
        service.process.send_signal(signal.SIGINT)
        assert service.process.wait(30) == 0
    assert len(read_predictions(f"sqlite:///{tmp_path}/predictions.db")) == 1


def test_log_is_json_behind_the_address_and_without_the_key(limited, record):
    limited.post("/predict", record, X_API_Key=KEY, X_Request_Id="last-of-all")
    limited.wait_for_line("last-of-all")
    lines = list(limited.lines)
    place = next(place for place, line in enumerate(lines) if line.startswith("Serving on"))
    assert all({"time", "severity", "logger", "message"} <= set(json.loads(line)) for line in lines[place + 1 :])
    assert KEY not in "".join(lines)


def test_address_framework_and_workers_are_announced(services):
    for framework in FRAMEWORKS:
        service = services(framework)
        wanted = f"Serving on http://127.0.0.1:{service.port} ({framework}, 1 worker); /docs shows how\n"
        assert service.wait_for_line("Serving on") == wanted


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_log_that_nobody_reads_any_more_fails_no_request(options, record, tmp_path, framework):
    read, write = os.pipe()
    words = [sys.executable, "-m", "ml_project", "serve", *options, "--framework", framework]
    process = subprocess.Popen(words, cwd=workspace(), env=clean_environment(), stderr=write)
    os.close(write)
    try:
        with os.fdopen(read, encoding="utf-8") as lines:
            port = address_in([next(line for line in lines if "Serving on" in line)])
        service = Service(process, port)
        wait_until(lambda: service.get("/ready").status == 200)
        assert {service.post("/predict", record).status for _ in range(20)} == {200}
        wait_until(lambda: service.metric("ml_project_requests_total") > 21)
        assert service.stop() == 0
    finally:
        process.kill()
        process.wait()
    assert len(read_predictions(f"sqlite:///{tmp_path}/predictions.db")) == 20
