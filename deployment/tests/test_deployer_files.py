"""What the deployer writes, remembers, leaves alone and removes, by its commands in a project of their own."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from deployment.tests.deployer_project import MEMORY_FILE, DeployerProject, make_project


@pytest.fixture
def project(tmp_path: Path, artifact: Path) -> DeployerProject:
    return make_project(tmp_path, artifact)


TOY_FILES = {
    "toy.txt": b"red\n",
    "common.txt": b"for everybody\n",
    "output/toy/run.sh": b"#!/bin/sh\n",
}


def test_set_up_writes_the_files_and_says_what_to_type_next(project):
    before = project.files()
    done = project.set_up("toy", project.artifact)
    assert (done.code, done.err) == (0, "")
    assert project.files() == before | TOY_FILES
    assert (project.root / "output/toy/run.sh").stat().st_mode & 0o100
    title, *lines = done.out.splitlines()
    assert re.fullmatch(r"toy: random_forest [0-9a-f]{12}, engine onnx, model.of.tests.zip", title)
    assert lines == [
        "  written     common.txt                  14 bytes",
        "  written     output/toy/run.sh           10 bytes",
        "  written     toy.txt                      4 bytes",
        "",
        "What to type next:",
        "  # Look at it.",
        "  cat toy.txt",
        "",
        "Remove it again: bash executables/cleanup_project.sh",
    ]


def test_set_up_twice_gives_the_same(project):
    project.set_up("toy", project.artifact)
    once, remembered = project.files(), project.read(MEMORY_FILE)
    times = {path: (project.root / path).stat().st_mtime_ns for path in TOY_FILES}
    done = project.set_up("toy", project.artifact)
    assert done.code == 0
    assert done.out.count("unchanged") == 3
    assert (project.files(), project.read(MEMORY_FILE)) == (once, remembered)
    assert {path: (project.root / path).stat().st_mtime_ns for path in TOY_FILES} == times


def test_clean_up_removes_exactly_what_was_written(project):
    before = project.files()
    folders = {path for path in project.root.rglob("*") if path.is_dir()}
    project.set_up("toy", project.artifact)
    done = project.clean_up()
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "  removed     common.txt",
        "  removed     output/toy/run.sh",
        "  removed     toy.txt",
    ]
    assert project.files() == before
    assert not (project.root / MEMORY_FILE).exists()
    left = {path for path in project.root.rglob("*") if path.is_dir()} - folders
    assert {path.name for path in left} <= {"__pycache__"}
    assert project.clean_up().out == "  nothing to remove\n"


def test_clean_up_leaves_a_folder_in_which_something_else_lies(project):
    project.set_up("toy", project.artifact)
    project.write("output/toy/mine.txt", "mine")
    assert project.clean_up().code == 0
    assert [path.name for path in (project.root / "output/toy").iterdir()] == ["mine.txt"]


def test_clean_up_leaves_folders_that_were_there_before(project):
    (project.root / "output").mkdir()
    project.set_up("toy", project.artifact)
    project.clean_up()
    assert list((project.root / "output").iterdir()) == []


def test_commands_work_from_any_folder_with_relative_artifacts(project, tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "deployment").mkdir()  # which Python must not take for the project's
    (folder / "model.zip").write_bytes(project.artifact.read_bytes())
    assert project.set_up("toy", "model.zip", folder=folder).code == 0
    assert project.read("toy.txt") == "red\n"
    assert sorted(path.name for path in folder.iterdir()) == ["deployment", "model.zip"]
    assert project.clean_up(folder=folder).code == 0
    assert not (project.root / "toy.txt").exists()


def test_dry_run_lists_everything_and_changes_nothing(project):
    before = project.files()
    done = project.set_up("toy", project.artifact, "--dry-run", "--step", "yes")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0].endswith("model.of.tests.zip: nothing is changed (--dry-run)")
    assert done.out.splitlines()[1:] == [
        "  to write    common.txt                  14 bytes",
        "  to write    output/toy/run.sh           10 bytes",
        "  to write    toy.txt                      4 bytes",
        "  step 1 of 3: mark: touch marked",
        "  step 2 of 3: build: sh build.sh",
        "  step 3 of 3: publish: true",
        "",
        "What to type next:",
        "  # Look at it.",
        "  cat toy.txt",
    ]
    assert project.files() == before
    assert not (project.root / MEMORY_FILE).exists()


def test_dry_run_shows_what_is_in_the_way(project):
    project.write("toy.txt", "mine")
    before = project.files()
    done = project.set_up("toy", project.artifact, "--dry-run")
    assert done.code == 1
    assert "  IN THE WAY  toy.txt                      4 bytes" in done.out.splitlines()
    assert "toy.txt: is there already, and the deployer did not write it" in done.err
    assert project.files() == before


def test_dry_run_of_clean_up_changes_nothing(project):
    project.set_up("toy", project.artifact)
    before, remembered = project.files(), project.read(MEMORY_FILE)
    done = project.clean_up("--dry-run")
    assert done.out.splitlines()[0] == "  to remove   common.txt"
    assert (project.files(), project.read(MEMORY_FILE)) == (before, remembered)


def test_foreign_file_stops_everything_and_is_named(project):
    project.write("toy.txt", "mine")
    project.write("output/toy/run.sh", "mine, too")
    before = project.files()
    done = project.set_up("toy", project.artifact)
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "Files are in the way; nothing was changed; save what you need of them, then --force replaces them.\n"
        "  - output/toy/run.sh: is there already, and the deployer did not write it\n"
        "  - toy.txt: is there already, and the deployer did not write it\n"
    )
    assert project.files() == before
    assert not (project.root / MEMORY_FILE).exists()


def test_foreign_file_with_the_wanted_content_is_left_and_never_removed(project):
    project.write("toy.txt", "red\n")
    done = project.set_up("toy", project.artifact)
    assert "  not ours    toy.txt                      4 bytes" in done.out.splitlines()
    assert "toy.txt" not in json.loads(project.read(MEMORY_FILE))["files"]
    project.clean_up()
    assert project.read("toy.txt") == "red\n"


def test_force_replaces_foreign_files_and_owns_them_from_then_on(project):
    project.write("toy.txt", "mine")
    done = project.set_up("toy", project.artifact, "--force")
    assert "  replaced    toy.txt                      4 bytes" in done.out.splitlines()
    assert project.read("toy.txt") == "red\n"
    project.clean_up()
    assert not (project.root / "toy.txt").exists()


def test_own_file_is_replaced_when_its_content_changes(project):
    project.set_up("toy", project.artifact)
    done = project.set_up("toy", project.artifact, "--color", "blue")
    assert done.code == 0
    assert "  replaced    toy.txt                      5 bytes" in done.out.splitlines()
    assert project.read("toy.txt") == "blue\n"


def test_own_file_that_is_no_longer_wanted_is_removed(project):
    project.set_up("toy", project.artifact, "--color", "green")
    assert project.read("shared.txt") == "toy\n"
    done = project.set_up("toy", project.artifact)
    assert "  removed     shared.txt" in done.out.splitlines()
    assert not (project.root / "shared.txt").exists()


def test_edited_file_is_neither_replaced_nor_removed_without_force(project):
    project.set_up("toy", project.artifact)
    project.write("toy.txt", "red and mine\n")
    done = project.set_up("toy", project.artifact, "--color", "blue")
    assert done.code == 1
    assert "  - toy.txt: was edited since the deployer wrote it\n" in done.err
    assert project.read("toy.txt") == "red and mine\n"
    done = project.clean_up()
    assert done.code == 1
    assert done.out.splitlines() == ["  removed     common.txt", "  removed     output/toy/run.sh"]
    assert done.err == (
        "Files are left, because the deployer does not remove what is not its own. --force removes edited ones; to "
        "keep them and forget that the deployer wrote them, delete .deployment_manifest.json.\n"
        "  - toy.txt: was edited since the deployer wrote it\n"
    )
    assert project.read("toy.txt") == "red and mine\n"
    assert project.clean_up("--force").code == 0
    assert not (project.root / "toy.txt").exists()
    assert not (project.root / MEMORY_FILE).exists()


def test_file_that_somebody_removed_is_written_again_and_cleaned_up_in_peace(project):
    project.set_up("toy", project.artifact)
    (project.root / "toy.txt").unlink()
    assert project.set_up("toy", project.artifact).code == 0
    assert project.read("toy.txt") == "red\n"
    (project.root / "toy.txt").unlink()
    assert project.clean_up().code == 0


def test_two_providers_share_a_file_of_equal_content_until_the_last_is_removed(project):
    project.set_up("toy", project.artifact)
    assert project.set_up("other", project.artifact).code == 0
    done = project.clean_up("toy")
    assert done.out.splitlines() == ["  removed     output/toy/run.sh", "  removed     toy.txt"]
    assert (project.root / "common.txt").exists()
    assert (project.root / "other.txt").exists()
    project.clean_up("other")
    assert not (project.root / "common.txt").exists()
    assert not (project.root / MEMORY_FILE).exists()


def test_two_providers_that_want_other_content_at_one_place(project):
    project.set_up("toy", project.artifact, "--color", "green")
    before = project.files()
    done = project.set_up("other", project.artifact, "--color", "green")
    assert done.code == 1
    assert done.err == (
        "Files are in the way; nothing was changed; save what you need of them, then --force replaces them.\n"
        "  - shared.txt: belongs to the deployment to toy, which needs other content\n"
    )
    assert project.files() == before
    assert project.set_up("other", project.artifact, "--color", "green", "--force").code == 0
    assert project.read("shared.txt") == "other\n"
    assert project.clean_up().code == 0
    assert "shared.txt" not in project.files()


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_links_and_folders_in_the_way_stop_everything_even_with_force(project, tmp_path_factory, force):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "precious.txt").write_text("precious")
    (project.root / "toy.txt").symlink_to(outside / "precious.txt")
    (project.root / "output").symlink_to(outside)
    (project.root / "common.txt").mkdir()
    done = project.set_up("toy", project.artifact, *force)
    assert done.code == 1
    assert done.err == (
        "Files are in the way; nothing was changed.\n"
        "  - common.txt: is no file; remove or rename it\n"
        "  - output/toy/run.sh: lies in output, which is a link; the deployer only writes below the root\n"
        f"  - toy.txt: is a link to {outside / 'precious.txt'}; remove or rename it\n"
    )
    assert (outside / "precious.txt").read_text() == "precious"
    assert [path.name for path in outside.iterdir()] == ["precious.txt"]


def test_own_file_that_became_a_link_is_left(project, tmp_path_factory):
    precious = tmp_path_factory.mktemp("outside") / "precious.txt"
    precious.write_text("red\n")
    project.set_up("toy", project.artifact)
    (project.root / "toy.txt").unlink()
    (project.root / "toy.txt").symlink_to(precious)
    done = project.clean_up("--force")
    assert done.code == 1
    assert "toy.txt: is a link to" in done.err
    assert precious.read_text() == "red\n"
    assert (project.root / "toy.txt").is_symlink()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "JSON: "),
        ('{"format": 2}', "format: "),
        ('{"files": {"../precious.txt": {"sha256": [], "providers": []}}}', "leads out of the root: ../precious.txt"),
    ],
)
def test_memory_that_cannot_be_trusted_stops_everything(project, text, reason):
    project.set_up("toy", project.artifact)
    project.write(MEMORY_FILE, text)
    before = project.files()
    for done in (project.set_up("toy", project.artifact, "--color", "blue"), project.clean_up()):
        assert (done.code, done.out) == (1, "")
        assert f"{MEMORY_FILE} cannot be read, so nobody knows which files the deployer wrote: " in done.err
        assert reason in done.err
        assert "remove by hand what is not wanted, and delete this file" in done.err
    assert project.files() == before
