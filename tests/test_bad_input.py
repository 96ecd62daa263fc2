"""Bad input through the command line: the right exit code, few readable lines, and nothing that was stored is lost."""

import hashlib
import io
import re
import resource
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event

import numpy as np
import pandas as pd
import pytest

from ml_project import cli
from tests.workspace import TITANIC as FILE
from tests.workspace import workspace

TITANIC = pd.read_parquet(FILE)
CSV = TITANIC.to_csv(index=False)
LINES = CSV.splitlines()
QUICK = {
    "modelling.candidates": "baseline,linear",
    "modelling.n_hyperparameter_optimisation_runs": "1",
    "evaluation.explain": "false",
    "evaluation.n_bootstrap_samples": "10",
    "tracking.enabled": "false",
    "compute.n_processes": "1",
}
WARN = {"data.batch_expectations": "warn"}
EVERY_COMMAND = ("train", "predict", "evaluate")
MAX_LINES = 12


@pytest.fixture(autouse=True)
def in_workspace(monkeypatch):
    monkeypatch.chdir(workspace())


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Return the bytes of an artifact."""
    folder = tmp_path_factory.mktemp("exported")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workspace())
        assert cli.main(["train", *words(folder)]) == 0
    return (folder / "model.zip").read_bytes()


@pytest.fixture
def stored(tmp_path, exported):
    """Return a folder with everything that earlier runs have stored."""
    folder = tmp_path / "stored"
    (folder / "evaluation" / "training").mkdir(parents=True)
    (folder / "model.zip").write_bytes(exported)
    for name in ("predictions.csv", "predictions.rejected.csv", "evaluation/training/metrics.json"):
        (folder / name).write_text("of an earlier run")
    return folder


def words(folder, **options):
    """Return the words of a command line that writes below a folder only."""
    places = {
        "artifacts.path": folder / "model.zip",
        "evaluation.directory": folder / "evaluation",
        "modelling.search_directory": folder / "search",
        "prediction.output": folder / "predictions.csv",
    }
    return [word for name, value in {**places, **QUICK, **options}.items() for word in (f"--{name}", str(value))]


def contents(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and "search" not in path.parts
    }


def refused(command, stored, capsys, *, code=1, **options):
    """Run a command that must fail, check that it is readable and loses nothing, and return what it tells."""
    before = contents(stored)
    capsys.readouterr()
    assert cli.main([command, *words(stored, **options)]) == code
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert "defect" not in told
    assert len(told.splitlines()) <= MAX_LINES
    assert contents(stored) == before
    return told


def with_value(column, value, row=5):
    changed = TITANIC.astype({column: object})
    changed.loc[row, column] = value
    return changed.to_csv(index=False)


def repeated_column():
    return "\n".join([f"{LINES[0]},age", *(f"{line},3" for line in LINES[1:])])


def with_conflict():
    return "\n".join([*LINES[:9], "<<<<<<< HEAD", LINES[9], "=======", LINES[9], ">>>>>>> other", *LINES[10:]])


UNREADABLE = {
    "empty": ("", "is empty"),
    "header_only": (LINES[0], "no rows"),
    "column_missing": (TITANIC.drop(columns="age").to_csv(index=False), "age: the column is missing"),
    "column_repeated": (repeated_column(), "age: appears 2 times"),
    "column_with_a_blank": (CSV.replace("age", "age ", 1), "age: .* missing; did you mean the column 'age '"),
    "column_in_capitals": (CSV.replace("age", "Age", 1), "age: .* missing; did you mean the column 'Age'"),
    "decimal_comma": (with_value("fare", "7,25"), r"row 5, fare = '7,25': is not a number"),
    "unknown_category": (with_value("embarked", "X"), "row 5, embarked = 'X': must be one of C, Q, S"),
    "infinite": (with_value("age", np.inf), "row 5, age = 'inf': must be finite"),
    "required_column_all_null": (TITANIC.assign(sex=None).to_csv(index=False), r"sex.*: is required \(1,?309 "),
    "git_conflict": (with_conflict(), "line 10: git merge conflict marker"),
    "wrong_delimiter": (TITANIC.to_csv(index=False, sep=";"), "set data.csv.delimiter to ';'"),
    "unknown_class": (with_value("survived", 2), "row 5, survived = '?2'?: must be one of 0, 1"),
}


@pytest.mark.parametrize("command", EVERY_COMMAND)
@pytest.mark.parametrize("name", UNREADABLE)
def test_every_command_unusable_table_is_refused(name, command, tmp_path, stored, capsys):
    text, told = UNREADABLE[name]
    table = tmp_path / "table.csv"
    table.write_text(text)
    assert re.search(told, refused(command, stored, capsys, **{"data.source": table}))


@pytest.mark.parametrize("command", EVERY_COMMAND)
def test_every_command_missing_file_is_refused(command, tmp_path, stored, capsys):
    told = refused(command, stored, capsys, **{"data.source": tmp_path / "gone.csv"})
    assert "gone.csv' does not exist; correct data.source" in told


@pytest.mark.parametrize("command", EVERY_COMMAND)
def test_every_command_locked_sqlite_file_is_refused(command, tmp_path, stored, capsys):
    file = tmp_path / "people.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        TITANIC.to_sql("people", other, index=False)
        other.execute("BEGIN EXCLUSIVE")
        source = {"data.source": f"sqlite:///{file}?timeout=0.1", "data.table": "people"}
        assert "database is locked" in refused(command, stored, capsys, **source)


UNLEARNABLE = {
    "target_missing": (TITANIC.drop(columns="survived"), "survived: the column is missing"),
    "target_constant": (TITANIC.assign(survived=1), "'survived' is constant"),
    "target_with_missing_values": (
        TITANIC.assign(survived=TITANIC["survived"].where(TITANIC.index > 2)),
        "row 0, survived: is required",
    ),
    "class_with_fewer_rows_than_folds": (
        pd.concat([TITANIC[TITANIC["survived"] == 0], TITANIC[TITANIC["survived"] == 1].head(4)]),
        "class 1 has 3 rows",
    ),
    "class_with_one_row": (
        pd.concat([TITANIC[TITANIC["survived"] == 0], TITANIC[TITANIC["survived"] == 1].head(1)]),
        "class 1 has 1 rows",
    ),
    "one_row": (TITANIC.head(1), "constant"),
    "fewer_rows_than_folds": (TITANIC.sample(5, random_state=1), "5 folds"),
    "another_batch_than_expected": (TITANIC.assign(age=None), "age: 100.0% of the values are missing"),
    "repeated_identifier": (pd.concat([TITANIC, TITANIC.head(1)]), "row 1309, passenger_id = 1: must be unique"),
}


@pytest.mark.parametrize("name", UNLEARNABLE)
def test_train_table_from_which_nothing_can_be_learned_is_refused(name, tmp_path, stored, capsys):
    table, told = UNLEARNABLE[name]
    table.to_csv(tmp_path / "table.csv", index=False)
    expectations = {} if name in ("another_batch_than_expected", "repeated_identifier") else WARN
    assert told in refused("train", stored, capsys, **{"data.source": tmp_path / "table.csv"}, **expectations)


HARMLESS = {
    "no_target": TITANIC.drop(columns="survived"),
    "extra_column": TITANIC.assign(extra=1),
    "numbers_as_text_with_blanks": TITANIC.assign(
        age=TITANIC["age"].map(" {} ".format, na_action="ignore").fillna("  ")
    ),
    "all_null_column": TITANIC.assign(age=None),
    "category_never_seen": TITANIC.assign(cabin="Z9", name="Nobody, Baroness. A"),
    "one_row": TITANIC.head(1),
    "shuffled_columns": TITANIC[TITANIC.columns[::-1]],
    "repeated_identifier": pd.concat([TITANIC.head(3), TITANIC.head(3)]),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_predict_harmless_table_is_scored(name, tmp_path, stored):
    HARMLESS[name].to_csv(tmp_path / "table.csv", index=False)
    assert cli.main(["predict", *words(stored, **{"data.source": tmp_path / "table.csv"})]) == 0
    predictions = pd.read_csv(stored / "predictions.csv")
    assert len(predictions) == len(HARMLESS[name])
    assert predictions[["proba_0", "proba_1"]].sum(axis="columns").to_numpy() == pytest.approx(1)


def test_predict_table_with_byte_order_mark_gives_the_same_predictions(tmp_path, stored):
    (tmp_path / "table.csv").write_text(CSV, encoding="utf-8-sig")
    assert cli.main(["predict", *words(stored, **{"data.source": tmp_path / "table.csv"})]) == 0
    marked = (stored / "predictions.csv").read_bytes()
    assert cli.main(["predict", *words(stored)]) == 0
    assert (stored / "predictions.csv").read_bytes() == marked


def shortened(artifact):
    return artifact[: len(artifact) // 2]


def changed(artifact):
    return artifact[:5000] + bytes([artifact[5000] ^ 1]) + artifact[5001:]


@pytest.mark.parametrize("command", ["predict", "evaluate"])
@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (shortened, "is truncated"),
        (changed, "is damaged: its content has sha256"),
        (lambda _: b"", "is no zip file"),
        (lambda _: io.BytesIO(b"PK\x05\x06" + bytes(18)).getvalue(), "zip file that is no artifact"),
    ],
    ids=["truncated", "changed", "empty", "another_zip"],
)
def test_damaged_artifact_is_refused(damage, told, command, stored, capsys):
    artifact = stored / "model.zip"
    artifact.write_bytes(damage(artifact.read_bytes()))
    assert told in refused(command, stored, capsys)


@pytest.mark.parametrize(
    ("command", "options", "told"),
    [
        ("train", {"modelling.candidates": "liner"}, "no such candidate; did you mean 'linear'?"),
        ("train", {"features.processes": "titel"}, "features.processes = 'titel': is no feature process; did you mean"),
        ("train", {"modelling.metric": "rocauc"}, "modelling.metric = 'rocauc': is no scorer of scikit-learn; did you"),
        ("train", {"modelling.metric": "r2"}, "'r2' measures numbers, so it does not fit a binary task"),
        ("train", {"features.columns": "agee"}, "features.columns = 'agee': is no column of the schema"),
        ("train", {"data.target_column": "survivd"}, "data.target_column = 'survivd': is no column"),
        ("train", {"splits.strategy": "grouped"}, "splits.group_column is not set"),
        ("predict", {"prediction.output": "/nowhere/predictions.xlsx"}, "must end with .csv or .parquet"),
    ],
)
def test_wrong_config_returns_2(command, options, told, stored, capsys):
    assert told in refused(command, stored, capsys, code=2, **options)


def test_train_positive_class_that_does_not_exist_is_refused(stored, capsys):
    assert "name one of them" in refused("train", stored, capsys, **{"data.positive_class": "maybe"})


@pytest.mark.parametrize(
    ("command", "field"),
    [
        ("train", "artifacts.path"),
        ("train", "evaluation.directory"),
        ("train", "modelling.search_directory"),
        ("evaluate", "evaluation.directory"),
    ],
)
def test_place_that_cannot_be_written_to_is_refused_before_the_work(command, field, tmp_path, stored, capsys):
    (tmp_path / "file").touch()
    told = refused(command, stored, capsys, code=2, **{field: tmp_path / "file" / "below"})
    assert f"{field} = " in told
    assert "nothing was started" in told


@contextmanager
def largest_file(n_bytes):
    """Let writes behind so many bytes of a file fail, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_train_full_disk_while_exporting_keeps_the_old_artifact_and_the_search(stored, capsys, caplog):
    with largest_file(20_000):
        told = refused("train", stored, capsys)
    assert "an older artifact there is unchanged" in told
    assert cli.main(["train", *words(stored)]) == 0
    assert "Going on with an interrupted search: 2 trials are already done" in caplog.text
    assert list((stored / "search").iterdir()) == []


