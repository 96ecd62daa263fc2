"""Tests of the MLflow model that holds the exported artifact."""

import shutil
import subprocess
import sys
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from imblearn.pipeline import Pipeline
from mlflow import MlflowClient
from sklearn.linear_model import LogisticRegression

from ml_project.artifacts.export import export_artifact
from ml_project.artifacts.loading import LoadedArtifact, load_artifact
from ml_project.config import Config
from ml_project.data.coercion import coerce
from ml_project.data.schema_reader import read_schema
from ml_project.errors import InvalidDataError
from ml_project.feature_engineering.engineering import FeatureEngineering
from ml_project.preprocessing.steps import build_preprocessing
from ml_project.tracking.records import ModelRecord, TrackedRun
from ml_project.tracking.tracker import open_tracker
from tests.example.features import FEATURE_PROCESSES
from tests.example.schema import RawData
from tests.tracking.conftest import RUN, make_config, make_score
from tests.workspace import EXAMPLE, REPOSITORY, TITANIC

COLUMNS = ("pclass", "sex", "age", "sibsp", "parch", "fare", "embarked")


@pytest.fixture(scope="module")
def raw() -> pd.DataFrame:
    return coerce(pd.read_parquet(TITANIC), read_schema(RawData), missing_values=("",))


@pytest.fixture(scope="module")
def artifact(raw: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> LoadedArtifact:
    schema = read_schema(RawData)
    config = Config(
        data={"source": str(TITANIC), "target_column": "survived", "id_column": "passenger_id"},
        features={"columns": COLUMNS, "processes": [process.name for process in FEATURE_PROCESSES]},
        artifacts={"engine": "native"},
    )
    features = FeatureEngineering(processes=FEATURE_PROCESSES, schema=schema, columns=COLUMNS)
    preprocessing = build_preprocessing(config.preprocessing, features.kinds, task="binary", seed=1)
    estimator = Pipeline([("features", features), *preprocessing, ("model", LogisticRegression(max_iter=1000))])
    path = tmp_path_factory.mktemp("artifact") / "model.zip"
    export_artifact(
        path=path,
        estimator=estimator.fit(raw, raw["survived"]),
        config=config,
        raw_schema=schema,
        task="binary",
        classes=(0, 1),
        training_raw=raw,
        comparison_raw=raw[:100],
        name="linear",
    )
    return load_artifact(path, FEATURE_PROCESSES)


def make_model(artifact: LoadedArtifact, raw: pd.DataFrame) -> ModelRecord:
    example = raw[list(artifact.pipeline.input_schema.names)].head(3)
    predictions = artifact.pipeline.predict(example)
    return ModelRecord(artifact.path, example, predictions, artifact.manifest.library_versions)


def track(config: Config, model: ModelRecord, **score: object) -> TrackedRun:
    with open_tracker(config) as tracker:
        tracker.start(RUN)
        tracker.log_model(model)
        tracker.register(make_score(**score))
        return tracker.finish()


@pytest.fixture(scope="module")
def tracked(
    artifact: LoadedArtifact, raw: pd.DataFrame, template_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, TrackedRun]:
    file = tmp_path_factory.mktemp("models") / "mlflow.db"
    file.write_bytes(template_database.read_bytes())
    return f"sqlite:///{file}", track(make_config(f"sqlite:///{file}"), make_model(artifact, raw))


@pytest.fixture
def model(tracked: tuple[str, TrackedRun], monkeypatch: pytest.MonkeyPatch):
    uri, _ = tracked
    monkeypatch.setattr(sys, "path", list(sys.path))
    previous = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    yield mlflow.pyfunc.load_model("models:/ml_project@champion")
    mlflow.set_tracking_uri(previous)


def test_pyfunc_model_same_numbers_as_the_pipeline(model, artifact, raw) -> None:
    pd.testing.assert_frame_equal(model.predict(raw), artifact.pipeline.predict(raw), check_exact=True)


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.head(1),
        lambda raw: raw.head(0),
        lambda raw: raw[list(raw.columns[::-1])],
        lambda raw: raw.assign(age=30, fare=7),
        lambda raw: raw.assign(cabin=None, embarked=None, age=None),
        lambda raw: raw.assign(pclass=raw["pclass"].astype("float64"), sibsp=raw["sibsp"].astype("Int64")),
        lambda raw: raw.assign(pclass=raw["pclass"].astype("str"), fare=raw["fare"].astype(object)),
        lambda raw: raw.set_index("passenger_id"),
    ],
    ids=["one row", "empty", "shuffled", "whole numbers", "all null", "other numbers", "texts", "other index"],
)
def test_pyfunc_model_dtypes_that_may_come_give_the_pipelines_numbers(model, artifact, raw, change) -> None:
    given = change(raw.head(20))
    coerced = coerce(given, artifact.pipeline.input_schema, missing_values=artifact.pipeline.missing_values)
    pd.testing.assert_frame_equal(model.predict(given), artifact.pipeline.predict(coerced), check_exact=True)


