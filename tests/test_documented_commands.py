"""The runner of the documentation's commands: marks, failures, and pages that need a tool that is not there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

RUNNER = Path(__file__).resolve().parents[1] / "executables/run_documented_commands.py"
NEED = "<!-- The commands of this page need {tool}. -->\n\n"


@pytest.fixture
def run_page(tmp_path):
    """Return a function that runs the commands of a page and gives exit code and output."""

    def run(text, *words, path=os.environ["PATH"]):
        page = tmp_path / "page.md"
        page.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, RUNNER, *words, page],
            cwd=tmp_path,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_blocks_are_run_in_order_and_their_number_is_told(run_page):
    code, output = run_page("```bash\necho 7 > a\n```\n```bash fails=3\nexit $(($(cat a) - 4))\n```\n")
    assert code == 0, output
    assert "2 blocks of commands did what the documentation says" in output


@pytest.mark.parametrize("block", ["```bash\nfalse | true\n```\n", "```bash fails=2\nexit 3\n```\n"])
def test_block_that_does_something_else_is_named(run_page, block):
    code, output = run_page(f"\n\n{block}")
    assert code == 1
    assert "page.md:3" in output.splitlines()[-1]


def test_page_whose_tool_is_missing_is_left_out_and_named(run_page):
    page = NEED.format(tool="steam-engine") + "```bash\nfalse\n```\n"
    code, output = run_page(page)
    assert code == 0
    assert "page.md: there is no steam-engine" in output.splitlines()[-1]
    code, output = run_page(page, "--require-tools")
    assert code == 1
    assert "page.md: there is no steam-engine" in output


def test_page_whose_tool_is_there_is_run(run_page):
    code, _ = run_page(NEED.format(tool="bash") + "```bash\nexit 5\n```\n")
    assert code == 1


def test_docker_without_an_engine_is_missing(run_page, tmp_path):
    (tmp_path / "docker").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    (tmp_path / "docker").chmod(0o755)
    code, output = run_page(NEED.format(tool="docker"), path=f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert code == 0
    assert "there is no docker" in output
