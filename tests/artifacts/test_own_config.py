"""A config made of an artifact: what has to be there, and nothing of the machine that trained it."""

import json

import pytest

from ml_project.artifacts.container import read_container, write_container
from ml_project.artifacts.manifest import MANIFEST
from ml_project.artifacts.own_config import read_artifact_layer
from ml_project.config import LOCAL_PRODUCTION
from ml_project.config_sources import build_config, load_config
from ml_project.errors import ArtifactDamagedError, ArtifactError, ConfigError


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_read_artifact_layer_makes_a_config_that_serves(onnx_artifact, linear):
    config = build_config([read_artifact_layer(onnx_artifact)])
    assert config.switches == LOCAL_PRODUCTION
    assert config.data.target_column == linear.config.data.target_column
    assert config.features == linear.config.features
    assert config.monitoring.storage is None


def test_read_artifact_layer_leaves_the_trainings_machine_out(onnx_artifact, linear, tmp_path):
    members = read_container(onnx_artifact)
    manifest = json.loads(members[MANIFEST])
    manifest["config"] |= {"field_of_another_version": 1, "compute": {"n_processes": 512}, "serving": {"port": 9}}
    write_container(tmp_path / "other.zip", {**members, MANIFEST: json.dumps(manifest).encode()})
    config = build_config([read_artifact_layer(tmp_path / "other.zip")])
    assert (config.compute.n_processes, config.serving.port) == (None, 8000)
    assert config.data.source != linear.config.data.source


def test_read_artifact_layer_without_manifest_is_damaged(tmp_path):
    write_container(tmp_path / "model.zip", {"other": b""})
    with pytest.raises(ArtifactDamagedError, match=r"has no manifest\.json; export the model again"):
        read_artifact_layer(tmp_path / "model.zip")


def test_load_config_takes_from_the_artifact_what_is_left_out(onnx_artifact, elsewhere):
    config = load_config(
        options={"artifacts.path": str(onnx_artifact), "serving.port": "9000"},
        environment={"ML_PROJECT_MONITORING__STORAGE__URL": "sqlite:///here.db"},
        read_artifact=read_artifact_layer,
    )
    assert (config.serving.port, config.artifacts.path) == (9000, onnx_artifact)
    assert config.monitoring.storage.url == "sqlite:///here.db"
    assert config.switches == LOCAL_PRODUCTION


@pytest.mark.parametrize("place", ["environment", "file", "project"])
def test_load_config_finds_the_artifact_wherever_its_path_is_given(onnx_artifact, elsewhere, place):
    (elsewhere / "given.yaml").write_text(f"artifacts: {{path: {onnx_artifact}}}\n")
    sources = {
        "environment": {"environment": {"ML_PROJECT_ARTIFACTS__PATH": str(onnx_artifact)}},
        "file": {"config_file": elsewhere / "given.yaml"},
        "project": {"project_config_file": elsewhere / "given.yaml"},
    }
    assert load_config(**sources[place], read_artifact=read_artifact_layer).artifacts.path == onnx_artifact


def test_load_config_that_is_whole_does_not_ask_the_artifact(make_config, elsewhere):
    def fail(path):
        raise AssertionError(path)

    config = make_config("prediction")
    assert load_config(config, read_artifact=fail).data == config.data


def test_load_config_wrong_value_is_named_although_the_artifact_helps(onnx_artifact, elsewhere):
    options = {"artifacts.path": str(onnx_artifact), "serving.port": "70000", "serving.prt": "1"}
    with pytest.raises(ConfigError) as caught:
        load_config(options=options, read_artifact=read_artifact_layer)
    assert len(caught.value.problems) == 2
    assert "must be set" not in str(caught.value)


def test_load_config_without_artifact_says_where_it_was_looked_for(elsewhere):
    with pytest.raises(ArtifactError, match=r"There is no artifact at data/serialised_models/model\.zip"):
        load_config(read_artifact=read_artifact_layer)
