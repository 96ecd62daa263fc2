"""The page about adding a provider: its code, put into a copy of the project, gives the golden answers."""

import re
import shutil
import subprocess

import pytest

from deployment.tests.conftest import ARTIFACT_VARIABLE
from deployment.tests.environments import REPOSITORY
from deployment.tests.processes import clean_environment
from tests.workspace import lay_example

PAGE = REPOSITORY / "documentation" / "add_a_provider.md"
BLOCK = re.compile(r"^```(?P<language>ini|python)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
PROVIDER = "deployment/own_server"
NEEDED = ("deployment", "executables", "ml_project", "tests", "Pipfile", "Pipfile.lock", "pyproject.toml")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project with the provider of the page."""
    root = tmp_path_factory.mktemp("project")
    ignored = shutil.ignore_patterns("__pycache__", ".terraform", "*.tfstate*", "*.tfvars*", "target_*.py")
    for name in NEEDED:
        copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copy
        copy(REPOSITORY / name, root / name, **({"ignore": ignored} if copy is shutil.copytree else {}))
    lay_example(root)
    shutil.copy(REPOSITORY / "deployment/tests/target_local.py", root / "deployment/tests")
    for folder in (".venv", ".runtimes"):
        (root / folder).symlink_to(REPOSITORY / folder)
    unit, provider, target = (match["code"] for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8")))
    (root / PROVIDER).mkdir()
    (root / PROVIDER / "__init__.py").write_text('"""A Linux server of one\'s own."""\n', encoding="utf-8")
    (root / PROVIDER / "ml-project.service").write_text(unit, encoding="utf-8")
    (root / PROVIDER / "provider.py").write_text(provider, encoding="utf-8")
    (root / "deployment/tests/target_own_server.py").write_text(target, encoding="utf-8")
    return root


def run(project, *words, artifact):
    environment = {**clean_environment(), "PYTHONPATH": str(project), ARTIFACT_VARIABLE: str(artifact)}
    done = subprocess.run(
        [str(word) for word in words], cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_added_provider_is_known_and_its_wrong_option_is_refused(project, artifact):
    code, told = run(project, "bash", "executables/cloud_setup.sh", "own_server", artifact, artifact=artifact)
    assert code == 1
    assert "--host: must be USER@HOST" in told


def test_added_provider_is_set_up_and_cleaned_up(project, artifact):
    before = {path for path in project.rglob("*") if "__pycache__" not in path.parts}
    words = ("bash", "executables/cloud_setup.sh", "own_server", artifact, "--host", "admin@predictions.example.com")
    code, told = run(project, *words, artifact=artifact)
    assert code == 0, told
    assert "rsync --recursive" in told
    assert (project / "output/own_server_deployment/model.zip").stat().st_size == artifact.stat().st_size
    code, told = run(project, "bash", "executables/cleanup_project.sh", artifact=artifact)
    assert code == 0, told
    assert {path for path in project.rglob("*") if "__pycache__" not in path.parts} == before


def test_added_provider_gives_the_golden_answers(project, artifact):
    python = project / ".venv/bin/python"
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "deployment/tests/test_conformance.py")
    code, told = run(project, python, *words, "--target", "own_server", artifact=artifact)
    assert code == 0, told
    assert " passed" in told
    assert "skipped" not in told
