"""Tests of ml_project.tracking.mlflow_tracking on a real database and a real server."""

import json
import shutil
import socket
import sqlite3
import sys
import threading
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
import yaml
from mlflow import MlflowClient

from ml_project.errors import TrackingError
from ml_project.tracking.mlflow_tracking import MlflowTracker
from ml_project.tracking.records import DataRecord, RunRecord
from ml_project.tracking.tracker import open_tracker
from tests.tracking.conftest import RUN, START, make_config, make_trial


@pytest.fixture(params=["sqlite", "server"])
def tracking_uri(request: pytest.FixtureRequest) -> str:
    name = {"sqlite": "database_uri", "server": "server_uri"}[request.param]
    return str(request.getfixturevalue(name))


def only_run(uri: str, experiment: str = "ml_project"):
    client = MlflowClient(uri)
    experiment_id = client.get_experiment_by_name(experiment).experiment_id
    (run,) = client.search_runs([experiment_id], "tags.mlflow.source.type = 'LOCAL'")
    return client, run


def test_tracker_whole_run_is_recorded(tracking_uri: str, tmp_path: Path) -> None:
    plot = tmp_path / "plot.png"
    plot.write_bytes(b"png")
    reports = tmp_path / "reports"
    reports.mkdir()
    (reports / "model_card.md").write_text("card")
    kinds = {"age": "number", "name": "text"}
    data = DataRecord("people?password=secret", "postgresql://me:secret@db/x", "f" * 64, 1309, kinds)
    with open_tracker(make_config(tracking_uri, experiment="whole")) as tracker:
        tracker.start(RUN)
        tracker.log_data(data)
        tracker.log_metrics({"roc_auc": 0.8, "precision[>50K]": float("nan")}, part="test")
        tracker.log_metrics({"roc_auc": 0.9}, part="train")
        tracker.log_tags({"winner": "linear"})
        tracker.log_table(pd.DataFrame({"candidate": ["linear", "tree"], "mean": [0.8, None]}), "leaderboard")
        tracker.log_files([plot, reports], folder="evaluation")
        tracked = tracker.finish()
    client, run = only_run(tracking_uri, "whole")
    assert tracked.run_id == run.info.run_id
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "a run"
    assert run.data.params == {"splits.n_folds": "5", "compute.seed": "42"}
    assert run.data.metrics["test_roc_auc"] == 0.8
    assert run.data.metrics["train_roc_auc"] == 0.9
    assert "test_precision__50K_" in run.data.metrics
    assert run.data.tags["winner"] == "linear"
    assert run.data.tags["mlflow.source.git.commit"] == "abc123"
    assert run.data.tags["mlflow.source.git.dirty"] == "true"
    (dataset,) = [given.dataset for given in run.inputs.dataset_inputs]
    assert (dataset.name, dataset.digest) == ("people?password=***", "f" * 36)
    assert json.loads(dataset.source) == {"uri": "postgresql://***@db/x"}
    assert json.loads(dataset.profile)["num_rows"] == 1309
    config = client.download_artifacts(run.info.run_id, "config.yaml", str(tmp_path))
    assert yaml.safe_load(Path(config).read_text()) == dict(RUN.config)
    table = client.download_artifacts(run.info.run_id, "leaderboard.json", str(tmp_path))
    assert json.loads(Path(table).read_text())["columns"] == ["candidate", "mean"]
    stored = {file.path for file in client.list_artifacts(run.info.run_id, "evaluation")}
    assert stored == {"evaluation/plot.png", "evaluation/reports"}


