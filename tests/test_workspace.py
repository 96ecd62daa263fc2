"""The general tests stand on the example, so that they pass whatever a user puts in place of the template's project."""

import json
import os
import subprocess
import sys

import pytest

from tests.workspace import REPOSITORY, TITANIC, USERS_PART, choose_example, lay_example, make_workspace, workspace

ONLY_FOR_ITS_OWN_TESTS = {
    USERS_PART.replace("/", ".") + ".": "tests.example.schema and .features, or load_project()",
    "data/data/" + "titanic.parquet": "TITANIC, USE_CASE or workspace() of tests.workspace",
}
"""What no general test may name, and what to use instead."""
FOLDERS = ("tests", "deployment/tests")
OWN_TESTS = REPOSITORY / "tests" / "project"


@pytest.mark.parametrize("words", ONLY_FOR_ITS_OWN_TESTS)
def test_general_tests_do_not_name_what_a_user_replaces(words):
    files = [file for folder in FOLDERS for file in sorted((REPOSITORY / folder).rglob("*.py"))]
    lines = [
        f"{file.relative_to(REPOSITORY)}:{number}"
        for file in files
        if OWN_TESTS not in file.parents
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if words in line
    ]
    instead = ONLY_FOR_ITS_OWN_TESTS[words]
    assert not lines, f"{words!r} is replaced in a new project; only tests/project may name it. Use {instead}: {lines}"


def test_example_is_the_project_of_a_command_in_any_folder(tmp_path):
    code = "from ml_project.project_package import load_project; print(*load_project().schema.names)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split()[:2] == ["passenger_id", "survived"]


def test_choose_example_keeps_the_path_and_adds_the_repository_once(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", f"{REPOSITORY}{os.pathsep}{tmp_path}")
    choose_example()
    assert os.environ["PYTHONPATH"].split(os.pathsep) == [str(REPOSITORY), str(tmp_path)]


def test_choose_example_forgets_settings_of_the_users_project(monkeypatch):
    monkeypatch.setenv("ML_PROJECT_DATA__SOURCE", "data/data/own.csv")
    monkeypatch.setenv("ML_PROJECT_DEPLOYMENT_NAME", "kept")
    choose_example()
    assert "ML_PROJECT_DATA__SOURCE" not in os.environ
    assert os.environ["ML_PROJECT_DEPLOYMENT_NAME"] == "kept"


def test_make_workspace_trains_on_its_own_table(tmp_path):
    folder = make_workspace(tmp_path)
    options = {
        "modelling.candidates": "baseline",
        "modelling.n_hyperparameter_optimisation_runs": "1",
        "evaluation.explain": "false",
        "evaluation.n_bootstrap_samples": "10",
        "tracking.enabled": "false",
        "compute.n_processes": "1",
        "artifacts.path": "model.zip",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    script = folder / "use_cases" / "modelling_historic_data_local.py"
    done = subprocess.run([sys.executable, script, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    metrics = json.loads(next(folder.rglob("metrics.json")).read_text())
    assert metrics["n_rows"] == round(0.2 * 1309)


def test_workspace_is_the_same_each_time_and_holds_the_table():
    assert workspace() is workspace()
    assert (workspace() / TITANIC.name).read_bytes() == TITANIC.read_bytes()


def test_lay_example_replaces_the_modules_that_are_there(tmp_path):
    part = tmp_path / USERS_PART
    part.mkdir(parents=True)
    (part / "features.py").write_text("of the user")
    lay_example(tmp_path)
    assert [file.name for file in part.iterdir()] == ["features.py"]
    assert "relatives_aboard" in (part / "features.py").read_text()
