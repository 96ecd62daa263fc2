"""What reaches a provider: only what serving needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deployment.tests.target_heroku import make_slug
from deployment.tests.uploads import PatternFile, files_below, upload

FOLDERS_OF_TRAINING = ("ml_project/modelling", "ml_project/evaluation", "ml_project/tracking")


@pytest.fixture(scope="module")
def slug(artifact, tmp_path_factory):
    return make_slug(artifact, tmp_path_factory.mktemp("heroku"))


@pytest.fixture(scope="module")
def source(artifact, tmp_path_factory):
    folder = tmp_path_factory.mktemp("app_engine")
    return upload("google_app_engine", artifact, folder, ignore_file=".gcloudignore")


def names_in(folder):
    return {file.name for file in folder.iterdir()}


def test_slug_has_one_list_of_packages_and_what_serving_needs(slug):
    """Heroku's buildpack would install what Pipfile.lock says, and that is everything."""
    wanted = {"Procfile", "requirements.txt", ".python-version", "model.zip", "ml_project"}
    assert names_in(slug) & {"Pipfile", "Pipfile.lock", "tests", "deployment", "data"} == set()
    assert wanted <= names_in(slug)
    assert not any((slug / folder).exists() for folder in FOLDERS_OF_TRAINING)


def test_upload_to_app_engine_has_what_serving_needs_and_nothing_else(source):
    assert names_in(source) == {"app.yaml", "main.py", "requirements.txt", "model.zip", "ml_project"}
    assert not any((source / folder).exists() for folder in FOLDERS_OF_TRAINING)


@pytest.mark.parametrize("uploaded", ["slug", "source"])
def test_every_module_that_is_uploaded_has_those_that_it_imports_at_its_start(uploaded, request, tmp_path):
    """A folder that an ignore file leaves out by mistake is found here, before an instance does."""
    folder: Path = request.getfixturevalue(uploaded)
    command = ("import ml_project.cli, ml_project.web, ml_project.serving.deployed, ml_project.serve_command",)
    done = subprocess.run(
        [sys.executable, "-P", "-c", *command],
        cwd=tmp_path,
        env={"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_files_below_keeps_to_the_patterns_and_those_that_they_include(tmp_path):
    for path in ("kept/a.py", "left/b.py", "kept/c.pyc", "d.log"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    patterns = PatternFile(".ignore", {".ignore": b"#!include:more\n/left\n", "more": b"*.log\n*.pyc\n"})
    assert list(files_below(tmp_path, patterns)) == ["kept/a.py"]
