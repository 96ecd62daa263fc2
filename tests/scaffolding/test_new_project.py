"""Tests of the whole command, and of the projects that it makes."""

import hashlib
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scaffolding.command_line import main

ROOT = Path(__file__).resolve().parent.parent.parent
NAME = "zebra_crossings"
TARGET = "Was it safe?"


def make_table(n_rows=120, seed=0):
    generator = np.random.default_rng(seed)
    speed = generator.normal(40, 9, n_rows).round(1)
    return pd.DataFrame(
        {
            "No.": range(1, n_rows + 1),
            "speed (km/h)": np.where(generator.random(n_rows) < 0.1, np.nan, speed),
            "class": generator.choice(["bus", "car", "van"], n_rows),
            TARGET: np.where(speed + generator.normal(0, 6, n_rows) < 40, "yes", "no"),
        }
    )


def words(destination, data, **others):
    options = {"name": NAME, "target": TARGET, "data": data, "dest": destination} | others
    return [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def environment(root):
    return os.environ | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}


def run(command, root, **options):
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=root, env=environment(root), capture_output=True, text=True, check=False
    )


def files_in(folder):
    paths = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(path.relative_to(folder).as_posix() for path in paths if ".git" not in path.parts)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "crossings.csv"
    make_table().to_csv(path, index=False, sep=";")
    return path


@pytest.fixture(scope="module")
def killed(tmp_path_factory, table):
    """Return where a run was killed while it wrote, and its exit code."""
    destination = tmp_path_factory.mktemp("made") / "deep" / NAME
    command = [sys.executable, "-m", "scaffolding", *words(destination, table)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if line.startswith("Writing schema"):
                break
        running.kill()
    return destination, running.returncode, destination.exists()


@pytest.fixture(scope="module")
def made(killed, table):
    """Return the folder of a project that was made after a killed run, what was said, and its files at that time."""
    destination = killed[0]
    done = run(["scaffolding", *words(destination, table)], ROOT)
    assert done.returncode == 0, done.stderr
    return destination, done.stdout, files_in(destination)


@pytest.fixture(scope="module")
def project(made):
    return made[0]


def test_new_project_says_what_was_found_and_what_to_type(made):
    said = re.sub(r"\s+", " ", made[1])
    for text in (
        f"The project {NAME} lies in {made[0]}.",
        "table 120 rows, 4 columns",
        f"target {TARGET}: binary classification, 2 classes",
        "identifier No.",
        "features 2: speed (km/h), class",
        f"real rows in git data/data/{NAME}.csv, 120 rows",
        "bash executables/quickstart.sh",
    ):
        assert text in said


def test_new_project_has_the_table_as_it_was(project, table):
    assert (project / "data" / "data" / f"{NAME}.csv").read_bytes() == table.read_bytes()
    assert f"\nexport {NAME.upper()}_DATA__SOURCE=data/data/{NAME}.csv\n" in (project / "cicd_pipeline.sh").read_text()


def test_new_project_git_has_every_file(made):
    project, _, files = made
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=project, check=True, capture_output=True, text=True)
    tracked = sorted(filter(None, listed.stdout.split("\0")))
    assert tracked == files
    written = ("schema.py", "features.py", "candidates.py")
    assert {f"{NAME}/project/{name}" for name in written} | {f"data/data/{NAME}.csv", "Pipfile.lock"} <= set(tracked)
    changed = subprocess.run(
        ["git", "status", "--porcelain", "--no-renames"], cwd=project, check=True, capture_output=True, text=True
    )
    assert not [line for line in changed.stdout.splitlines() if not line.startswith("A ")]


def test_new_project_after_a_killed_run_is_alone_in_its_place(killed, project):
    _, code, was_there = killed
    assert code == -signal.SIGKILL
    assert not was_there
    assert [path.name for path in project.parent.iterdir()] == [NAME]


@pytest.mark.parametrize(
    "tool", [("ruff", "check", "--no-cache", "."), ("isort", "--check-only", "--quiet", ".")], ids=lambda tool: tool[0]
)
def test_new_project_style_is_clean(project, tool):
    done = run(tool, project)
    assert done.returncode == 0, done.stdout + done.stderr


def test_new_project_layers_are_clean(project):
    layers = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=project,
        env=environment(project),
        capture_output=True,
        text=True,
        check=False,
    )
    assert layers.returncode == 0, layers.stdout


def test_new_project_trains_and_predicts_and_passes_its_own_tests(project):
    trained = run([NAME, "train", "--modelling.candidates", "baseline"], project)
    assert trained.returncode == 0, trained.stderr
    assert (project / "data" / "serialised_models" / f"{NAME}.zip").exists()
    example = run([NAME, "example"], project)
    assert '"speed (km/h)":' in example.stdout
    predicted = run([NAME, "predict"], project)
    assert predicted.returncode == 0, predicted.stderr
    tested = run(["pytest", "-q", "-p", "no:cacheprovider", "tests/project"], project)
    assert tested.returncode == 0, tested.stdout