def test_train_full_disk_while_writing_reports_is_told_with_the_model_exported(stored, capsys, exported):
    with largest_file(150_000):
        assert cli.main(["train", *words(stored)]) == 1
    told = capsys.readouterr().err
    assert "reports" in told
    assert "the model is exported to" in told
    assert [path for path in stored.rglob(".*") if path.is_file()] == []


def test_predict_full_disk_keeps_the_old_predictions(stored, capsys):
    with largest_file(10_000):
        assert "predictions cannot be written" in refused("predict", stored, capsys)


def start_search(folder):
    """Start a training in a process and session of its own and return it with its log."""
    options = {"modelling.candidates": "linear,random_forest", "compute.n_processes": "2"}
    options["modelling.n_hyperparameter_optimisation_runs"] = "4"
    command = [sys.executable, "-m", "ml_project", "train", *words(folder, **options)]
    log = (folder.parent / f"{folder.name}.log").open("w+")
    process = subprocess.Popen(command, cwd=workspace(), stdout=log, stderr=log, start_new_session=True)
    return process, log


def n_trials_in_journal(folder):
    return sum(path.read_text().count("course") for path in folder.glob("search/*/journal.log"))


def wait_for_trial(process, folder, n_before):
    for _ in range(600):
        if n_trials_in_journal(folder) > n_before:
            return
        try:
            process.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            continue
        pytest.fail("the training ended before its first trial")