def test_tracker_trials_become_nested_runs(tracking_uri: str) -> None:
    trials = [
        make_trial(0),
        make_trial(1, fold_scores=(0.5,), mean=0.5, state="pruned", reason="below the median"),
        make_trial(2, fold_scores=(), mean=None, state="failed", reason="ValueError: s3://k:v@host " + "x" * 9000),
    ]
    with open_tracker(make_config(tracking_uri, experiment="trials")) as tracker:
        tracker.start(RUN)
        tracker.log_trials("tree", trials)
        parent = tracker.finish().run_id
    client, _ = only_run(tracking_uri, "trials")
    experiment_id = client.get_experiment_by_name("trials").experiment_id
    runs = client.search_runs([experiment_id], f"tags.mlflow.parentRunId = '{parent}'")
    complete, pruned, failed = sorted(runs, key=lambda run: run.data.tags["trial"])
    assert [run.info.status for run in (complete, pruned, failed)] == ["FINISHED", "KILLED", "FAILED"]
    assert [run.data.tags["state"] for run in (complete, pruned, failed)] == ["complete", "pruned", "failed"]
    assert complete.info.run_name == "tree 0"
    assert complete.info.start_time == int(START.timestamp() * 1000)
    assert complete.info.end_time - complete.info.start_time == 2000
    assert complete.data.params == {"candidate": "tree", "depth": "3", "rate": "0.1", "kind": "gini", "none": "null"}
    assert complete.data.metrics["mean_score"] == 0.85
    assert complete.data.metrics["std_score"] == pytest.approx(0.0707, abs=1e-4)
    scores = client.get_metric_history(complete.info.run_id, "fold_score")
    assert [(score.step, score.value) for score in sorted(scores, key=lambda score: score.step)] == [(0, 0.8), (1, 0.9)]
    assert pruned.data.tags["reason"] == "below the median"
    assert "v@host" not in failed.data.tags["reason"]
    assert failed.data.tags["reason"].endswith("characters]")
    assert "mean_score" not in failed.data.metrics


def test_tracker_start_returns_before_mlflow_answers(database_uri: str) -> None:
    tracker = MlflowTracker(make_config(database_uri).tracking)
    gate = threading.Event()
    tracker._worker.submit(gate.wait)
    tracker.start(RUN)
    tracker.log_trials("tree", [make_trial()])
    gate.set()
    assert tracker.finish().run_id is not None


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt(), "KILLED"), (ValueError("no http://me:pw@host"), "FAILED")]
)
def test_tracker_block_that_ends_with_an_error_ends_the_run(database_uri: str, error, status) -> None:
    def interrupted() -> None:
        with open_tracker(make_config(database_uri)) as tracker:
            tracker.start(RUN)
            tracker.log_trials("tree", [make_trial()])
            raise error

    with pytest.raises(type(error)):
        interrupted()
    _, run = only_run(database_uri)
    assert run.info.status == status
    assert run.data.tags["reason"].startswith(type(error).__name__)
    assert "pw" not in run.data.tags["reason"]


def test_tracker_problem_while_writing_ends_every_run_and_is_raised(database_uri: str, tmp_path: Path) -> None:
    tracker = open_tracker(make_config(database_uri))
    tracker.start(RUN)
    tracker.log_trials("tree", [make_trial(0), make_trial(1, fold_scores=("no number",))])
    tracker.log_metrics({"dropped": 1.0}, part="test")
    with pytest.raises(TrackingError, match=r"recorded at sqlite.*could not convert string(.|\n)*lie on disk"):
        tracker.finish()
    client = MlflowClient(database_uri)
    experiment_id = client.get_experiment_by_name("ml_project").experiment_id
    runs = client.search_runs([experiment_id])
    assert sorted(run.info.status for run in runs) == ["FAILED", "FINISHED", "FINISHED"]
    parent = next(run for run in runs if "mlflow.parentRunId" not in run.data.tags)
    assert parent.data.tags["reason"].startswith("not fully recorded")


