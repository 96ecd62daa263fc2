"""Fresh environments: exactly what is required, made once, and refused without the right hashes."""

from __future__ import annotations

import hashlib
import subprocess
import zipfile

import pytest

from deployment.tests import environments
from deployment.tests.environments import environment_with

METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{more}"


@pytest.fixture(autouse=True)
def own_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(environments, "ENVIRONMENTS", tmp_path / "environments")


def make_wheel(folder, name, more=""):
    """Write the smallest wheel that pip installs."""
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{name}.py", f"NAME = {name!r}\n")
        archive.writestr(f"{info}/METADATA", METADATA.format(name=name, more=more))
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return wheel


def require(wheel, sha256=None):
    name = wheel.name.partition("-")[0]
    return f"{name} @ {wheel.as_uri()} --hash=sha256:{sha256 or hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


def test_environment_has_what_is_required_and_nothing_else_and_is_made_once(tmp_path):
    requirements = require(make_wheel(tmp_path, "small"))
    folder = environment_with(requirements)
    code = "import small, importlib.metadata as m; print([d.name for d in m.distributions()])"
    command = [folder / "bin/python", "-I", "-c", code]  # without the tests' own path
    listed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert listed == "['small']\n"
    made = (folder / "complete").stat().st_mtime_ns
    assert environment_with(requirements) == folder
    assert (folder / "complete").stat().st_mtime_ns == made
    assert environment_with(f"{requirements}# otherwise\n") != folder


def test_package_with_another_hash_is_refused_and_tried_again_later(tmp_path):
    wheel = make_wheel(tmp_path, "small")
    for _ in range(2):
        with pytest.raises(RuntimeError, match="THESE PACKAGES DO NOT MATCH THE HASHES"):
            environment_with(require(wheel, sha256="0" * 64))


def test_package_without_hash_is_refused(tmp_path):
    with pytest.raises(RuntimeError, match=r"(?i)hash"):
        environment_with(f"small @ {make_wheel(tmp_path, 'small').as_uri()}\n")


def test_requirement_that_is_not_listed_is_refused(tmp_path):
    with pytest.raises(RuntimeError, match=r"small 1\.0 requires absent, which is not installed"):
        environment_with(require(make_wheel(tmp_path, "small", "Requires-Dist: absent\n")))
