"""The use cases of production: same predictions everywhere, services started and stopped, clear messages."""

import contextlib
import os
import signal
import socket
import subprocess
import sys

import pandas as pd
import pytest

from ml_project.commands import predict_table
from ml_project.config import DEPLOYED_PRODUCTION, LOCAL_PRODUCTION, SCORING, Config
from ml_project.config_sources import merge, write_config
from ml_project.errors import ArtifactError, ConfigError, MlProjectError, WrongKeyError
from ml_project.production_commands import (
    generate_rows,
    predict_stream_deployed,
    predict_stream_in_process,
    predict_stream_with_fastapi,
    predict_stream_with_flask,
)
from ml_project.serving.client_errors import NotOurServiceError, ServiceUnreachableError
from ml_project.serving.local_service import contact, local_service
from ml_project.use_case_file import load_use_case
from ml_project.validation.frames import validate_raw
from tests.artifacts.fitted import fit
from tests.serving.scripted_server import echo, refusal, scripted_server, unused_port
from tests.workspace import REPOSITORY, TITANIC, USE_CASE, workspace

DEADLINE_SECONDS = 60
KEY = "0123456789abcdef"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return fit("random_forest").export(tmp_path_factory.mktemp("model") / "model.zip")


@pytest.fixture
def make_config(model, tmp_path):
    """Return a function that gives a use case's config, writing below ``tmp_path``, with changes."""

    def make(switches=LOCAL_PRODUCTION, **sections):
        use_case = load_use_case(USE_CASE, switches).model_dump(exclude_unset=True)
        here = {
            "data": {"source": str(TITANIC)},
            "artifacts": {"path": model},
            "serving": {"port": 0, "max_attempts": 2},
            "monitoring": {"storage": {"url": f"sqlite:///{tmp_path}/predictions.db"}},
            "simulation": {"n_instances": 5},
            "prediction": {"output": tmp_path / "table.csv"},
            "synthetic": {"output": tmp_path / "rows.parquet", "n_rows": 500},
            "tracking": {"tracking_uri": f"sqlite:///{tmp_path}/mlflow.db"},
        }
        return Config.model_validate(merge(merge(use_case, here), sections))

    return make


def listens(port):
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    return False


def test_stream_predictions_are_the_same_to_the_last_bit_on_every_way(make_config, titanic_raw, tmp_path, capsys):
    ways = {
        "in_process": (predict_stream_in_process, 1),
        "fastapi": (predict_stream_with_fastapi, 3),
        "flask": (predict_stream_with_flask, 50),
        "deployed": (predict_stream_deployed, 1000),
    }
    whole = {"order": "historic", "n_instances": len(titanic_raw)}
    with local_service(make_config(), tell=print) as url:
        for way, (predict, batch_size) in ways.items():
            simulation = {**whole, "batch_size": batch_size, "output": tmp_path / f"{way}.csv"}
            switches = DEPLOYED_PRODUCTION if way == "deployed" else LOCAL_PRODUCTION
            predict(make_config(switches, simulation=simulation, serving={"prediction_service_url": url}))
    predict_table(make_config(SCORING))
    columns = ["passenger_id", "label", "proba_0", "proba_1"]
    expected = pd.read_csv(tmp_path / "table.csv", dtype=str)[columns]
    assert len(expected) == len(titanic_raw)
    for way in ways:
        table = pd.read_csv(tmp_path / f"{way}.csv", dtype=str)
        pd.testing.assert_frame_equal(table[columns], expected, obj=way)
        assert table["prediction_id"].is_unique
    told = capsys.readouterr().out
    assert told.count("  answered        1,309\n") == 4
    first = [line for line in told.splitlines() if line.startswith("record 0 (passenger_id 1): ")]
    assert len(first) == 4
    assert len(set(first)) == 1


def test_local_service_that_runs_is_used_and_left_running(make_config, capsys):
    with local_service(make_config(), tell=print) as url:
        port = int(url.rpartition(":")[2])
        config = make_config(serving={"port": port})
        predict_stream_with_flask(config)
        told = capsys.readouterr().out
        assert f"Using the service that runs on {url}: random_forest (version " in told
        assert "Starting the flask service" not in told
        with contact(config, url) as client:
            assert client.ready()
    assert not listens(port)


def test_local_service_that_runs_and_is_not_ready_yet_is_waited_for(make_config, capsys):
    busy = refusal(503, "model_not_ready", "No model is loaded yet.")
    version = {"service": {"name": "ml_project"}, "model": {"name": "other", "version": "1"}}
    schema = {"properties": {"age": {}}}
    with scripted_server(busy, busy, (200, {"status": "ready"}), (200, version), (200, schema), echo) as server:
        port = int(server.url.rpartition(":")[2])
        predict_stream_with_fastapi(make_config(serving={"port": port}))
        sent = [record for seen in server.seen if seen.path == "/predict" for record in seen.content]
    assert [sorted(record) for record in sent] == [["age", "passenger_id"]] * 5
    assert f"Using the service that runs on {server.url}: other (version 1)." in capsys.readouterr().out


def test_local_service_with_a_key_is_reached_by_who_knows_it(make_config, capsys):
    serving = {"api_key": KEY, "port": unused_port()}
    with local_service(make_config(serving=serving), tell=print) as url:
        deployed = {"prediction_service_url": url}
        predict_stream_deployed(make_config(DEPLOYED_PRODUCTION, serving={**deployed, "api_key": KEY}))
        with pytest.raises(WrongKeyError, match="set ML_PROJECT_SERVING__API_KEY to the key of the service"):
            predict_stream_deployed(make_config(DEPLOYED_PRODUCTION, serving=deployed))
        with pytest.raises(WrongKeyError, match="The key is missing or wrong"):
            predict_stream_with_fastapi(make_config(serving={"port": serving["port"]}))
    told = capsys.readouterr().out
    assert "  answered            5\n" in told
    assert KEY not in told


