"""Files that are written whole or not at all."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ml_project.safe_file import replaced_on_success


def test_replaced_on_success_replaces_the_file_and_makes_its_folder(tmp_path: Path):
    for content in ("one", "two"):
        with replaced_on_success(tmp_path / "new" / "table.csv") as temporary:
            temporary.write_text(content)
    assert (tmp_path / "new" / "table.csv").read_text() == "two"
    assert [entry.name for entry in (tmp_path / "new").iterdir()] == ["table.csv"]


def test_replaced_on_success_has_the_permissions_of_any_new_file(tmp_path: Path):
    (tmp_path / "other.csv").write_text("")
    with replaced_on_success(tmp_path / "table.csv") as temporary:
        temporary.write_text("")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("other.csv", "table.csv")}
    assert len(modes) == 1


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_replaced_on_success_failure_keeps_the_old_file(tmp_path: Path, error: type[BaseException]):
    (tmp_path / "table.csv").write_text("old")

    def write_half() -> None:
        with replaced_on_success(tmp_path / "table.csv") as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert (tmp_path / "table.csv").read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["table.csv"]


def test_replaced_on_success_killed_run_leaves_the_old_file_and_the_next_run_cleans_up(tmp_path: Path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    code = (
        "import os, pathlib, signal; from ml_project.safe_file import replaced_on_success\n"
        f"with replaced_on_success(pathlib.Path({str(path)!r})) as temporary:\n"
        "    temporary.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode != 0
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2
    with replaced_on_success(path) as temporary:
        temporary.write_text("new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["table.csv"]
