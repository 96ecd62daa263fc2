"""Scoring that is interrupted, killed or started twice: no row is lost or doubled."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pandas as pd
import pytest

from ml_project.artifacts.loading import LoadedArtifact
from ml_project.errors import DataSourceError, InvalidDataError, MlProjectError
from ml_project.prediction import batch_run
from ml_project.prediction.batch import score_table
from ml_project.prediction.batch_chunk import ChunkScorer
from ml_project.prediction.batch_parts import ChunkSummary, PartsFolder, parts_path
from tests.artifacts.fitted import TITANIC, Fitted, titanic
from tests.prediction.loading import Model
from tests.prediction.test_batch import config_for, damaged
from tests.workspace import workspace

SECONDS_TO_WAIT = 60
SCORE = """
import os, signal, sys
from functools import partial
from pathlib import Path

from ml_project.artifacts.loading import load_artifact
from ml_project.config import Config
from ml_project.prediction import batch_run
from ml_project.prediction.batch import score_table
from tests.example.features import FEATURE_PROCESSES
from ml_project.termination import sigterm_raises

artifact, config, n_replaced = sys.argv[1:]
replace, left = Path.replace, int(n_replaced)

def killed_instead(path, target):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(path, target)

Path.replace = killed_instead
batch_run.SMALL_TABLE_ROWS = 0
load = partial(load_artifact, Path(artifact), FEATURE_PROCESSES)
with sigterm_raises():
    score_table(load(), Config.model_validate_json(Path(config).read_text()), load)
"""


@pytest.fixture(params=["out.csv", "out.parquet"])
def output(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / request.param


@contextmanager
def scoring(artifact: LoadedArtifact, config, folder: Path, *, killed_at: int = 0) -> Iterator[subprocess.Popen]:
    """Score in a process of its own, which is killed in place of the finished file with the number ``killed_at``."""
    (folder / "config.json").write_text(config.model_dump_json())
    words = [sys.executable, "-c", SCORE, str(artifact.path), str(folder / "config.json"), str(killed_at)]
    options = {"stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    with subprocess.Popen(words, cwd=workspace(), **options) as process:
        try:
            yield process
        finally:
            process.kill()


def finish(artifact, config, folder: Path, *, killed_at: int = 0) -> tuple[int, str]:
    with scoring(artifact, config, folder, killed_at=killed_at) as process:
        _, told = process.communicate(timeout=SECONDS_TO_WAIT)
        return process.returncode, told


def n_done(output: Path) -> int:
    return len(list(parts_path(output).glob("*-*.json")))


def wait_until_done(output: Path, n_chunks: int, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while n_done(output) < n_chunks:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.002)


def reference(artifact, forest: Fitted, output: Path, **prediction) -> bytes:
    """Return the file of a run that nothing disturbs."""
    undisturbed = output.with_name(f"undisturbed{output.suffix}")
    score_table(artifact, config_for(forest, TITANIC, undisturbed, **prediction))
    return undisturbed.read_bytes()


def test_score_table_killed_in_place_of_any_file_writes_the_same(artifact, forest: Fitted, tmp_path: Path):
    output = tmp_path / "out.csv"
    config = config_for(forest, TITANIC, output, chunk_rows=300)
    config = config.model_copy(update={"compute": config.compute.model_copy(update={"n_processes": 1})})
    expected = reference(artifact, forest, output, chunk_rows=300)
    # Of five chunks each has three files. Killed where what is kept of one, a summary and the output would be.
    for killed_at, n_chunks in ((2, 0), (6, 1), (13, 5)):
        assert finish(artifact, config, output.parent, killed_at=killed_at)[0] == -signal.SIGKILL
        assert n_done(output) == n_chunks
        assert not output.exists()
    code, told = finish(artifact, config, output.parent)
    assert code == 0, told
    assert "1,309 rows are scored already" in told
    assert output.read_bytes() == expected
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["config.json", "out.csv", "undisturbed.csv"]


def test_score_table_killed_with_processes_at_work_writes_the_same(artifact, forest: Fitted, tmp_path: Path):
    output = tmp_path / "out.parquet"
    config = config_for(forest, TITANIC, output, chunk_rows=25)
    expected = reference(artifact, forest, output, chunk_rows=25)
    n_before = 0
    for n_chunks in (1, 20):
        with scoring(artifact, config, tmp_path) as process:
            wait_until_done(output, n_before + n_chunks, process)
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
        n_before = n_done(output)
        assert not output.exists()
    code, told = finish(artifact, config, tmp_path)
    assert code == 0, told
    assert "rows are scored already" in told
    assert output.read_bytes() == expected


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_score_table_asked_to_end_keeps_what_is_done(artifact, forest: Fitted, tmp_path: Path, number: int):
    config = config_for(forest, TITANIC, tmp_path / "out.csv", chunk_rows=13)
    with scoring(artifact, config, tmp_path) as process:
        wait_until_done(tmp_path / "out.csv", 2, process)
        os.killpg(process.pid, number)  # Ctrl-C reaches the workers, too
        _, told = process.communicate(timeout=SECONDS_TO_WAIT)
    assert process.returncode != 0
    assert "the same command goes on from there" in told
    # One error, of the process that was started: its workers say nothing. It may have come while another was handled.
    assert told.count("Traceback") - told.count("During handling of the above exception") == 1
    assert n_done(tmp_path / "out.csv") >= 2


@contextmanager
def largest_file(n_bytes: int) -> Iterator[None]:
    """Let writes behind so many bytes of a file fail, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_score_table_full_disk_keeps_what_is_done(artifact, forest: Fitted, tmp_path: Path, capsys):
    config = config_for(forest, TITANIC, tmp_path / "out.csv", chunk_rows=100)
    (tmp_path / "out.csv").write_text("old")
    with largest_file(30_000), pytest.raises(MlProjectError, match=r"cannot be written to .*out\.csv: File too large"):
        score_table(artifact, config)  # parts are smaller, the output is larger
    assert "rows are scored and kept in" in capsys.readouterr().err
    assert (tmp_path / "out.csv").read_text() == "old"
    score_table(artifact, config)
    assert "rows are scored already" in capsys.readouterr().err
    assert (tmp_path / "out.csv").read_bytes() == reference(artifact, forest, tmp_path / "out.csv", chunk_rows=100)


