"""What is particular to App Engine: its configuration, what is uploaded, and a file system that cannot be written."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
import yaml

from deployment.deployer.errors import DeploymentError
from deployment.deployer.planning import make_plan
from deployment.deployer.provider import Options
from deployment.deployer.sources import package_files
from deployment.tests.asking import wait_for_answer
from deployment.tests.environments import REPOSITORY, environment_with
from deployment.tests.processes import clean_environment, free_port, running
from deployment.tests.project_copies import example_project
from deployment.tests.uploads import upload

READER = REPOSITORY / ".runtimes" / "appengine" / "bin" / "python"
READ = """
import json, sys
from google.appengine.api import appinfo
print(json.dumps(appinfo.LoadSingleAppInfo(sys.stdin.read()).ToDict()))
"""
NAME = "google_app_engine"
TRACE = "0123456789abcdef0123456789abcdef"
ROOT_FILES = {"app.yaml", "main.py", "requirements.txt", "model.zip"}
MOST_FILES = 10_000
MOST_FILE_BYTES = 32_000_000

needs_reader = pytest.mark.skipif(
    not READER.exists(), reason="no reader of app.yaml: bash executables/install_provider_runtimes.sh appengine"
)


def read_app_yaml(text: str) -> dict[str, Any]:
    """Return app.yaml as App Engine's own library reads it."""
    done = subprocess.run([READER, "-c", READ], input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ValueError(done.stderr)
    described: dict[str, Any] = json.loads(done.stdout)
    return described


def planned(artifact: Path, **options) -> dict[str, bytes]:
    """Return the planned files by path."""
    plan = make_plan(Options(NAME, artifact, **options), example_project()).plan
    return {file.path: file.content for file in plan.files}


@pytest.fixture(scope="module")
def uploaded(artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What gcloud uploads."""
    return upload(NAME, artifact, tmp_path_factory.mktemp("upload"), ignore_file=".gcloudignore")


@needs_reader
def test_app_yaml_is_what_app_engine_reads(artifact):
    described = read_app_yaml(planned(artifact)["app.yaml"].decode())
    assert described["runtime"] == "python312"
    assert described["entrypoint"] == "exec python main.py"  # App Engine puts exec in front
    assert described["instance_class"] == "F2"
    assert described["automatic_scaling"] == {
        "min_instances": 0,
        "max_instances": 3,
        "target_cpu_utilization": 0.65,
        "max_concurrent_requests": "40",
    }
    assert described["inbound_services"] == ["warmup"]
    assert described["handlers"] == [{"url": "/.*", "script": "auto", "secure": "always"}]


@needs_reader
def test_the_reader_refuses_a_misspelt_field(artifact):
    text = planned(artifact)["app.yaml"].decode().replace("max_instances", "most_instances")
    with pytest.raises(ValueError, match="most_instances"):
        read_app_yaml(text)


def test_framework_is_the_chosen_one_in_settings_and_requirements(artifact):
    files = planned(artifact, framework="flask")
    assert b"ML_PROJECT_SERVING__FRAMEWORK: flask\n" in files["app.yaml"]
    assert b"\ngunicorn==" in files["requirements.txt"]
    assert b"\nuvicorn==" not in files["requirements.txt"]


def test_upload_holds_what_serving_needs_and_nothing_else(uploaded):
    found = {path.relative_to(uploaded).as_posix() for path in uploaded.rglob("*") if path.is_file()}
    assert found == ROOT_FILES | set(package_files(REPOSITORY))
    assert len(found) < MOST_FILES


def test_git_reads_the_ignore_file_alike(artifact, uploaded, tmp_path):
    patterns = tmp_path / "gcloudignore"
    patterns.write_bytes(planned(artifact)[".gcloudignore"])
    command = ("git", "ls-files", "--cached", "--others", "--ignored", f"--exclude-from={patterns}")
    ignored = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.split("\n")
    found = {path.relative_to(uploaded).as_posix() for path in uploaded.rglob("*") if path.is_file()}
    assert not found & set(ignored)
    assert {"Pipfile.lock", "README.md", "ml_project/modelling/training.py"} <= set(ignored)


def test_artifact_above_the_limit_of_a_file_is_refused_before_anything_is_written(artifact, tmp_path):
    from ml_project.artifacts.container import read_container, write_container

    large = tmp_path / "large.zip"
    write_container(large, {**read_container(artifact), "padding": bytes(MOST_FILE_BYTES)})
    with pytest.raises(DeploymentError, match=r"has 3\d\.\d MB, and App Engine takes files of at most 32 MB"):
        make_plan(Options(NAME, large), example_project())


def app_settings(uploaded: Path) -> dict[str, str]:
    """Return the variables of app.yaml, and one of App Engine's own."""
    described = yaml.safe_load((uploaded / "app.yaml").read_text())
    return {**described["env_variables"], "GOOGLE_CLOUD_PROJECT": "my-project"}


def can_mount() -> bool:
    return subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode == 0


def test_instance_answers_where_nothing_but_tmp_can_be_written(uploaded, tmp_path):
    if not can_mount():
        pytest.skip("this machine lets nobody mount a folder read-only")
    port = free_port()
    binaries = environment_with((uploaded / "requirements.txt").read_text()) / "bin"
    environment = {**clean_environment(binaries), **app_settings(uploaded), "PORT": str(port), "HOME": "/nonexistent"}
    script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && cd "$0" && ! touch x && exec python main.py'
    command = ("unshare", "--map-root-user", "--mount", "bash", "-c", script, str(uploaded))
    with running(command, folder=tmp_path, log=tmp_path / "log", environment=environment) as started:
        wait_for_answer(f"http://127.0.0.1:{port}/ready", ended=started.ended)
        headers = {"X-Cloud-Trace-Context": f"{TRACE}/10;o=1"}
        with urlopen(Request(f"http://127.0.0.1:{port}/schema", headers=headers), timeout=10) as answer:
            assert answer.status == 200
    log = started.log.read_text()
    assert "Read-only file system" in log
    [line] = [json.loads(line) for line in log.splitlines() if line.startswith("{") and TRACE in line]
    assert line["logging.googleapis.com/trace"] == f"projects/my-project/traces/{TRACE}"
    assert line["httpRequest"]["requestUrl"] == "/schema"
