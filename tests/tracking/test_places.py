"""Tests of ml_project.tracking.places."""

import doctest
from pathlib import Path

import pytest

from ml_project.errors import TrackingError
from ml_project.tracking import places
from ml_project.tracking.places import find_place


def test_examples_hold() -> None:
    assert doctest.testmod(places).failed == 0


def test_find_place_relative_sqlite_is_absolute_with_artifacts_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    place = find_place("sqlite:///sub/mlflow.db?timeout=3")
    assert place.uri == f"sqlite:///{tmp_path}/sub/mlflow.db?timeout=3"
    assert place.database_file == tmp_path / "sub" / "mlflow.db"
    assert place.artifact_root == tmp_path / "sub" / "mlruns"


def test_find_place_server_decides_its_artifacts() -> None:
    place = find_place("https://me:secret@tracking.example/")
    assert place.uri == "https://me:secret@tracking.example"
    assert (place.database_file, place.artifact_root) == (None, None)
    assert "secret" not in place.shown


def test_find_place_other_database_has_artifacts_in_the_working_directory() -> None:
    place = find_place("postgresql+psycopg://me:secret@db/mlflow")
    assert place.artifact_root == Path.cwd() / "mlruns"
    assert place.shown == "postgresql+psycopg://***@db/mlflow"


@pytest.mark.parametrize("uri", ["mlruns", "", "file:///tmp/mlruns", "ftp://host"])
def test_find_place_unusable_address_names_the_ones_that_work(uri: str) -> None:
    with pytest.raises(TrackingError, match=r"neither a database nor a server; give for instance sqlite:///mlflow\.db"):
        find_place(uri)


@pytest.mark.parametrize("uri", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://mlflow.db"])
def test_find_place_sqlite_without_file_is_refused(uri: str) -> None:
    with pytest.raises(TrackingError, match="which names no file"):
        find_place(uri)
