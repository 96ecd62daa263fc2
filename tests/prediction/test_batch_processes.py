"""Scoring in several processes: the same as in one, and able to bear the death of a worker."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from ml_project.config import Config
from ml_project.errors import ArtifactError, InvalidDataError, MlProjectError
from ml_project.prediction import batch_run, batch_workers
from ml_project.prediction.batch import score_table
from ml_project.prediction.batch_parts import parts_path
from tests.artifacts.fitted import TITANIC, Fitted, titanic
from tests.prediction.loading import load, load_another, load_or_die
from tests.prediction.test_batch import config_for, damaged


@pytest.fixture(autouse=True)
def _no_table_is_small(monkeypatch):
    monkeypatch.setattr(batch_run, "SMALL_TABLE_ROWS", 0)


def with_processes(config: Config, n_processes: int) -> Config:
    return config.model_copy(update={"compute": config.compute.model_copy(update={"n_processes": n_processes})})


def test_score_table_in_processes_is_the_same_as_in_one(artifact, forest: Fitted, tmp_path: Path):
    wrong = {(row, "age"): "old" for row in range(0, 1300, 100)}
    damaged(titanic(), wrong).to_csv(tmp_path / "in.csv", index=False)
    results = []
    for name, processes in (("one", 1), ("two", 2)):
        output = tmp_path / name / "out.csv"
        config = config_for(forest, tmp_path / "in.csv", output, chunk_rows=100, invalid_rows="set_aside")
        results.append(score_table(artifact, with_processes(config, processes), partial(load, artifact.path)))
    one, two = results
    for path, other in zip(one.paths.values(), two.paths.values(), strict=True):
        assert path.read_bytes() == other.read_bytes()
    assert (one.n_rows, one.n_rejected, one.warnings) == (two.n_rows, two.n_rejected, two.warnings)
    pd.testing.assert_series_equal(one.sample.y_true, two.sample.y_true)
    assert one.sample.outputs.tolist() == two.sample.outputs.tolist()


def test_score_table_in_processes_refuses_all_bad_rows(artifact, forest: Fitted, tmp_path: Path):
    wrong = {(row, "age"): "old" for row in range(0, 1300, 50)}
    damaged(titanic(), wrong).to_csv(tmp_path / "in.csv", index=False)
    config = with_processes(config_for(forest, tmp_path / "in.csv", tmp_path / "out.csv", chunk_rows=100), 2)
    with pytest.raises(InvalidDataError, match="26 rows break the schema"):
        score_table(artifact, config, partial(load, artifact.path))
    assert [entry.name for entry in tmp_path.iterdir()] == ["in.csv"]


def test_score_table_worker_killed_loses_nothing(artifact, forest: Fitted, tmp_path: Path):
    config = with_processes(config_for(forest, TITANIC, tmp_path / "out.csv", chunk_rows=100), 2)
    score_table(artifact, config, partial(load_or_die, artifact.path, tmp_path, 2))
    written = pd.read_csv(tmp_path / "out.csv", float_precision="round_trip")
    expected = pd.concat([titanic()["passenger_id"], artifact.pipeline.predict(titanic())], axis="columns")
    pd.testing.assert_frame_equal(written, expected, check_exact=True)
    assert len(list(tmp_path.glob("death *"))) == 2


def test_score_table_workers_killed_again_and_again_says_why(artifact, forest: Fitted, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(batch_workers, "MAX_DEATHS", 1)
    config = with_processes(config_for(forest, TITANIC, tmp_path / "out.csv", chunk_rows=100), 2)
    with pytest.raises(MlProjectError, match=r"were killed 2 times in a row, at rows from 0 on, .* memory"):
        score_table(artifact, config, partial(load_or_die, artifact.path, tmp_path, 100))
    assert not (tmp_path / "out.csv").exists()
    assert not parts_path(tmp_path / "out.csv").exists()


def test_score_table_model_exchanged_meanwhile_is_refused(artifact, forest: Fitted, tmp_path: Path):
    config = with_processes(config_for(forest, TITANIC, tmp_path / "out.csv"), 2)
    with pytest.raises(ArtifactError, match=f"version {artifact.model_version} became another"):
        score_table(artifact, config, partial(load_another, artifact.path))
    assert not (tmp_path / "out.csv").exists()
