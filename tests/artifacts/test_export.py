"""Exporting an artifact."""

import os
from pathlib import Path

import pytest

from ml_project.artifacts.export import MAX_REFERENCE_ROWS, store_metrics
from ml_project.artifacts.loading import load_artifact
from ml_project.errors import ArtifactError
from tests.artifacts.fitted import Fitted
from tests.example.features import FEATURE_PROCESSES


def test_export_artifact_replaces_an_old_one_and_leaves_nothing_else(linear: Fitted, tmp_path: Path):
    path = tmp_path / "model.zip"
    left_over = tmp_path / ".unfinished-model.zip-999999999-abc"
    path.write_bytes(b"old")
    left_over.write_bytes(b"of a killed run")
    linear.export(path)
    assert load_artifact(path, FEATURE_PROCESSES).manifest.name == "linear"
    assert list(tmp_path.iterdir()) == [path]


def test_export_artifact_of_a_running_process_keeps_its_temporary_file(linear: Fitted, tmp_path: Path):
    other = tmp_path / f".unfinished-model.zip-{os.getppid()}-abc"
    other.write_bytes(b"being written")
    linear.export(tmp_path / "model.zip")
    assert other.exists()


def test_export_artifact_does_not_change_the_estimator(linear: Fitted, tmp_path: Path):
    before = linear.estimator.predict_proba(linear.raw)
    steps = list(linear.estimator.steps)
    linear.export(tmp_path / "model.zip")
    assert linear.estimator.steps == steps
    assert (linear.estimator.predict_proba(linear.raw) == before).all()


def test_export_artifact_engine_onnx_names_it(linear: Fitted, tmp_path: Path):
    path = linear.export(tmp_path / "model.zip", config=linear.with_engine("onnx"))
    engine = load_artifact(path, FEATURE_PROCESSES).manifest.engine
    assert engine.name == "onnx"
    assert engine.max_difference < 1e-12
    assert engine.reason.startswith("reproduces the model on 262 rows")


def test_export_artifact_model_without_a_class_is_refused(linear: Fitted, tmp_path: Path):
    with pytest.raises(ArtifactError, match=r"without rows of the classes \['perhaps'\]"):
        linear.export(tmp_path / "model.zip", classes=("no", "yes", "perhaps"))


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://anna:p@w@host:5432/db", "postgresql://***@host:5432/db"),
        ("postgresql://host/db?user=anna&password=pw&ssl=on", "postgresql://host/db?user=anna&password=***&ssl=on"),
        ("s3://bucket/table.csv", "s3://bucket/table.csv"),
    ],
)
def test_export_artifact_has_no_secrets(linear: Fitted, tmp_path: Path, address: str, shown: str):
    data = linear.config.data.model_copy(update={"source": address, "storage_options": {"secret": "hidden"}})
    path = linear.export(tmp_path / "model.zip", config=linear.config.model_copy(update={"data": data}))
    stored = load_artifact(path, FEATURE_PROCESSES).manifest.config["data"]
    assert stored["source"] == shown
    assert b"hidden" not in path.read_bytes()


def test_export_artifact_reference_is_a_bounded_sample(linear: Fitted, tmp_path: Path):
    rows = linear.raw.sample(3 * MAX_REFERENCE_ROWS, replace=True, random_state=0)
    path = linear.export(tmp_path / "model.zip", training_raw=rows)
    assert len(load_artifact(path, FEATURE_PROCESSES).read_reference()) == MAX_REFERENCE_ROWS


def test_store_metrics_adds_them_and_keeps_model_and_version(onnx_artifact: Path, tmp_path: Path):
    path = tmp_path / "model.zip"
    path.write_bytes(onnx_artifact.read_bytes())
    before = load_artifact(path, FEATURE_PROCESSES)
    store_metrics(path, {"roc_auc": 0.86, "undefined": float("nan")})
    after = load_artifact(path, FEATURE_PROCESSES)
    assert after.manifest.metrics == {"roc_auc": 0.86, "undefined": None}
    assert after.model_version == before.model_version
    assert after.members == before.members