def test_tracker_error_of_the_block_is_not_hidden_by_one_of_the_record(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def failing() -> None:
        with open_tracker(make_config(f"sqlite:///{tmp_path}")) as tracker:
            tracker.start(RUN)
            raise ValueError("the real one")

    with pytest.raises(ValueError, match="the real one"):
        failing()
    assert "not fully recorded" in caplog.text


def test_tracker_locked_database_is_reported_with_what_to_do(
    database_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ml_project.tracking.connection.SECONDS_TO_ANSWER", 0.1)
    with closing(sqlite3.connect(database_uri.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        tracker = open_tracker(make_config(database_uri))
        tracker.start(RUN)
        tracker.log_trials("tree", [make_trial()])
        with pytest.raises(TrackingError, match=r"database is locked\. End the program that locks it"):
            tracker.finish()


def test_tracker_file_that_is_no_database_is_reported(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("no database, but long enough to be read as the head of one " * 5)
    tracker = open_tracker(make_config(f"sqlite:///{tmp_path / 'mlflow.db'}"))
    tracker.start(RUN)
    with pytest.raises(TrackingError, match="file is not a database"):
        tracker.finish()


def test_tracker_unreachable_server_is_reported_without_credentials() -> None:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        tracker = open_tracker(make_config(f"http://me:secret@127.0.0.1:{probe.getsockname()[1]}"))
        tracker.start(RUN)
        with pytest.raises(TrackingError, match="does not answer") as caught:
            tracker.finish()
    assert "secret" not in str(caught.value)


def test_tracker_server_that_refuses_the_host_name_says_how_to_allow_it(server_uri: str) -> None:
    tracker = open_tracker(make_config(server_uri.replace("127.0.0.1", "localhost")))
    tracker.start(RUN)
    with pytest.raises(TrackingError, match="--allowed-hosts localhost"):
        tracker.finish()


def test_tracker_deleted_experiment_says_how_to_restore_it(database_uri: str) -> None:
    client = MlflowClient(database_uri)
    client.delete_experiment(client.create_experiment("gone"))
    tracker = open_tracker(make_config(database_uri, experiment="gone"))
    tracker.start(RUN)
    with pytest.raises(TrackingError, match="mlflow experiments restore"):
        tracker.finish()


def test_tracker_moved_database_says_that_paths_are_absolute(database_uri: str, tmp_path: Path) -> None:
    first = tmp_path / "first"
    first.mkdir()
    shutil.move(tmp_path / "mlflow.db", first / "mlflow.db")
    with open_tracker(make_config(f"sqlite:///{first}/mlflow.db")) as tracker:
        tracker.start(RUN)
    first.rename(tmp_path / "second")
    tracker = open_tracker(make_config(f"sqlite:///{tmp_path}/second/mlflow.db"))
    tracker.start(RUN)
    with pytest.raises(TrackingError, match=r"first/mlruns, which does not exist(.|\n)*project was moved"):
        tracker.finish()


def test_tracker_finished_twice_returns_the_same(database_uri: str) -> None:
    tracker = open_tracker(make_config(database_uri))
    tracker.start(RUN)
    assert tracker.finish() == tracker.finish()


def test_tracker_many_and_long_parameters_are_all_recorded(database_uri: str) -> None:
    config = {f"p{number}": number for number in range(250)} | {"long": "x" * 7000}
    with open_tracker(make_config(database_uri)) as tracker:
        tracker.start(RunRecord("many", config))
    _, run = only_run(database_uri)
    assert len(run.data.params) == 251
    assert run.data.params["long"].endswith("[cut; 7000 characters]")


def test_tracker_log_before_start_is_refused(database_uri: str) -> None:
    tracker = open_tracker(make_config(database_uri))
    tracker.log_tags({"a": "b"})
    with pytest.raises(TrackingError, match="call the tracker's start first"):
        tracker.finish()


def test_tracker_database_that_does_not_answer_is_reported_without_credentials() -> None:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        tracker = open_tracker(make_config(f"postgresql+psycopg://me:secret@127.0.0.1:{probe.getsockname()[1]}/x"))
        tracker.start(RUN)
        with pytest.raises(TrackingError, match="cannot be used") as caught:
            tracker.finish()
    assert "secret" not in str(caught.value)


def test_tracker_without_mlflow_says_what_to_do(database_uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    tracker = open_tracker(make_config(database_uri))
    tracker.start(RUN)
    with pytest.raises(TrackingError, match="MLflow is not installed"):
        tracker.finish()