def test_local_service_options_of_the_run_count_more_than_the_environment(make_config, monkeypatch):
    monkeypatch.setenv("ML_PROJECT_SERVING__API_KEY", "x" * 20)
    monkeypatch.setenv("ML_PROJECT_ARTIFACTS__PATH", "elsewhere.zip")
    config = make_config()
    with local_service(config, tell=lambda line: None) as url, contact(config, url) as client:
        assert client.version()["model"]["name"] == "random_forest"


def test_local_service_that_cannot_start_shows_its_log(make_config, tmp_path):
    config = make_config(artifacts={"path": tmp_path / "missing.zip"})
    told = r"The fastapi service ended with exit code 1 before it could answer; the end of its log:\n"
    with pytest.raises(MlProjectError, match=told) as failed:
        predict_stream_with_fastapi(config)
    assert "missing.zip" in failed.value.message


@pytest.mark.parametrize("answer", [(404, b"no page here"), (200, {"service": {"name": "other"}})])
def test_local_service_port_with_something_else_is_said(answer, make_config):
    with scripted_server(answer) as server:
        port = int(server.url.rpartition(":")[2])
        told = rf"Something else than a prediction service listens on {server.url}; end it, or choose another"
        with pytest.raises(MlProjectError, match=told):
            predict_stream_with_fastapi(make_config(serving={"port": port}))


def test_stream_in_process_stores_predictions_and_shows_refused_records(make_config, tmp_path, capsys):
    drift = {"shift": {"age": 100}, "start": 2}
    predict_stream_in_process(make_config(simulation={"n_instances": 40, "batch_size": 10, "drift": drift}))
    told = capsys.readouterr().out
    assert "must be at most 120" in told
    answered = int(told.split("answered")[1].split()[0])
    refused = int(told.split("refused")[1].split()[0])
    assert answered + refused == 40
    assert min(answered, refused) > 0
    from ml_project.monitoring.storage import read_predictions

    assert len(read_predictions(f"sqlite:///{tmp_path}/predictions.db")) == answered


def test_stream_in_process_without_a_model_is_refused(make_config, tmp_path):
    with pytest.raises(ArtifactError, match=r"missing\.zip"):
        predict_stream_in_process(make_config(artifacts={"path": tmp_path / "missing.zip"}))


def test_stream_deployed_without_an_address_is_refused(make_config):
    with pytest.raises(ConfigError, match=r"serving\.prediction_service_url: must be set to the address of the serv"):
        predict_stream_deployed(make_config(DEPLOYED_PRODUCTION))


def test_stream_deployed_unreachable_or_something_else_is_said(make_config):
    def stream(url):
        predict_stream_deployed(make_config(DEPLOYED_PRODUCTION, serving={"prediction_service_url": url}))

    with pytest.raises(ServiceUnreachableError, match=r"tried 2 times in vain: no connection \(Connection refused\)"):
        stream(f"http://127.0.0.1:{unused_port()}")
    with scripted_server((200, b"<html>welcome</html>")) as server, pytest.raises(NotOurServiceError, match="check"):
        stream(server.url)
    version = {"service": {"name": "ml_project"}, "model": {"name": "other", "version": "1"}}
    told = "income: is wanted by the service, but not in ml_project/project/schema"
    schema = {"properties": {"age": {}, "income": {}}}
    with scripted_server((200, version), (200, schema)) as server, pytest.raises(ConfigError, match=told):
        stream(server.url)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl_c", "sigterm"]
)
def test_script_that_is_ended_reports_and_stops_its_service(number, code, make_config, tmp_path):
    port = unused_port()
    simulation = {"n_instances": 10**6, "output": tmp_path / "answers.csv"}
    config = write_config(make_config(serving={"port": port}, simulation=simulation), tmp_path / "run.yaml")
    script = workspace() / "use_cases/predicting_production_data_local_flask.py"
    words = [sys.executable, "-u", str(script), "--config", str(config)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=workspace()) as run:
        told = iter(run.stdout.readline, "")
        shown = list(until(told, "record 2"))
        os.kill(run.pid, number)
        rest, errors = run.communicate(timeout=DEADLINE_SECONDS)
    assert run.returncode == code, (shown, rest, errors)
    assert "records sent in" in rest
    assert rest.endswith("The service has ended.\n")
    assert not listens(port)
    answers = pd.read_csv(tmp_path / "answers.csv")
    assert len(answers) == int(rest.split("answered")[1].split()[0].replace(",", ""))


def until(lines, beginning):
    for line in lines:
        yield line
        if line.startswith(beginning):
            return


def test_scripts_are_a_config_and_a_call():
    scripts = sorted(REPOSITORY.glob("use_cases/predicting_production_*.py"))
    assert len(scripts) == 4
    assert all(len(script.read_text().splitlines()) < 60 for script in scripts)


def test_generate_rows_fit_the_schema(make_config, project, capsys, tmp_path):
    generate_rows(make_config(SCORING))
    rows = pd.read_parquet(tmp_path / "rows.parquet")
    assert len(rows) == 500
    validate_raw(rows, project.schema)
    assert "500 rows made up from 1,047 training rows of random_forest" in capsys.readouterr().out
