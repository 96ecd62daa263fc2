"""Loading an artifact, or being told what is wrong with it."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ml_project.artifacts.container import read_container, write_container
from ml_project.artifacts.loading import load_artifact
from ml_project.errors import ArtifactDamagedError, ArtifactError, ArtifactIncompatibleError
from ml_project.feature_engineering.ready_made import Sum
from tests.artifacts.fitted import Fitted, records_of
from tests.example.features import FEATURE_PROCESSES

HEAVY = {
    "mlflow", "optuna", "shap", "matplotlib", "pandera", "imblearn", "sqlalchemy", "skl2onnx", "evidently", "boto3",
    "xgboost", "lightgbm", "catboost", "onnx", "fsspec", "rich", "jinja2",
}  # fmt: skip
TABLES_AND_MODELS = {"pandas", "pyarrow", "sklearn", "scipy", "joblib", "skops"}


def rewrite(path: Path, target: Path, manifest: dict[str, Any] | None = None, **members: bytes | None) -> Path:
    """Write a changed artifact with fitting hashes of the file; ``None`` removes a member."""
    contents: dict[str, bytes | None] = dict(read_container(path))
    changed = {**json.loads(contents["manifest.json"] or b""), **(manifest or {})}
    contents |= {name.replace("__", "."): content for name, content in members.items()}
    contents["manifest.json"] = json.dumps(changed).encode()
    write_container(target, {name: content for name, content in contents.items() if content is not None})
    return target


@pytest.mark.parametrize("engine", ["native", "onnx"])
def test_load_artifact_predicts_what_the_estimator_does(engine: str, request, linear: Fitted):
    artifact = load_artifact(request.getfixturevalue(f"{engine}_artifact"), FEATURE_PROCESSES)
    predictions = artifact.pipeline.predict(linear.raw)
    wanted = linear.estimator.predict_proba(linear.raw)
    assert artifact.manifest.engine.name == artifact.pipeline.engine.name == engine
    assert predictions["proba_1"].to_numpy() == pytest.approx(wanted[:, 1], abs=1e-12)


def test_load_artifact_has_what_a_server_needs(onnx_artifact: Path, linear: Fitted):
    artifact = load_artifact(onnx_artifact, FEATURE_PROCESSES)
    manifest, reference = artifact.manifest, artifact.read_reference()
    assert artifact.model_version == manifest.version
    assert len(artifact.model_version) == 12
    assert (manifest.name, manifest.task, manifest.classes, manifest.positive_class) == ("linear", "binary", (0, 1), 1)
    assert set(artifact.pipeline.predict_record(artifact.example)["probas"]) == {"0", "1"}
    assert len(reference) == len(linear.training_rows)
    assert (reference.dtypes == linear.raw.dtypes).all()
    assert set(manifest.input_schema["properties"]) == set(artifact.pipeline.input_schema.names)
    assert manifest.config == linear.config.model_dump(mode="json")
    assert artifact.notes == ()


def test_load_artifact_finds_outliers_of_the_training(onnx_artifact: Path, linear: Fitted):
    artifact = load_artifact(onnx_artifact, FEATURE_PROCESSES)
    records = records_of(linear.raw.iloc[linear.training_rows])
    training = artifact.pipeline.score_records(records)
    assert set(artifact.outlier_check.find(training.records)) == {()}
    older = artifact.pipeline.score_records([{**records[0], "age": 119, "fare": 999.0}])
    assert artifact.outlier_check.find(older.records) == [("age", "fare")]


def test_load_artifact_damaged_at_any_place_is_refused(native_artifact: Path, tmp_path: Path):
    content, damaged = native_artifact.read_bytes(), tmp_path / "model.zip"
    for position in range(0, len(content), len(content) // 150):
        flipped = bytearray(content)
        flipped[position] ^= 1
        damaged.write_bytes(flipped)
        with pytest.raises(ArtifactDamagedError):
            load_artifact(damaged, FEATURE_PROCESSES)
        damaged.write_bytes(content[:position])
        with pytest.raises(ArtifactDamagedError):
            load_artifact(damaged, FEATURE_PROCESSES)


@pytest.mark.parametrize("member", ["model.skops", "reference.parquet", "example.json"])
def test_load_artifact_member_missing_is_named(native_artifact: Path, tmp_path: Path, member: str):
    changed = rewrite(native_artifact, tmp_path / "model.zip", **{member.replace(".", "__"): None})
    with pytest.raises(ArtifactDamagedError, match=f"{member}: the member is missing"):
        load_artifact(changed, FEATURE_PROCESSES)


def test_load_artifact_manifest_missing_is_named(tmp_path: Path):
    write_container(tmp_path / "model.zip", {"model.skops": b""})
    with pytest.raises(ArtifactDamagedError, match=r"no manifest\.json"):
        load_artifact(tmp_path / "model.zip", FEATURE_PROCESSES)


@pytest.mark.parametrize("name", ["extra__txt", "../../escape__sh"])
def test_load_artifact_unknown_member_is_refused(native_artifact: Path, tmp_path: Path, name: str):
    changed = rewrite(native_artifact, tmp_path / "model.zip", **{name: b"x"})
    with pytest.raises(ArtifactDamagedError, match="no such member is expected"):
        load_artifact(changed, FEATURE_PROCESSES)


def test_load_artifact_unknown_member_is_refused_even_when_listed(native_artifact: Path, tmp_path: Path):
    listed = json.loads(read_container(native_artifact)["manifest.json"])["members"]
    members = {**listed, "extra.txt": hashlib.sha256(b"x").hexdigest()}
    changed = rewrite(native_artifact, tmp_path / "model.zip", {"members": members}, extra__txt=b"x")
    with pytest.raises(ArtifactDamagedError, match=r"extra\.txt.*no such member"):
        load_artifact(changed, FEATURE_PROCESSES)


def test_load_artifact_exchanged_member_is_refused(native_artifact: Path, tmp_path: Path):
    changed = rewrite(native_artifact, tmp_path / "model.zip", example__json=b"{}")
    with pytest.raises(ArtifactDamagedError, match=r"example\.json.*sha256"):
        load_artifact(changed, FEATURE_PROCESSES)


@pytest.mark.parametrize("version", [0, 1, "2", None])
def test_load_artifact_other_format_is_refused(native_artifact: Path, tmp_path: Path, version: object):
    changed = rewrite(native_artifact, tmp_path / "model.zip", {"format_version": version})
    with pytest.raises(ArtifactIncompatibleError, match=f"format {version!r}.* reads format 2"):
        load_artifact(changed, FEATURE_PROCESSES)


def test_load_artifact_manifest_without_a_field_is_refused(native_artifact: Path, tmp_path: Path):
    changed = rewrite(native_artifact, tmp_path / "model.zip", {"task": "clustering"})
    with pytest.raises(ArtifactDamagedError, match="not valid: task"):
        load_artifact(changed, FEATURE_PROCESSES)


def test_load_artifact_native_of_other_scikit_learn_is_refused(native_artifact: Path, tmp_path: Path):
    changed = rewrite(native_artifact, tmp_path / "model.zip", {"library_versions": {"sklearn": "0.24.1"}})
    with pytest.raises(ArtifactIncompatibleError, match=r"sklearn = '\d.*version 0\.24 is needed"):
        load_artifact(changed, FEATURE_PROCESSES)


def test_load_artifact_onnx_of_other_scikit_learn_is_fine(onnx_artifact: Path, tmp_path: Path):
    changed = rewrite(onnx_artifact, tmp_path / "model.zip", {"library_versions": {"sklearn": "0.24.1"}})
    assert load_artifact(changed, FEATURE_PROCESSES).manifest.engine.name == "onnx"


def test_load_artifact_onnx_of_newer_runtime_is_refused(onnx_artifact: Path, tmp_path: Path):
    changed = rewrite(onnx_artifact, tmp_path / "model.zip", {"library_versions": {"onnxruntime": "1.999.0"}})
    with pytest.raises(ArtifactIncompatibleError, match=r"version 1\.999 or a later minor version is needed"):
        load_artifact(changed, FEATURE_PROCESSES)


def test_load_artifact_native_without_the_models_library_is_refused(native_artifact: Path, tmp_path: Path):
    versions = {"no_such_boosting": "1.2.3"}
    manifest = {"library_versions": versions, "model_packages": ["no_such_boosting"]}
    changed = rewrite(native_artifact, tmp_path / "model.zip", manifest)
    with pytest.raises(ArtifactIncompatibleError, match=r"no_such_boosting: is not installed.*1\.2\.3"):
        load_artifact(changed, FEATURE_PROCESSES)


def test_load_artifact_of_other_python_is_noted(native_artifact: Path, tmp_path: Path):
    changed = rewrite(native_artifact, tmp_path / "model.zip", {"python": "3.1.4"})
    assert load_artifact(changed, FEATURE_PROCESSES).notes[0].startswith("exported with Python 3.1.4, used with 3.")


def test_load_artifact_unknown_process_is_named(native_artifact: Path):
    with pytest.raises(ArtifactIncompatibleError, match=r"features\.py; restore.*\n  - relatives_aboard: is"):
        load_artifact(native_artifact, FEATURE_PROCESSES[1:])


def test_load_artifact_changed_process_is_named(native_artifact: Path):
    changed = Sum("relatives_aboard", columns=("sibsp", "sibsp"))
    with pytest.raises(ArtifactIncompatibleError, match="relatives_aboard: its code or parameters have changed"):
        load_artifact(native_artifact, (changed, *FEATURE_PROCESSES[1:]))


def test_load_artifact_untrusted_type_is_refused(native_artifact: Path, tmp_path: Path):
    import skops.io

    model = skops.io.dumps({"run": subprocess.Popen})
    members = json.loads(read_container(native_artifact)["manifest.json"])["members"]
    manifest = {"members": {**members, "model.skops": hashlib.sha256(model).hexdigest()}}
    changed = rewrite(native_artifact, tmp_path / "model.zip", manifest, model__skops=model)
    with pytest.raises(ArtifactError, match=r"not trusted: subprocess\.Popen"):
        load_artifact(changed, FEATURE_PROCESSES)


def test_importing_prediction_imports_nothing_heavy():
    code = "import ml_project.prediction.pipeline, ml_project.artifacts.loading, sys; print(*sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert not HEAVY & {name.split(".")[0] for name in printed.split()}


def test_predicting_with_onnx_imports_nothing_heavy(onnx_artifact: Path):
    code = (
        "import sys; from ml_project.artifacts.loading import load_artifact;"
        "from ml_project.project_package import load_feature_processes;"
        f"artifact = load_artifact({str(onnx_artifact)!r}, load_feature_processes());"
        "artifact.pipeline.predict_record(artifact.example);"
        "print(*sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert not (HEAVY | TABLES_AND_MODELS) & {name.split(".")[0] for name in printed.split()}


def test_load_artifact_one_row_and_batch_are_the_same_to_the_last_bit(onnx_artifact: Path, linear: Fitted):
    pipeline = load_artifact(onnx_artifact, FEATURE_PROCESSES).pipeline
    records = records_of(linear.raw.drop(columns="survived"))
    batch = pipeline.predict_records(records)
    assert [pipeline.predict_record(record) for record in records] == batch
    frame = pipeline.predict(linear.raw)
    assert [prediction["probas"]["1"] for prediction in batch] == frame["proba_1"].tolist()
    assert [prediction["label"] for prediction in batch] == frame["label"].tolist()


def test_read_reference_returns_raw_data(native_artifact: Path):
    reference = load_artifact(native_artifact, FEATURE_PROCESSES).read_reference()
    assert isinstance(reference, pd.DataFrame)
    assert reference["cabin"].isna().any()