class InterruptedRunError(Exception):
    """Stands for whatever ends a run."""


def interrupt(artifact, config, monkeypatch, after: int = 2) -> None:
    """Score some chunks only."""
    take = batch_run._InOrder.take

    def stop(self, summaries):
        take(self, summaries)
        if len(self._parts.done) >= after:
            raise InterruptedRunError

    with monkeypatch.context() as patch:
        patch.setattr(batch_run._InOrder, "take", stop)
        with pytest.raises(InterruptedRunError):
            score_table(artifact, config)


def test_score_table_changed_source_starts_afresh(artifact, forest: Fitted, tmp_path: Path, monkeypatch, capsys):
    table = tmp_path / "in.csv"
    titanic().to_csv(table, index=False)
    config = config_for(forest, table, tmp_path / "out.csv", chunk_rows=100)
    interrupt(artifact, config, monkeypatch)
    titanic().iloc[::-1].to_csv(table, index=False)
    capsys.readouterr()
    score_table(artifact, config)
    assert "scored already" not in capsys.readouterr().err
    assert pd.read_csv(tmp_path / "out.csv")["passenger_id"].tolist() == titanic()["passenger_id"].tolist()[::-1]


@pytest.mark.parametrize("change", ["model", "chunk_rows", "invalid_rows", "missing_values"])
def test_score_table_other_model_or_config_starts_afresh(
    artifact, forest: Fitted, tmp_path: Path, monkeypatch, capsys, change
):
    config = config_for(forest, TITANIC, tmp_path / "out.csv", chunk_rows=100)
    interrupt(artifact, config, monkeypatch)
    model = Model(artifact.pipeline, "another") if change == "model" else artifact
    prediction = {"chunk_rows": 100, "chunk_rows" if change == "chunk_rows" else "invalid_rows": 200}
    prediction["invalid_rows"] = "set_aside" if change == "invalid_rows" else "refuse"
    other = config_for(forest, TITANIC, tmp_path / "out.csv", **prediction)
    if change == "missing_values":
        other = other.model_copy(update={"data": other.data.model_copy(update={"missing_values": ("", "-")})})
    score_table(model, other)
    assert "scored already" not in capsys.readouterr().err.split("goes on from there")[-1]
    assert not parts_path(tmp_path / "out.csv").exists()


def test_score_table_damaged_parts_are_scored_again(artifact, forest: Fitted, output: Path, monkeypatch, capsys):
    config = config_for(forest, TITANIC, output, chunk_rows=100)
    interrupt(artifact, config, monkeypatch, after=5)
    shortened, emptied, gone = sorted(parts_path(output).glob("*.predictions"))[:3]
    shortened.write_bytes(shortened.read_bytes()[:-1])
    emptied.with_suffix(".json").write_text("")
    gone.unlink()
    scored = []
    score = ChunkScorer.score
    monkeypatch.setattr(ChunkScorer, "score", lambda self, job: (scored.append(job.number), score(self, job))[1])
    score_table(artifact, config)
    assert "200 rows are scored already" in capsys.readouterr().err
    assert scored == [0, 1, 2, *range(5, 14)]
    assert output.read_bytes() == reference(artifact, forest, output, chunk_rows=100)


def test_score_table_leaves_other_files_in_the_folder_of_parts(artifact, forest: Fitted, tmp_path: Path):
    folder = parts_path(tmp_path / "out.csv")
    folder.mkdir()
    (folder / "own.csv").write_text("precious")
    score_table(artifact, config_for(forest, TITANIC, tmp_path / "out.csv"))
    assert [entry.name for entry in folder.iterdir()] == ["own.csv"]


