"""Tests of scaffolding.template.repository."""

import subprocess

import pytest

from scaffolding.template.repository import make_repository


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return a folder with two files and settings of git that are empty."""
    settings = tmp_path / "settings"
    settings.touch()
    for variable in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(variable, str(settings))
    for variable in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"):
        monkeypatch.delenv(variable, raising=False)
    root = tmp_path / "project"
    root.mkdir()
    for name in ("a file [1].txt", "data.csv", "not mine"):
        (root / name).write_text(name)
    return root


def know_the_user(project):
    settings = project.parent / "settings"
    settings.write_text("[user]\nname = Ann\nemail = ann@example.org\n[core]\nexcludesFile = ~/nothing\n")


def git(project, *words):
    return subprocess.run(["git", *words], cwd=project, check=True, capture_output=True, text=True).stdout


PATHS = ["a file [1].txt", "data.csv"]


def test_make_repository_known_user_has_one_commit_of_the_files(project):
    know_the_user(project)
    assert make_repository(project, PATHS, "Start") == "committed"
    assert git(project, "log", "--format=%an %s %D") == "Ann Start HEAD -> main\n"
    assert git(project, "ls-files").splitlines() == PATHS


def test_make_repository_unknown_user_leaves_the_files_staged(project):
    assert make_repository(project, PATHS, "Start") == "staged"
    assert git(project, "status", "--short").splitlines() == ['A  "a file [1].txt"', "A  data.csv", '?? "not mine"']
    assert (project.parent / "settings").read_text() == ""


def test_make_repository_files_that_the_user_ignores_are_committed(project):
    know_the_user(project)
    (project.parent / "ignored").write_text("*.csv\n")
    settings = project.parent / "settings"
    settings.write_text(settings.read_text().replace("~/nothing", str(project.parent / "ignored")))
    assert make_repository(project, PATHS, "Start") == "committed"
    assert git(project, "ls-files").splitlines() == PATHS


def test_make_repository_refused_commit_leaves_the_files_staged(project):
    know_the_user(project)
    hooks = project.parent / "hooks"
    hooks.mkdir()
    (hooks / "pre-commit").write_text("#!/bin/sh\nexit 1\n")
    (hooks / "pre-commit").chmod(0o755)
    settings = project.parent / "settings"
    settings.write_text(settings.read_text() + f"hooksPath = {hooks}\n")
    assert make_repository(project, PATHS, "Start") == "staged"


def test_make_repository_variables_of_another_repository_do_not_lead_there(project, monkeypatch):
    know_the_user(project)
    other = project.parent / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    assert make_repository(project, PATHS, "Start") == "committed"
    assert (project / ".git").is_dir()


def test_make_repository_without_git_says_so(project, monkeypatch):
    monkeypatch.setenv("PATH", str(project))
    assert make_repository(project, PATHS, "Start") == "no git"
