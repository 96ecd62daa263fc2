"""Tests of scaffolding.template.destination."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ml_project.errors import ConfigError
from scaffolding.template.destination import check_destination, made_at_once
from tests.scaffolding.small_template import make_small_template

KILLED = """
import os, signal, sys
from pathlib import Path
from scaffolding.template.destination import made_at_once
with made_at_once(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("made")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def template(tmp_path):
    return make_small_template(tmp_path / "template")


def problem(destination, template, n_bytes=0):
    return "\n".join(map(str, check_destination(destination, template, "first_try", n_bytes)))


def make(destination, error=None, meanwhile=None):
    with made_at_once(destination) as folder:
        (folder / "file").write_text("whole")
        if meanwhile:
            meanwhile()
        if error:
            raise error


def test_check_destination_free_places_have_no_problem(template, tmp_path):
    (tmp_path / "empty").mkdir()
    for place in ("empty", "new", "deep/down/new"):
        assert problem(tmp_path / place, template) == ""


def test_check_destination_with_files_is_refused(template, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    assert "is not empty; name a folder that is empty or not there" in problem(tmp_path / "full", template)
    assert "is no folder" in problem(tmp_path / "full" / "file", template)


def test_check_destination_in_around_or_as_the_template_is_refused(template, tmp_path):
    (tmp_path / "link").symlink_to(template)
    for place in (template, template / "output" / "new", tmp_path / "link" / "new"):
        assert "lies inside the template" in problem(place, template)
    assert "contains the template" in problem(tmp_path, template)


def test_check_destination_root_of_all_folders_is_refused(template):
    assert "contains the template" in problem(Path("/"), template)


def test_check_destination_folder_that_this_is_called_from_is_refused(template, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert "is the folder that this is called from" in problem(tmp_path / "empty", template)


def test_check_destination_below_a_file_is_refused(template, tmp_path):
    (tmp_path / "file").touch()
    assert f"{tmp_path / 'file'} is no folder that you may write to" in problem(tmp_path / "file" / "new", template)


def test_check_destination_on_a_full_disk_is_refused(template, tmp_path):
    assert "MB are needed; free some space" in problem(tmp_path / "new", template, n_bytes=2**60)


@pytest.mark.parametrize("place", ["new", "deep/down/new"])
def test_made_at_once_success_leaves_only_the_destination(tmp_path, place):
    make(tmp_path / place)
    assert (tmp_path / place / "file").read_text() == "whole"
    assert [path.name for path in (tmp_path / place).parent.iterdir()] == ["new"]


def test_made_at_once_empty_folder_is_replaced(tmp_path):
    (tmp_path / "new").mkdir()
    make(tmp_path / "new")
    assert (tmp_path / "new" / "file").read_text() == "whole"


@pytest.mark.parametrize("error", [OSError("full"), KeyboardInterrupt()])
def test_made_at_once_error_leaves_nothing(tmp_path, error):
    with pytest.raises(type(error)):
        make(tmp_path / "deep" / "new", error)
    assert list(tmp_path.iterdir()) == []


def test_made_at_once_destination_filled_meanwhile_is_kept(tmp_path):
    def fill():
        (tmp_path / "new").mkdir()
        (tmp_path / "new" / "mine").touch()

    with pytest.raises(OSError, match="not empty"):
        make(tmp_path / "new", meanwhile=fill)
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["new", "new/mine"]


def test_made_at_once_left_over_of_a_killed_run_is_replaced(tmp_path):
    words = [sys.executable, "-c", KILLED, str(tmp_path / "new")]
    root = Path(__file__).resolve().parents[3]
    killed = subprocess.run(words, cwd=root, env=os.environ | {"PYTHONPATH": str(root)}, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "new").exists()
    assert len(list(tmp_path.iterdir())) == 1
    make(tmp_path / "new")
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["new", "new/file"]


def test_made_at_once_beside_another_run_is_refused(tmp_path):
    with made_at_once(tmp_path / "new") as folder:
        (folder / "file").touch()
        with pytest.raises(ConfigError, match="is being made by another run"):
            make(tmp_path / "new")
    assert (tmp_path / "new" / "file").exists()