def test_score_table_set_aside_rows_of_an_interrupted_run_are_not_lost(artifact, forest, tmp_path: Path, monkeypatch):
    wrong = {(row, "age"): "old" for row in range(0, 1300, 50)}
    damaged(titanic(), wrong).to_csv(tmp_path / "in.csv", index=False)
    config = config_for(forest, tmp_path / "in.csv", tmp_path / "out.csv", chunk_rows=100, invalid_rows="set_aside")
    interrupt(artifact, config, monkeypatch, after=3)
    result = score_table(artifact, config)
    assert (result.n_rows, result.n_rejected) == (1283, 26)
    assert pd.read_csv(tmp_path / "out.rejected.csv")["row"].tolist() == list(range(0, 1300, 50))
    assert len(pd.read_csv(tmp_path / "out.csv")) == 1283


def test_score_table_refused_rows_of_an_interrupted_run_are_all_counted(artifact, forest, tmp_path: Path, monkeypatch):
    wrong = {(row, "age"): "old" for row in range(0, 1300, 50)}
    damaged(titanic(), wrong).to_csv(tmp_path / "in.csv", index=False)
    config = config_for(forest, tmp_path / "in.csv", tmp_path / "out.csv", chunk_rows=100)
    interrupt(artifact, config, monkeypatch, after=3)
    with pytest.raises(InvalidDataError, match="26 rows break the schema") as caught:
        score_table(artifact, config)
    assert [problem.row for problem in caught.value.problems] == [0, 50, 100, 150, 200]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["in.csv"]


def test_score_table_database_starts_afresh(artifact, forest: Fitted, tmp_path: Path, monkeypatch, capsys):
    with closing(sqlite3.connect(tmp_path / "in.db")) as connection:
        titanic().to_sql("people", connection, index=False)
    config = config_for(forest, f"sqlite:///{tmp_path}/in.db", tmp_path / "out.csv", chunk_rows=100)
    config = config.model_copy(update={"data": config.data.model_copy(update={"table": "people"})})
    interrupt(artifact, config, monkeypatch)
    assert not parts_path(tmp_path / "out.csv").exists()
    score_table(artifact, config)
    assert capsys.readouterr().err == ""
    assert pd.read_csv(tmp_path / "out.csv")["passenger_id"].tolist() == titanic()["passenger_id"].tolist()


def test_score_table_source_changed_meanwhile_writes_nothing(artifact, forest: Fitted, tmp_path: Path, monkeypatch):
    table = tmp_path / "in.csv"
    titanic().to_csv(table, index=False)
    take = batch_run._InOrder.take

    def change(self, summaries):
        take(self, summaries)
        os.utime(table, ns=(1, 1))

    monkeypatch.setattr(batch_run._InOrder, "take", change)
    with pytest.raises(DataSourceError, match="was changed while it was being scored"):
        score_table(artifact, config_for(forest, table, tmp_path / "out.csv"))
    assert not (tmp_path / "out.csv").exists()


def test_score_table_while_another_run_writes_the_output_is_refused(artifact, forest: Fitted, tmp_path: Path):
    config = config_for(forest, TITANIC, tmp_path / "out.csv", chunk_rows=13)
    with scoring(artifact, config, tmp_path) as process:
        wait_until_done(tmp_path / "out.csv", 1, process)
        with pytest.raises(MlProjectError, match=r"Another run is writing .*out\.csv at this moment; wait"):
            score_table(artifact, config)
        _, told = process.communicate(timeout=SECONDS_TO_WAIT)
        assert process.returncode == 0, told
    assert (tmp_path / "out.csv").read_bytes() == reference(artifact, forest, tmp_path / "out.csv", chunk_rows=13)


def test_parts_folder_of_another_plan_is_cleared(tmp_path: Path):
    held = PartsFolder(tmp_path / "out.csv", {"a": 1})
    held.files.write(ChunkSummary(number=0, n_source=1), {"predictions": [b"1"]})
    held.release()
    again = PartsFolder(tmp_path / "out.csv", {"a": 1})
    assert list(again.done) == [0]
    again.release()
    other = PartsFolder(tmp_path / "out.csv", {"a": 2})
    assert other.done == {}
    assert [entry.name for entry in other.path.iterdir()] == ["lock"]
    other.remove()


def test_parts_folder_held_by_nobody_can_be_held_again(tmp_path: Path):
    held = PartsFolder(tmp_path / "out.csv", {"a": 1})
    with pytest.raises(MlProjectError, match="Another run"):
        PartsFolder(tmp_path / "out.csv", {"a": 1})
    held.release()
    PartsFolder(tmp_path / "out.csv", {"a": 1}).remove()
    assert list(tmp_path.iterdir()) == []
