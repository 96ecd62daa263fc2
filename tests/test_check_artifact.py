"""The check that a release makes before it goes live."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ml_project.check_artifact import main
from tests.artifacts.fitted import fit


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "model.zip"
    fit("linear").export(path)
    return path


def test_sound_artifact_is_described(artifact):
    command = (sys.executable, "-m", "ml_project.check_artifact", str(artifact))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{artifact}: linear ")
    assert done.stdout.endswith("predicts its example\n")


def test_missing_and_damaged_artifacts_fail_with_the_reason(artifact, tmp_path, capsys):
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(artifact.read_bytes()[:-1])
    assert main([str(tmp_path / "nothing.zip")]) == 1
    assert main([str(damaged)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert f"check_artifact: There is no artifact at {tmp_path}/nothing.zip; train a model first" in told.err
    assert f"check_artifact: {damaged} is truncated, or a zip file that is no artifact" in told.err


@pytest.mark.parametrize("words", [[], ["a.zip", "b.zip"]])
def test_wrong_words_are_answered_with_the_usage(words, capsys):
    assert main(words) == 2
    assert capsys.readouterr().err == "usage: python -m ml_project.check_artifact FILE\n"
