"""What is particular to Heroku: the slug, its two processes, and the commands that get it there."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from deployment.deployer.errors import DeploymentError
from deployment.deployer.planning import make_plan
from deployment.deployer.provider import SERVED_MODULES, Options
from deployment.deployer.sources import package_files
from deployment.tests.asking import wait_for_answer
from deployment.tests.environments import REPOSITORY, environment_with
from deployment.tests.processes import Started, clean_environment, free_port, running
from deployment.tests.project_copies import copy_parts, example_project
from deployment.tests.target_heroku import HONCHO, make_slug
from ml_project.artifacts.container import read_container

MOST_SLUG_BYTES = 500_000_000
STOP_SECONDS = 30
ROOT_FILES = {"Procfile", ".python-version", ".slugignore", "requirements.txt", "model.zip"}


def planned(artifact: Path, **options) -> dict[str, str]:
    """Return the text of each file that is planned, but for the artifact."""
    files = make_plan(Options("heroku", artifact, **options), example_project()).plan.files
    assert {file.path for file in files} == ROOT_FILES
    return {file.path: file.content.decode() for file in files if file.path != "model.zip"}


@pytest.fixture(scope="module")
def slug(artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Heroku makes of the committed files."""
    return make_slug(artifact, tmp_path_factory.mktemp("slug"))


@pytest.fixture(scope="module")
def dyno(slug: Path) -> dict[str, str]:
    """The environment of a dyno, without its port."""
    return clean_environment(environment_with((slug / "requirements.txt").read_text()) / "bin")


@contextmanager
def web(slug: Path, environment: dict[str, str], log: Path) -> Iterator[tuple[Started, int]]:
    port = free_port()
    with running((HONCHO, "start", "web"), folder=slug, log=log, environment=environment | {"PORT": str(port)}) as dyno:
        wait_for_answer(f"http://127.0.0.1:{port}/ready", ended=dyno.ended)
        yield dyno, port


def test_slug_holds_what_serving_needs_and_one_list_of_packages(slug):
    found = {path.relative_to(slug).as_posix() for path in slug.rglob("*") if path.is_file()}
    listed = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert found == ROOT_FILES | (set(package_files(REPOSITORY)) & set(listed.split()))


def test_slug_and_packages_fit_the_limit(slug):
    environment = environment_with((slug / "requirements.txt").read_text())
    sizes = [path.stat().st_size for folder in (slug, environment) for path in folder.rglob("*") if path.is_file()]
    assert sum(sizes) < MOST_SLUG_BYTES  # unpacked, while the limit is for the packed slug


def test_requirements_hold_no_package_of_training_or_of_the_other_framework(artifact):
    for framework, other in (("fastapi", "gunicorn"), ("flask", "uvicorn")):
        lines = planned(artifact, framework=framework)["requirements.txt"].splitlines()
        names = {line.split("==")[0].split("[")[0] for line in lines if "==" in line}
        assert framework in names
        assert not names & {other, "mlflow", "optuna", "evidently", "shap", "pandas", "scikit-learn", "sqlalchemy"}


def test_procfile_names_the_framework_and_the_database(artifact):
    texts = planned(artifact, framework="flask", extra={"storage": "yes"})
    with_database = 'web: ML_PROJECT_MONITORING__STORAGE__URL="$DATABASE_URL" exec python -m ml_project serve'
    assert with_database in texts["Procfile"]
    assert "--framework flask --host 0.0.0.0 --port $PORT" in texts["Procfile"]
    assert "\nsqlalchemy==" in texts["requirements.txt"]


def test_wrong_choice_and_large_artifact_are_refused_together(artifact, monkeypatch):
    monkeypatch.setattr("deployment.heroku.provider.MOST_ARTIFACT_BYTES", 1000)
    with pytest.raises(DeploymentError, match="heroku cannot be set up; nothing was changed") as caught:
        planned(artifact, extra={"storage": "perhaps"})
    first, second = map(str, caught.value.problems)
    assert first == "--storage = 'perhaps': must be no or yes"
    assert "MB, and Heroku takes 500 MB with all packages; export a smaller model" in second


def test_web_stores_predictions_in_herokus_database(slug, artifact, tmp_path):
    texts, database = planned(artifact, extra={"storage": "yes"}), tmp_path / "predictions.db"
    storing = tmp_path / "slug"
    shutil.copytree(slug, storing)
    (storing / "Procfile").write_text(texts["Procfile"])
    environment = clean_environment(HONCHO.parent) | {"DATABASE_URL": f"sqlite:///{database}"}
    with web(storing, environment, tmp_path / "log") as (_, port):
        example = read_container(artifact)["example.json"]
        json_type = {"Content-Type": "application/json"}
        with urlopen(Request(f"http://127.0.0.1:{port}/predict", example, json_type), timeout=10) as answer:
            prediction = json.load(answer)
    with closing(sqlite3.connect(database)) as connection:
        [(stored,)] = connection.execute("SELECT prediction_id FROM predictions").fetchall()
    assert stored == prediction["prediction_id"]


