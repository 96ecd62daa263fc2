"""The options of the suite, in runs of their own: which targets are asked, where, and what is said of the others."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from deployment.tests.conftest import ARTIFACT_VARIABLE
from deployment.tests.environments import REPOSITORY
from deployment.tests.processes import clean_environment
from deployment.tests.target_local import Served
from deployment.tests.targets import KEY_VARIABLE
from tests.workspace import ENVIRONMENT

SUITE = "deployment/tests/test_conformance.py"
KEY = "a key of enough letters"
ABSENT = """
from deployment.tests import targets
from deployment.tests.target_local import InProcess

class Absent(InProcess):
    name = "absent"

    def missing(self):
        return "no engine of steam"

targets.find_targets = lambda: [InProcess(), Absent()]
"""


def run_suite(artifact, *words, **environment):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", SUITE, *words],
        cwd=REPOSITORY,
        env={**clean_environment(), **ENVIRONMENT, ARTIFACT_VARIABLE: str(artifact), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--target", "fast_api"), "There is no target 'fast_api'; did you mean 'fastapi'?"),
        (("--endpoint", "http://127.0.0.1:1"), "--endpoint asks one deployment; say which kind with one --target"),
    ],
)
def test_options_that_cannot_be_used_are_refused(tmp_path, words, said):
    code, output = run_suite(tmp_path / "none.zip", *words)
    assert code == pytest.ExitCode.USAGE_ERROR
    assert said in output


def test_target_that_cannot_run_is_named_at_the_end(artifact, tmp_path):
    (tmp_path / "absent.py").write_text(ABSENT, encoding="utf-8")
    words = ("-p", "absent", "--target", "absent", "--target", "in_process")
    path = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{REPOSITORY}"}
    code, output = run_suite(artifact, *words, **path)
    assert code == 0, output
    assert "not run: absent: no engine of steam" in output
    assert "1 passed, 1 skipped" in output
    code, output = run_suite(artifact, *words, "--require-all-targets", **path)
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "absent cannot run here: no engine of steam" in output


@pytest.fixture(scope="module")
def live(artifact, tmp_path_factory):
    """A deployment that the suite did not start, with a key and without the suite's settings."""
    folder = tmp_path_factory.mktemp("live")
    with Served("fastapi").serving(artifact, folder, {"ML_PROJECT_SERVING__API_KEY": KEY}) as url:
        yield url


def test_live_deployment_is_asked(live, artifact):
    code, output = run_suite(artifact, "--target", "flask", "--endpoint", live, **{KEY_VARIABLE: KEY})
    assert code == 0, output
    assert "1 passed" in output


def test_live_deployment_without_its_key_fails(live, artifact):
    code, output = run_suite(artifact, "--target", "fastapi", "--endpoint", live)
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "api_key_wrong" in output


def test_live_deployment_of_another_model_fails(live, tmp_path):
    from tests.artifacts.fitted import fit

    tree = fit("decision_tree")
    other = tree.export(tmp_path / "other.zip", config=tree.with_engine("onnx"))
    code, output = run_suite(other, "--target", "fastapi", "--endpoint", live, **{KEY_VARIABLE: KEY})
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "header x-model-version is" in output