def test_new_project_of_a_new_project_is_made(project, table, tmp_path):
    made = run(["scaffolding", *words(tmp_path / "next", table, name="ox")], project)
    assert made.returncode == 0, made.stderr  # it read its own config and data back
    rules = (tmp_path / "next" / "pyproject.toml").read_text()
    assert 'attr = "ox.__version__"' in rules


def test_new_project_at_a_place_that_is_taken_is_refused_with_all_other_problems(project, table, capsys):
    before = files_in(project)
    assert main(words(project, table, name="Bad-Name", target="speed", id="number", csv_delimiter=";;")) == 2
    said = capsys.readouterr().err
    assert "--name = 'Bad-Name'" in said
    assert "is not empty" in said
    assert "csv.delimiter" in said
    assert main(words(project, table, name="Bad-Name", target="speed", id="number")) == 2
    said = capsys.readouterr().err
    assert "speed: is said to be the target column" in said
    assert "number: is said to be the id column" in said
    assert files_in(project) == before


@pytest.mark.parametrize("kind", ["parquet", "sqlite"])
def test_new_project_of_other_sources_of_many_rows_commits_a_sample(tmp_path, capsys, kind):
    table = make_table(2500)
    if kind == "parquet":
        address, further, committed = tmp_path / "t.parquet", {}, f"{NAME}_sample.parquet"
        table.to_parquet(address)
    else:
        address, further, committed = f"sqlite:///{tmp_path / 't.db'}", {"table": "rows"}, f"{NAME}_sample.sqlite"
        with sqlite3.connect(tmp_path / "t.db") as database:
            table.to_sql("rows", database, index=False)
        database.close()
    assert main(words(tmp_path / "new", address, **further)) == 0, capsys.readouterr().err
    listed = subprocess.run(
        ["git", "ls-files", "data/data"], cwd=tmp_path / "new", check=True, capture_output=True, text=True
    )
    assert listed.stdout.splitlines() == ["data/data/README.md", f"data/data/{committed}"]


@pytest.mark.parametrize(
    ("number", "code", "said"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "ended by SIGTERM")]
)
def test_new_project_stopped_in_the_middle_leaves_nothing(table, tmp_path, number, code, said):
    command = [sys.executable, "-m", "scaffolding", *words(tmp_path / "new", table)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if line.startswith("Copying"):
                break
        time.sleep(0.3)
        running.send_signal(number)
        rest = running.stderr.read()
    assert running.returncode == code
    assert said in rest
    assert list(tmp_path.iterdir()) == []


def test_new_project_without_room_for_its_files_leaves_nothing(table, tmp_path):
    limited = f"ulimit -f 64; exec {sys.executable} -m scaffolding \"$@\""
    done = subprocess.run(
        ["bash", "-c", limited, "bash", *words(tmp_path / "new", table)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_main_missing_options_are_named_together(capsys):
    assert main(["--name", "zebra"]) == 2
    said = capsys.readouterr().err
    assert [word in said for word in ("--data: is missing", "--target: is missing", "--dest: is missing")] == [True] * 3


def test_main_options_that_exclude_each_other_are_refused(capsys):
    assert main(["--refresh", "--name", "zebra", "--leave-out", "a"]) == 2
    said = capsys.readouterr().err
    assert "--name: makes a project, and --refresh compares one" in said
    assert "--leave-out: makes a project" in said
    assert main([*words("new", "table.csv"), "--check"]) == 2
    assert "--check: belongs to --refresh" in capsys.readouterr().err


def test_main_refresh_that_cannot_be_answered_has_a_code_of_its_own(capsys):
    assert main(["--refresh", "--check", "--data", "not_there.csv"]) == 2
    assert re.search(r"^new_project.sh: .*not_there.csv", capsys.readouterr().err)


def test_main_help_shows_examples(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert "--name churn --data customers.csv --target Churn --dest ../churn" in capsys.readouterr().out


def is_installed_from_the_lock():
    stamp, files = ROOT / ".venv" / "installed-lock.sha256", ("Pipfile.lock", "pyproject.toml")
    digest = hashlib.sha256(b"".join((ROOT / file).read_bytes() for file in files)).hexdigest()
    return shutil.which("pipenv") is not None and stamp.exists() and stamp.read_text().strip() == digest


@pytest.mark.skipif(not is_installed_from_the_lock(), reason="setup.sh would change .venv, in which this test runs")
def test_new_project_script_takes_paths_of_the_folder_that_it_is_called_from(table, tmp_path):
    (tmp_path / "scaffolding").mkdir()
    (tmp_path / "scaffolding" / "__init__.py").write_text("raise SystemExit('the wrong one')\n")
    shutil.copy(table, tmp_path / "here.csv")
    command = ["bash", str(ROOT / "executables" / "new_project.sh"), *words("new", "here.csv", target="nothing")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "No project was made." in done.stderr
    assert "nothing: is said to be the target column" in done.stderr  # of the table, which was read
    assert "not exist" not in done.stderr
    assert not (tmp_path / "new").exists()