def test_procfile_is_sound(slug):
    done = subprocess.run([HONCHO, "check"], cwd=slug, capture_output=True, text=True, check=True)
    assert "Valid procfile detected (release, web)" in done.stdout + done.stderr


def test_release_is_refused_with_a_damaged_artifact(slug, dyno, tmp_path):
    broken = tmp_path / "slug"
    shutil.copytree(slug, broken)
    (broken / "model.zip").write_bytes((broken / "model.zip").read_bytes()[:-1] + b"x")
    done = subprocess.run(
        [HONCHO, "start", "release"], cwd=broken, env=dyno, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "check_artifact: model.zip is damaged: its content has sha256" in done.stdout


def test_web_listens_everywhere_with_the_workers_that_heroku_wants(slug, dyno, tmp_path):
    with web(slug, dyno | {"WEB_CONCURRENCY": "2"}, tmp_path / "log") as (started, port):
        with socket.create_connection(("127.0.0.2", port), timeout=10):
            pass  # another address than the usual one of this machine
        assert f"Serving on http://0.0.0.0:{port} (fastapi, 2 workers)" in started.log.read_text()


@pytest.mark.parametrize("framework", ["fastapi", "flask"])
def test_web_ends_in_order_before_heroku_kills_it(slug, artifact, tmp_path, framework):
    chosen = tmp_path / "slug"
    shutil.copytree(slug, chosen)
    (chosen / "Procfile").write_text(planned(artifact, framework=framework)["Procfile"])
    with web(chosen, clean_environment(HONCHO.parent), tmp_path / "log") as (started, _):
        started.process.send_signal(signal.SIGTERM)
        started.process.wait(STOP_SECONDS)
        assert "stopped (rc=0)" in started.log.read_text()


def run(*command: str, folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, env=clean_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def test_printed_commands_push_the_files_and_leave_a_dirty_tree_as_it_was(artifact, tmp_path):
    clone, remote = tmp_path / "clone", tmp_path / "heroku.git"
    run("git", "init", "--quiet", "--initial-branch=main", str(clone), folder=tmp_path)
    tracked = run("git", "ls-files", folder=REPOSITORY).splitlines()
    copy_parts(clone, *tracked)  # as they are here, committed or not
    run("git", "init", "--quiet", "--bare", "--initial-branch=main", str(remote), folder=tmp_path)
    run("git", "remote", "add", "heroku", str(remote), folder=clone)
    run("git", "config", "user.name", "A Person", folder=clone)
    run("git", "config", "user.email", "person@example.com", folder=clone)
    run("git", "add", "--all", folder=clone)
    run("git", "commit", "--quiet", "--allow-empty", "--message", "as it is here", folder=clone)
    (clone / ".venv").symlink_to(REPOSITORY / ".venv")
    (clone / "README.md").write_text("changed and not committed\n")
    (clone / "staged.txt").write_text("added and not committed\n")
    run("git", "add", "staged.txt", folder=clone)
    before, head = run("git", "status", "--porcelain", folder=clone), run("git", "rev-parse", "HEAD", folder=clone)
    for _ in range(2):
        told = run("bash", "executables/cloud_setup.sh", "heroku", str(artifact), folder=clone)
        commands = [line.strip() for line in told.splitlines() if line.startswith("  git ")]
        assert len(commands) == 5
        for command in commands:
            run("bash", "-c", command, folder=clone)
        pushed = set(run("git", "ls-tree", "--name-only", "main", folder=remote).split())
        assert pushed >= ROOT_FILES
        assert "staged.txt" not in pushed
        assert run("git", "show", "main:README.md", folder=remote) != "changed and not committed\n"
        assert run("git", "status", "--porcelain", folder=clone) == before
        assert run("git", "rev-parse", "HEAD", folder=clone) == head
    assert "Heroku gets the last commit" not in told
    run("bash", "executables/cleanup_project.sh", folder=clone)
    with (clone / "ml_project/cli.py").open("a") as file:
        file.write("# changed and not committed\n")
    told = run("bash", "executables/cloud_setup.sh", "heroku", str(artifact), "--dry-run", folder=clone)
    assert "  # Heroku gets the last commit, without your changes in ml_project/cli.py.\n" in told
    run("git", "checkout", "--quiet", "--", "ml_project", folder=clone)
    assert run("git", "status", "--porcelain", folder=clone) == before


def test_modules_that_the_requirements_lack_are_named_before_anything_is_written(artifact, monkeypatch):
    # Requirements for FastAPI, tried with what Flask needs.
    monkeypatch.setitem(SERVED_MODULES, "fastapi", SERVED_MODULES["flask"])
    with pytest.raises(DeploymentError, match="heroku cannot be set up; nothing was changed") as caught:
        planned(artifact)
    [problem] = caught.value.problems
    assert str(problem) == "gunicorn: is not in the deployed packages, and it has to be there"
