"""What the deployer says and leaves behind when something goes wrong half-way."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from deployment.tests.deployer_project import MEMORY_FILE, DeployerProject, make_project
from deployment.tests.processes import clean_environment


@pytest.fixture
def project(tmp_path: Path, artifact: Path) -> DeployerProject:
    return make_project(tmp_path, artifact)


def test_failing_step_says_what_exists_now_and_how_to_go_on_or_undo(project):
    project.write("build.sh", "exit 7\n")
    done = project.set_up("toy", project.artifact, "--step", "yes")
    assert done.code == 1
    assert done.out.splitlines() == ["  step 1 of 3: mark: touch marked", "  step 2 of 3: build: sh build.sh"]
    assert done.err == (
        "Step 2 of 3 failed: the command ended with exit code 7: sh build.sh\n"
        "The files are written. Correct the cause and run the same command again, or bash "
        "executables/cleanup_project.sh, which removes the files. The steps:\n"
        "  - mark: done; to undo: rm marked\n"
        "  - build: failed; if it left something: remove what build.sh made\n"
        "  - publish: not started\n"
    )
    assert project.read("toy.txt") == "red\n"


def test_after_a_failing_step_the_same_command_goes_on(project):
    project.write("build.sh", "exit 7\n")
    project.set_up("toy", project.artifact, "--step", "yes")
    project.write("build.sh", "exit 0\n")
    done = project.set_up("toy", project.artifact, "--step", "yes")
    assert done.code == 0
    assert done.out.count("unchanged") == 3


def test_after_a_failing_step_clean_up_removes_the_files_and_tells_of_the_rest_once(project):
    project.write("build.sh", "exit 7\n")
    before = project.files()
    for _ in range(2):
        project.set_up("toy", project.artifact, "--step", "yes")
    done = project.clean_up()
    assert done.code == 0
    assert done.out.splitlines()[3:] == [
        "",
        "Made outside of these files; to undo it:",
        "  toy, mark: rm marked",
        "  toy, build: remove what build.sh made",
    ]
    assert project.files() == before | {"marked": b""}
    assert project.clean_up().out == "  nothing to remove\n"


def test_command_of_a_step_that_is_missing(project):
    project.write("build.sh", "exit 0\n")
    provider = project.root / "deployment/toy/provider.py"
    provider.write_text(provider.read_text().replace('("sh", "build.sh")', '("no-such-program",)'))
    done = project.set_up("toy", project.artifact, "--step", "yes")
    assert done.code == 1
    assert "Step 2 of 3 failed: [Errno 2] No such file or directory: 'no-such-program'" in done.err


def test_unforeseen_error_of_a_step_is_told_with_what_exists(project):
    provider = project.root / "deployment/toy/provider.py"
    text = provider.read_text().replace('Step("publish", ("true",))', 'Step("publish", run=lambda: {}["account"])')
    provider.write_text(text)
    project.write("build.sh", "exit 0\n")
    done = project.set_up("toy", project.artifact, "--step", "yes")
    assert done.code == 1
    assert done.err.startswith("Step 3 of 3 failed: KeyError: 'account'\nThe files are written. ")
    assert done.err.endswith("  - publish: failed\n")


def test_killed_deployer_leaves_what_can_be_cleaned_up(project):
    project.write("build.sh", "kill -9 $PPID\n")
    before = project.files()
    assert project.set_up("toy", project.artifact, "--step", "yes").code == -9
    assert set(project.files()) - set(before) == {"marked", "toy.txt", "common.txt", "output/toy/run.sh"}
    assert project.clean_up().code == 0
    assert set(project.files()) - set(before) == {"marked"}


def set_up_with_small_files(project: DeployerProject, *words: str) -> subprocess.CompletedProcess[str]:
    """Run cloud_setup.sh where no file can have more than 2048 bytes, as on a disk that becomes full."""
    script = project.root / "executables" / "cloud_setup.sh"
    return subprocess.run(
        ["bash", "-c", 'ulimit -f 2; bash "$@"', "bash", str(script), *words],
        cwd=project.root,
        env={**clean_environment(), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_file_that_cannot_be_written_leaves_no_half_file_and_is_gone_on_from(project):
    project.set_up("toy", project.artifact)
    color = "z" * 5000
    done = set_up_with_small_files(project, "toy", str(project.artifact), "--color", color)
    assert done.returncode == 1
    assert done.stderr.startswith("Stopped half-way at ")
    assert "File too large. Correct that and run the same command again, which goes on from here, or " in done.stderr
    assert project.read("toy.txt") == "red\n"
    assert not [path for path in project.files() if ".unfinished" in path]
    assert project.set_up("toy", project.artifact, "--color", color).code == 0
    assert project.read("toy.txt") == f"{color}\n"


def test_what_was_written_before_a_failure_can_be_cleaned_up(project):
    before = project.files()
    done = set_up_with_small_files(project, "toy", str(project.artifact), "--color", "z" * 5000)
    assert done.stderr.endswith("  - done until then: common.txt, output/toy/run.sh\n")
    assert set(project.files()) - set(before) == {"common.txt", "output/toy/run.sh"}
    assert project.clean_up().code == 0
    assert project.files() == before
    assert not (project.root / MEMORY_FILE).exists()


def test_second_deployer_at_the_same_time_is_refused(project):
    project.write("build.sh", "until [ -e go ]; do sleep 0.05; done\n")
    script = project.root / "executables" / "cloud_setup.sh"
    command = ["bash", str(script), "toy", str(project.artifact), "--step", "yes"]
    first = subprocess.Popen(command, env=clean_environment(), stdout=subprocess.PIPE, text=True)
    try:
        while "build" not in first.stdout.readline():
            assert first.poll() is None
        for done in (project.set_up("other", project.artifact), project.clean_up()):
            assert (done.code, done.out) == (1, "")
            assert done.err == f"Another deployer is at work in {project.root}; wait for its end and run this again\n"
    finally:
        project.write("go", "")
        first.communicate()
    assert first.returncode == 0


def test_reader_that_goes_away_keeps_nothing_from_being_done(project):
    project.write("build.sh", "touch built\n")
    script = project.root / "executables" / "cloud_setup.sh"
    command = 'bash "$@" | true; exit "${PIPESTATUS[0]}"'
    done = subprocess.run(
        ["bash", "-c", command, "bash", script, "toy", project.artifact, "--step", "yes"],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert project.read("toy.txt") == "red\n"
    assert (project.root / "built").exists()
