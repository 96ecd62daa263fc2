"""Exported models in a registry, put there as a training does, for the tests of what reads them."""

from pathlib import Path

from mlflow import MlflowClient

from ml_project.artifacts.loading import load_artifact
from ml_project.tracking.connection import connect, prepare_mlflow
from ml_project.tracking.model_files import log_exported_model
from ml_project.tracking.places import find_place
from ml_project.tracking.records import ModelRecord
from ml_project.tracking.registration import register_version
from tests.artifacts.fitted import titanic
from tests.example.features import FEATURE_PROCESSES
from tests.tracking.conftest import make_score

NAME = "titanic"


def connect_to(uri: str) -> MlflowClient:
    prepare_mlflow()
    return connect(find_place(uri))


def register(uri: str, artifact: Path) -> str:
    """Register an exported model as the newest version, which becomes champion only where there is none."""
    client, root = connect_to(uri), find_place(uri).artifact_root
    experiment = client.get_experiment_by_name("registered")
    experiment_id = experiment.experiment_id if experiment else client.create_experiment(
        "registered", artifact_location=None if root is None else root.as_uri()
    )  # fmt: skip
    loaded = load_artifact(artifact, FEATURE_PROCESSES)
    example = titanic()[list(loaded.pipeline.input_schema.names)].head(3)
    record = ModelRecord(artifact, example, loaded.pipeline.predict(example), loaded.manifest.library_versions)
    run_id = client.create_run(experiment_id).info.run_id
    logged = log_exported_model(client, experiment_id, run_id, record)
    return register_version(client, NAME, logged, make_score(), "first").version


def stored_file(uri: str, version: str) -> Path:
    """Return where a database's registry keeps the exported model of a version."""
    source = connect_to(uri).get_model_version(NAME, version).source
    (file,) = Path(source.removeprefix("file://")).glob("artifacts/*.zip")
    return file