def leaderboard(folder):
    table = pd.read_csv(folder / "evaluation" / "training" / "leaderboard.csv")
    return table[["candidate", "mean", "std", "n_trials", "n_pruned", "parameters"]]


def session_members(session):
    """Return the processes of a session that are alive."""
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            members.append(int(stat.parent.name))
    return members


def left_behind(session):
    """Return the processes of a session that are still there after the seconds that workers may take to notice."""
    for _ in range(100):
        if not session_members(session):
            break
        Event().wait(0.1)
    return session_members(session)


def test_train_killed_in_the_search_goes_on_to_the_same_leaderboard(tmp_path, stored):
    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    process, log = start_search(undisturbed)
    with log:
        assert process.wait() == 0
    for number, code in ((signal.SIGKILL, -9), (signal.SIGTERM, 143)):
        before, n_before = contents(stored), n_trials_in_journal(stored)
        process, log = start_search(stored)
        with log:
            wait_for_trial(process, stored, n_before)
            process.send_signal(number)
            assert process.wait() == code
            assert left_behind(process.pid) == []
        assert contents(stored) == before
    process, log = start_search(stored)
    with log:
        assert process.wait() == 0
        log.seek(0)
        assert "Going on with an interrupted search" in log.read()
    pd.testing.assert_frame_equal(leaderboard(stored), leaderboard(undisturbed))
