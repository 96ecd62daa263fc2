"""Parts of the deployer by themselves: archives, sources, plans, tools."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from deployment.deployer.applying import write_files
from deployment.deployer.archives import write_zip, zip_bytes
from deployment.deployer.discovery import find_provider, known_providers
from deployment.deployer.errors import DeploymentError
from deployment.deployer.planning import check_tools, is_outside, refuse_unusable
from deployment.deployer.provider import PlannedFile, Tool
from deployment.deployer.sources import LEFT_OUT, package_files
from deployment.tests.environments import REPOSITORY
from deployment.tests.project_copies import example_project
from ml_project.errors import Problem

TRAINING = ("mlflow", "optuna", "shap", "sklearn", "pandas", "matplotlib", "evidently")


def test_zip_is_the_same_whatever_the_order_time_and_mask(tmp_path):
    first, second = tmp_path / "first.zip", tmp_path / "deep" / "second.zip"
    write_zip(first, {"b/c.py": b"1", "a.py": b"2"})
    mask = os.umask(0o077)
    try:
        write_zip(second, {"a.py": b"2", "b/c.py": b"1"})
    finally:
        os.umask(mask)
    assert first.read_bytes() == second.read_bytes()


def test_zip_can_be_unpacked_and_its_files_read_by_everybody():
    with zipfile.ZipFile(io.BytesIO(zip_bytes({"b/c.py": b"1", "a.py": b"2"}))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {"a.py": b"2", "b/c.py": b"1"}
        assert {member.external_attr >> 16 for member in archive.infolist()} == {0o100644}
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_package_files_are_sorted_and_hold_no_training_tests_or_caches():
    names = list(package_files(REPOSITORY))
    assert names == sorted(names)
    assert not [name for name in names if name.startswith(LEFT_OUT) or "__pycache__" in name or "tests" in name]
    assert {"ml_project/__init__.py", "ml_project/serving/api.py", "ml_project/py.typed"} <= set(names)
    assert all(list(REPOSITORY.glob(f"{beginning.rstrip('/')}*")) for beginning in LEFT_OUT)


def test_package_files_are_enough_to_serve_and_check(tmp_path, artifact):
    files = [PlannedFile(path, content) for path, content in package_files(example_project()).items()]
    write_files(files, tmp_path)
    code = (
        "import sys; import ml_project.web, ml_project.serve_command, ml_project.serving.deployed; "
        "from ml_project.check_artifact import main; code = main(sys.argv[1:]); "
        f"print(*sorted({set(TRAINING)!r} & set(sys.modules))); sys.exit(code)"
    )
    command = (sys.executable, "-P", "-c", code, str(artifact))
    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1:] == [""]


@pytest.mark.parametrize("path", ["a", "a/b.txt", ".hidden", "a..b"])
def test_paths_below_the_root_are_inside(path):
    assert not is_outside(path)


@pytest.mark.parametrize("path", ["", ".", "/a", "../a", "a/../../b", "a//b", "./a", "a/", "a\\b"])
def test_other_paths_are_outside(path):
    assert is_outside(path)


def test_plan_with_unusable_files_names_them_all():
    files = [PlannedFile(path, b"") for path in ("a.txt", "a.txt", "/etc/passwd")]
    provider = find_provider("heroku")
    with pytest.raises(DeploymentError, match="The provider heroku plans unusable files") as caught:
        refuse_unusable(files, provider)
    assert [problem.field for problem in caught.value.problems] == ["a.txt", "/etc/passwd"]


def test_tools_that_are_missing_or_do_not_work():
    tools = [
        Tool("no-such-program", "building", "get it from example.com"),
        Tool("no-such-helper", "looking", "get it from example.com", required=False),
        Tool("sh", "running", "buy a machine", fault=lambda: "it is ill; see a doctor"),
        Tool("sh", "running", "buy a machine", fault=lambda: None),
    ]
    problems, notes = check_tools(tools)
    assert problems == [
        Problem("needed for building: not found on PATH; get it from example.com", "no-such-program"),
        Problem("needed for running: it is ill; see a doctor", "sh"),
    ]
    assert notes == ["no-such-helper, needed for looking: not found on PATH; get it from example.com"]


@pytest.mark.parametrize("name", known_providers())
def test_every_provider_is_named_after_its_folder_and_documented(name):
    provider = find_provider(name)
    assert provider.name == name
    assert 0 < len(provider.summary) < 100
    assert (REPOSITORY / "documentation" / f"deployment_{name}.md").exists()
    assert all(help_text for help_text in provider.extra_options.values())


def test_all_required_providers_are_there():
    assert set(known_providers()) >= {
        "heroku", "google_app_engine", "google_cloud_function", "aws_lambda", "sagemaker", "docker",
    }  # fmt: skip


def test_written_files_lie_where_they_belong(tmp_path: Path):
    write_files([PlannedFile("a/run.sh", b"x", executable=True), PlannedFile("b", b"y")], tmp_path)
    assert (tmp_path / "a/run.sh").stat().st_mode & 0o111
    assert not (tmp_path / "b").stat().st_mode & 0o111