def test_pyfunc_model_unusable_value_names_column_and_row(model, raw) -> None:
    with pytest.raises(InvalidDataError, match="age = 'old'"):
        model.predict(raw.head(2).astype({"age": object}).assign(age=["old", 3]))


def test_pyfunc_model_has_signature_example_and_requirements(model, raw) -> None:
    assert model.metadata.get_input_schema().input_names() == [
        name for name in raw.columns if name in {*COLUMNS, "name", "cabin"}
    ]
    outputs = model.metadata.get_output_schema().to_dict()
    assert [(column["name"], column["type"]) for column in outputs] == [
        ("label", "long"),
        ("proba_0", "double"),
        ("proba_1", "double"),
    ]
    example = model.input_example
    assert len(example) == 3
    folder = Path(model._model_impl.context.artifacts["exported_model"]).parents[1]
    requirements = (folder / "requirements.txt").read_text().split()
    assert {text.split("==")[0] for text in requirements} >= {"mlflow", "scikit-learn", "skops", "pydantic", "pandas"}
    assert not list(folder.rglob("*.pkl"))
    assert not list(folder.rglob("__pycache__/ml_project*"))
    assert len(model.predict(example)) == 3


def test_pyfunc_model_in_a_new_process_elsewhere_predicts_with_its_own_code(tracked, artifact, raw, tmp_path) -> None:
    uri, run = tracked
    raw.head(50).to_parquet(tmp_path / "raw.parquet")
    shutil.copytree(EXAMPLE, tmp_path / "tests" / "example")  # the user's part, which is no code of ml_project here
    code = f"""
import sys
sys.path = [place for place in sys.path if place != {str(REPOSITORY)!r}]
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in str(finder).lower()]
import mlflow, pandas as pd
mlflow.set_tracking_uri({uri!r})
model = mlflow.pyfunc.load_model({run.model_uri!r})
model.predict(pd.read_parquet("raw.parquet")).to_parquet("predictions.parquet")
import ml_project
print(ml_project.__file__)
"""
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "code/ml_project" in result.stdout.replace("\\", "/")
    predictions = pd.read_parquet(tmp_path / "predictions.parquet")
    pd.testing.assert_frame_equal(predictions, artifact.pipeline.predict(raw.head(50)), check_exact=True)


def test_pyfunc_model_of_a_server_predicts_the_same(server_uri, artifact, raw, monkeypatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    run = track(make_config(server_uri, experiment="models"), make_model(artifact, raw))
    previous = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(server_uri)
    try:
        model = mlflow.pyfunc.load_model("models:/ml_project@challenger")
    finally:
        mlflow.set_tracking_uri(previous)
    pd.testing.assert_frame_equal(model.predict(raw), artifact.pipeline.predict(raw), check_exact=True)
    assert run.registration.alias == "champion"


def test_register_versions_take_aliases_by_rule(tracked, artifact, raw) -> None:
    uri, first = tracked
    model = make_model(artifact, raw)
    assert (first.registration.version, first.registration.alias) == ("1", "champion")
    worse = track(make_config(uri), model, value=0.7).registration
    other = track(make_config(uri), model, value=0.9, data_fingerprint="x").registration
    better = track(make_config(uri), model, value=0.9).registration
    never = track(make_config(uri, champion_rule="never"), model, value=0.95).registration
    aliases = [new.alias for new in (worse, other, better, never)]
    assert aliases == ["challenger", "challenger", "champion", "challenger"]
    assert "not better" in worse.reason
    assert "other data" in other.reason
    assert "(champion so far: version 1)" in better.reason
    client = MlflowClient(uri)
    aliases = {alias: str(version) for alias, version in client.get_registered_model("ml_project").aliases.items()}
    assert aliases == {"champion": "4", "challenger": "5"}
    assert client.get_model_version("ml_project", "4").tags["ranking_score"] == "0.9"
    assert client.get_run(first.run_id).outputs.model_outputs[0].model_id == first.model_uri.removeprefix("models:/")


def test_register_without_a_name_registers_nothing(database_uri, artifact, raw) -> None:
    run = track(make_config(database_uri, registered_model=None), make_model(artifact, raw))
    assert run.registration is None
    assert run.model_uri is not None


def test_log_model_missing_artifact_fails_the_model_and_is_reported(database_uri, artifact, raw, tmp_path) -> None:
    gone = ModelRecord(tmp_path / "gone.zip", raw.head(1), artifact.pipeline.predict(raw.head(1)), {})
    with pytest.raises(Exception, match=r"not fully recorded(.|\n)*gone\.zip"):
        track(make_config(database_uri), gone)
    client = MlflowClient(database_uri)
    experiment_id = client.get_experiment_by_name("ml_project").experiment_id
    (stored,) = client.search_logged_models([experiment_id])
    assert stored.status.value == "FAILED"
