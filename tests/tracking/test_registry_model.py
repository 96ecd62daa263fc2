"""Exported models copied from a registry: by alias and by version, and what is said when that cannot be."""

import json
import shutil
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import mlflow.sklearn
import pytest
from mlflow import MlflowClient
from sklearn.linear_model import LogisticRegression

from ml_project.artifacts.container import read_container, write_container
from ml_project.artifacts.loading import load_artifact
from ml_project.errors import ArtifactDamagedError, ArtifactError, ArtifactIncompatibleError, TrackingError
from ml_project.tracking.registry_model import ModelRegistry, RegisteredVersion, fetch_registry_model
from tests.artifacts.fitted import fit
from tests.example.features import FEATURE_PROCESSES
from tests.tracking.registered import NAME, connect_to, register, stored_file

CHAMPION = f"models:/{NAME}@champion"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("exported")
    first, second = (fit(name).export(folder / f"{name}.zip") for name in ("linear", "decision_tree"))
    return first, second


@pytest.fixture(scope="module")
def database(exported: tuple[Path, Path], template_database: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A registry with two versions, the first being champion and the second challenger, in a folder with a blank."""
    folder = tmp_path_factory.mktemp("a registry")
    shutil.copy(template_database, folder / "mlflow.db")
    return with_versions(f"sqlite:///{folder}/mlflow.db", exported)


@pytest.fixture(scope="module")
def server(exported: tuple[Path, Path], server_uri: str) -> str:
    return with_versions(server_uri, exported)


def with_versions(uri: str, exported: tuple[Path, Path]) -> str:
    assert [register(uri, path) for path in exported] == ["1", "2"]
    return uri


@pytest.fixture(params=["database", "server"])
def uri(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def changeable(exported: tuple[Path, Path], database_uri: str) -> str:
    """A registry with one version, for this test alone."""
    register(database_uri, exported[0])
    return database_uri


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "model.zip"


@pytest.mark.parametrize(
    ("address", "version"),
    [(CHAMPION, "1"), (f"models:/{NAME}@challenger", "2"), (f"models:/{NAME}/1", "1"), (f"models:/{NAME}/2", "2")],
)
def test_fetch_known_address_is_the_exported_file(
    uri: str, exported: tuple[Path, Path], destination: Path, address: str, version: str
) -> None:
    assert fetch_registry_model(address, uri, destination) == version
    assert destination.read_bytes() == exported[int(version) - 1].read_bytes()
    assert load_artifact(destination, FEATURE_PROCESSES).pipeline
    assert [file.name for file in destination.parent.iterdir()] == ["model.zip"]


def test_find_alias_that_moves_is_the_new_version(changeable: str, exported: tuple[Path, Path]) -> None:
    registry = ModelRegistry(changeable)
    assert registry.find(CHAMPION) == RegisteredVersion(NAME, "1")
    register(changeable, exported[1])
    assert registry.find(CHAMPION) == RegisteredVersion(NAME, "1")
    connect_to(changeable).set_registered_model_alias(NAME, "champion", "2")
    assert registry.find(CHAMPION) == RegisteredVersion(NAME, "2")


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("models:/titanik@champion", r"no model 'titanik'; registered are, the closest first: titanic[.,] "),
        ("models:/titanik/1", r"no model 'titanik'; registered are, the closest first: titanic[.,] "),
        (f"models:/{NAME}@best", r"no alias 'best'; its aliases are challenger \(version 2\), champion \(version 1\)"),
        (f"models:/{NAME}/7", r"no version 7; its newest versions are 2, 1\. "),
    ],
)
def test_find_unknown_name_says_what_is_known(uri: str, address: str, problem: str) -> None:
    with pytest.raises(TrackingError, match=problem):
        ModelRegistry(uri).find(address)


def test_find_unknown_model_lists_the_closest_names_first(database_uri: str) -> None:
    client = connect_to(database_uri)
    for name in ("churn", "titanic-2", "a", "b", "c", "d", "e"):
        client.create_registered_model(name)
    with pytest.raises(TrackingError, match=r"the closest first: titanic-2, (\w+, ){3}\w+\. "):
        ModelRegistry(database_uri).find(CHAMPION)


def test_find_in_an_empty_registry_says_that_none_is_registered(database_uri: str) -> None:
    with pytest.raises(TrackingError, match="no model 'titanic'; none is registered"):
        ModelRegistry(database_uri).find(CHAMPION)


def test_find_model_without_versions_says_so(database_uri: str) -> None:
    connect_to(database_uri).create_registered_model(NAME)
    with pytest.raises(TrackingError, match="no alias 'champion'; it has none"):
        ModelRegistry(database_uri).find(CHAMPION)
    with pytest.raises(TrackingError, match="no version 1; it has none"):
        ModelRegistry(database_uri).find(f"models:/{NAME}/1")


def test_find_version_that_is_not_registered_yet_says_to_wait(changeable: str) -> None:
    with closing(sqlite3.connect(changeable.removeprefix("sqlite:///"))) as database:
        database.execute("UPDATE model_versions SET status = 'PENDING_REGISTRATION'")
        database.commit()
    with pytest.raises(TrackingError, match=r"Version 1 of the model 'titanic' .* not ready but PENDING_REGISTRATION"):
        ModelRegistry(changeable).find(CHAMPION)


def test_find_no_address_shows_the_forms(database: str) -> None:
    with pytest.raises(TrackingError, match=r"serving\.model is 'model\.zip', but must be models:/NAME@ALIAS or"):
        ModelRegistry(database).find("model.zip")


def test_find_server_that_does_not_answer_is_told_without_credentials() -> None:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        uri = f"http://me:secret@127.0.0.1:{probe.getsockname()[1]}"
        with pytest.raises(TrackingError, match="does not answer") as caught:
            ModelRegistry(uri).find(CHAMPION)
    assert "secret" not in str(caught.value)


def test_find_database_that_does_not_exist_is_told_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(TrackingError, match=r"There is no registry at sqlite:///.*/mlflow\.db; train with"):
        ModelRegistry(f"sqlite:///{tmp_path}/mlflow.db").find(CHAMPION)
    assert list(tmp_path.iterdir()) == []


def test_find_after_a_failure_connects_again(changeable: str, tmp_path: Path) -> None:
    registry = ModelRegistry(changeable)
    assert registry.find(CHAMPION).version == "1"
    database, content = tmp_path / "mlflow.db", (tmp_path / "mlflow.db").read_bytes()
    database.write_bytes(b"no database" * 1000)
    with pytest.raises(TrackingError, match=r"cannot be read: .*Check that it runs"):
        registry.find(CHAMPION)
    database.write_bytes(content)
    assert registry.find(CHAMPION).version == "1"


def truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1000])


def other_format(file: Path) -> None:
    members = read_container(file)
    manifest = json.loads(members["manifest.json"]) | {"format_version": 99}
    write_container(file, members | {"manifest.json": json.dumps(manifest).encode()})


def without_manifest(file: Path) -> None:
    members = read_container(file)
    del members["manifest.json"]
    write_container(file, members)


def gone(file: Path) -> None:
    file.unlink()


@pytest.mark.parametrize(
    ("change", "error", "problem"),
    [
        (truncated, ArtifactDamagedError, r"in version 1 of the model 'titanic' at sqlite.* is truncated"),
        (other_format, ArtifactIncompatibleError, "has artifact format 99"),
        (without_manifest, ArtifactDamagedError, r"has no manifest\.json"),
        (gone, TrackingError, "cannot be read"),
    ],
)
def test_fetch_unusable_model_leaves_the_file_that_was_there(
    changeable: str, destination: Path, change: Callable[[Path], None], error: type[Exception], problem: str
) -> None:
    destination.parent.mkdir()
    destination.write_text("the model before")
    change(stored_file(changeable, "1"))
    with pytest.raises(error, match=problem):
        fetch_registry_model(CHAMPION, changeable, destination)
    assert destination.read_text() == "the model before"
    assert [file.name for file in destination.parent.iterdir()] == ["model.zip"]


def test_fetch_model_of_another_program_says_that_there_is_no_exported_model(
    database_uri: str, tmp_path: Path, destination: Path
) -> None:
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    settings = {"pip_requirements": ["scikit-learn"], "serialization_format": "skops"}
    mlflow.sklearn.save_model(model, tmp_path / "other", **settings)
    client: MlflowClient = connect_to(database_uri)
    client.create_registered_model(NAME)
    client.create_model_version(NAME, (tmp_path / "other").as_uri())
    with pytest.raises(ArtifactError, match="no exported model of this project in version 1 of the model 'titanic'"):
        fetch_registry_model(f"models:/{NAME}/1", database_uri, destination)
    assert not destination.exists()


def test_fetch_to_a_place_that_cannot_be_written_says_so(database: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ArtifactError, match=r"file/model\.zip cannot be written"):
        fetch_registry_model(CHAMPION, database, tmp_path / "file" / "model.zip")
