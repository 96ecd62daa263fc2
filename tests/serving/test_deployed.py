"""The contract in a cloud's function: loaded at once, complete with each answer, and configured by the environment."""

import gc
import json
import logging
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ml_project.errors import ArtifactError, ConfigError
from ml_project.monitoring.storage import read_predictions
from ml_project.serving.deployed import deployed_api
from ml_project.serving.messages import JSON, HttpRequest
from tests.workspace import ENVIRONMENT

START = """
import sys
from pathlib import Path
from ml_project.monitoring.storage import read_predictions
from ml_project.serving.deployed import deployed_api
from ml_project.serving.messages import HttpRequest
api = deployed_api(Path(sys.argv[1]), log_style=sys.argv[2])
for body in sys.argv[3:]:
    request = HttpRequest("POST", "/predict", {"content-type": "application/json"}, body.encode())
    request.log_fields = {"trace": "t1"}
    answer = api.answer(request)
    sys.stdout.write(f"{answer.status}\\n")
sys.stdout.write(" ".join(sorted({name.partition(".")[0] for name in sys.modules})) + "\\n")
sys.stdout.flush()
import os
os._exit(0)  # as a frozen function ends: nothing is written or closed any more
"""


@pytest.fixture(autouse=True)
def restored_logging():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(autouse=True)
def restored_interpreter():
    switch, threshold = sys.getswitchinterval(), gc.get_threshold()
    yield
    sys.setswitchinterval(switch)
    gc.set_threshold(*threshold)
    gc.unfreeze()


def start(artifact_file, *bodies, style="json", **environment):
    command = [sys.executable, "-c", START, str(artifact_file), style, *bodies]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ML_PROJECT_")}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=artifact_file.parent, timeout=60,
        env={**kept, **ENVIRONMENT, **environment},
    )  # fmt: skip


def predict(api, record):
    return api.answer(HttpRequest("POST", "/predict", {"content-type": JSON}, json.dumps(record).encode()))


def test_deployed_api_answers_like_the_pipeline_and_leaves_no_thread(artifact_file, pipeline, record):
    threads = set(threading.enumerate())
    answer = predict(deployed_api(artifact_file, environment={}), record)
    assert answer.status == 200
    given = json.loads(answer.body)
    assert {name: given[name] for name in ("label", "probas")} == pipeline.predict_record(record)
    assert answer.stored is None
    assert set(threading.enumerate()) <= threads


def test_deployed_api_settings_come_from_the_environment(artifact_file, record):
    api = deployed_api(
        artifact_file,
        environment={
            "ML_PROJECT_SERVING__MAX_BATCH_ROWS": "1",
            "ML_PROJECT_SERVING__MODEL_NAME": "titanic",
            "ML_PROJECT_SERVING__API_KEY": "0123456789abcdef",
            "HOME": "/root",
        },
    )
    assert predict(api, record).status == 401
    headers = {"content-type": JSON, "x-api-key": "0123456789abcdef"}
    request = HttpRequest("POST", "/predict", headers, json.dumps([record, record]).encode())
    assert api.answer(request).status == 413
    assert api.answer(HttpRequest("GET", "/v2/models/titanic", headers)).status == 200


def test_deployed_api_wrong_settings_are_all_named(artifact_file):
    environment = {"ML_PROJECT_SERVING__MAX_BODY_BYTES": "-1", "ML_PROJECT_SERVING__MAX_ROWS": "5"}
    with pytest.raises(ConfigError) as caught:
        deployed_api(artifact_file, environment=environment)
    text = str(caught.value)
    assert re.search(r"serving\.max_body_bytes = '?-1'?: .*\(from the environment\)", text)
    assert "serving.max_rows: is not a field" in text


def test_deployed_api_without_artifact_says_where_it_was_looked_for(tmp_path):
    with pytest.raises(ArtifactError, match=r"There is no artifact at .*model\.zip"):
        deployed_api(tmp_path / "model.zip", environment={})


def test_deployed_api_stores_where_the_environment_says_so_and_answers_can_wait(artifact_file, record, tmp_path):
    database = tmp_path / "predictions.db"
    api = deployed_api(artifact_file, environment={"ML_PROJECT_MONITORING__STORAGE__URL": f"sqlite:///{database}"})
    answer = predict(api, record)
    answer.stored.result(timeout=30)
    stored = read_predictions(f"sqlite:///{database}")
    assert [str(name) for name in stored["prediction_id"]] == [json.loads(answer.body)["prediction_id"]]


@pytest.mark.parametrize(("style", "severity"), [("json", "severity"), ("google", "severity"), ("aws", "level")])
def test_deployed_api_every_line_is_written_before_the_process_is_frozen(artifact_file, record, style, severity):
    done = start(artifact_file, json.dumps(record), "{", json.dumps({}), style=style)
    assert done.stdout.splitlines()[:3] == ["200", "400", "422"], done.stderr
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert lines[0]["message"].startswith("Model version")
    assert [line["trace"] for line in lines[1:]] == ["t1"] * 3
    assert {line[severity] for line in lines} == {"INFO"}
    statuses = [line["httpRequest"]["status"] if style == "google" else line["status"] for line in lines[1:]]
    assert statuses == [200, 400, 422]


def test_deployed_api_imports_no_library_of_training_tables_or_storage(artifact_file, record):
    done = start(artifact_file, json.dumps(record))
    imported = set(done.stdout.splitlines()[-1].split())
    known = {
        "annotated_types", "google", "ml_project", "numpy", "onnxruntime", "prometheus_client", "pydantic",
        "pydantic_core", "tests", "typing_extensions", "typing_inspection", "yaml", "cython_runtime",
    }  # fmt: skip
    others = {name for name in imported - set(sys.stdlib_module_names) - known if not name.startswith("_")}
    assert others == set()
    assert "onnxruntime" in imported


def test_deployed_api_unexpected_error_is_logged_with_the_requests_fields(artifact_file, record, monkeypatch, capfd):
    api = deployed_api(artifact_file, log_style="aws", environment={})
    monkeypatch.setattr(type(api.routes[0].handler.__self__.service), "predict", lambda *_, **__: 1 / 0)
    body = json.dumps(record).encode()
    answer = api.answer(HttpRequest("POST", "/predict", {"content-type": JSON}, body, log_fields={"requestId": "abc"}))
    assert answer.status == 500
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    failed, request = (line for line in lines if "requestId" in line)
    assert (failed["level"], failed["message"], failed["requestId"]) == ("ERROR", "request failed", "abc")
    assert failed["exception"].endswith("ZeroDivisionError: division by zero")
    assert (request["level"], request["status"], request["requestId"]) == ("ERROR", 500, "abc")


def test_deployed_api_storage_without_its_packages_is_refused(artifact_file, monkeypatch):
    monkeypatch.setattr("ml_project.serving.deployed.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"monitoring\.storage\.url: needs the packages of the category store"):
        deployed_api(artifact_file, environment={"ML_PROJECT_MONITORING__STORAGE__URL": "sqlite:///x.db"})
    assert not Path("x.db").exists()
