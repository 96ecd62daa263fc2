"""The inference image beyond its answers: what is in it, under whom it runs, how it starts; local endpoints."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import closing

import pytest

from deployment.deployer.docker_engine import find_fault, read_log, run_docker
from deployment.deployer.errors import DeploymentError
from deployment.sagemaker.model_archive import pack_model, unpack_model
from deployment.sagemaker.provider import ARCHIVE
from deployment.sagemaker.setup_sagemaker_endpoint import main
from deployment.tests.asking import HttpAsk, wait_for_answer
from deployment.tests.environments import REPOSITORY
from deployment.tests.golden import RECORD
from deployment.tests.processes import clean_environment, free_port
from deployment.tests.target_sagemaker import HARDENED, build_image, image_started
from ml_project.serving.messages import HttpRequest

SERVE = REPOSITORY / "deployment" / "sagemaker" / "serve"
NOT_FOR_SERVING = (
    "pandas",
    "sklearn",
    "mlflow",
    "optuna",
    "shap",
    "matplotlib",
    "sqlalchemy",
    "pytest",
    "boto3",
    "pip",
)
HEADERS = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def built(artifact, tmp_path_factory, pytestconfig):
    """The image's name and the folder of the deployer's files."""
    reason = find_fault()
    if reason is not None and pytestconfig.getoption("require_all_targets"):
        pytest.fail(f"docker cannot be used: {reason}", pytrace=False)
    if reason is not None:
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("image")
    return build_image(artifact, folder), folder


@pytest.fixture(scope="module")
def container(built):
    """The image with two workers on another port."""
    image, folder = built
    with image_started(image, folder, "--env", "SAGEMAKER_MODEL_SERVER_WORKERS=2") as started:
        yield started


@pytest.fixture
def words(built, tmp_path):
    """A function that gives the words of a local set-up; what it starts is removed."""
    image, folder = built
    port = free_port()
    name = ["--instance-type", "local", "--endpoint-name", f"test-{port}"]

    def make(*further, image=image):
        return [*name, "--image", image, "--model", str(folder / ARCHIVE), "--port", str(port), *further]

    yield make
    main([*name, "--delete"])


def run_serve(tmp_path, **variables):
    """Return what `serve` says that is started with a folder in place of /opt/ml."""
    environment = {**clean_environment(), "SAGEMAKER_BASE_DIR": str(tmp_path), **variables}
    return subprocess.run([sys.executable, SERVE], env=environment, capture_output=True, text=True, check=False)


def test_archive_of_the_same_artifact_has_the_same_bytes(tmp_path):
    first = pack_model(b"the model")
    (tmp_path / "model.tar.gz").write_bytes(first)
    unpack_model(tmp_path / "model.tar.gz", tmp_path / "model")

    assert pack_model(b"the model") == first
    assert (tmp_path / "model" / "model.zip").read_bytes() == b"the model"
    assert (tmp_path / "model" / "model.zip").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("files", "variables", "message"),
    [
        ((), {}, "There is no artifact (*.zip) in {folder} (it is empty)"),
        (("notes.txt",), {}, "There is no artifact (*.zip) in {folder} (notes.txt)"),
        (("a.zip", "b.zip"), {}, "{folder} has several artifacts: a.zip, b.zip"),
        (("a.zip",), {"SAGEMAKER_BIND_TO_PORT": "80a"}, "SAGEMAKER_BIND_TO_PORT = '80a' has to be a whole number"),
        (("a.zip",), {"SAGEMAKER_MODEL_SERVER_WORKERS": "0"}, "SAGEMAKER_MODEL_SERVER_WORKERS = '0' has to be"),
    ],
)
def test_serve_with_something_wrong_says_what(tmp_path, files, variables, message):
    folder = tmp_path / "model"
    folder.mkdir()
    for name in files:
        (folder / name).write_bytes(b"")

    done = run_serve(tmp_path, **variables)

    assert done.returncode == 1
    assert done.stderr.startswith(f"serve: {message.format(folder=folder)}")


def test_serve_without_the_model_folder_says_so(tmp_path):
    assert f"in {tmp_path / 'model'} (no such folder)" in run_serve(tmp_path).stderr


def test_container_starts_as_root_and_serves_as_a_user_without_rights(container):
    lines = run_docker(["top", container.id, "-o", "pid,uid,args"]).splitlines()[1:]
    assert lines
    assert [line for line in lines if line.split()[1] == "0"] == []


def test_container_has_workers_as_many_as_asked_for(container):
    arguments = run_docker(["top", container.id, "-o", "pid,args"]).splitlines()
    assert sum("spawn_main" in line for line in arguments) == 2


def test_container_writes_nothing_but_json_after_its_first_line(container):
    with closing(HttpAsk(container.url)) as ask:
        body = json.dumps({"dataframe_records": [RECORD]}).encode()
        assert ask(HttpRequest("POST", "/invocations", HEADERS, body)).status == 200
    lines = read_log(container.id, n_lines=1000).splitlines()
    described = [line for line in lines if not line.startswith("{")]
    assert len(described) == 1
    assert described[0].startswith("Serving on ")
    assert all(json.loads(line)["severity"] for line in lines if line.startswith("{"))


def test_image_has_what_serving_needs_compiled_and_nothing_else(container):
    code = f"import importlib.util as u; print([n for n in {NOT_FOR_SERVING} if u.find_spec(n)])"
    assert container.run("python", "-c", code) == "[]"
    packages = "/opt/venv/lib/python3.12/site-packages"
    count = "import pathlib, sys; print(*[len(list(pathlib.Path(sys.argv[1]).rglob(p))) for p in ('*.py', '*.pyc')])"
    sources, compiled = container.run("python", "-c", count, f"{packages}/ml_project").split()
    assert int(sources) == int(compiled) > 50


def test_image_honours_the_port_that_sagemaker_chooses(built):
    image, folder = built
    port = free_port()
    unpack_model(folder / ARCHIVE, folder / "other" / "model")
    mount = f"type=bind,source={folder / 'other' / 'model'},target=/opt/ml/model,readonly"
    published = f"127.0.0.1:{port}:8099"
    variables = ("--env", "SAGEMAKER_BIND_TO_PORT=8099", "--env", "SAGEMAKER_MODEL_SERVER_WORKERS=1")
    words = ["run", "--detach", *HARDENED, "--mount", mount, "--publish", published, *variables, image, "serve"]
    container = run_docker(words)
    try:
        wait_for_answer(f"http://127.0.0.1:{port}/ping")
    finally:
        run_docker(["rm", "--force", container])


def test_image_that_cannot_leave_root_says_what_it_needs(built):
    image, folder = built
    unpack_model(folder / ARCHIVE, folder / "third" / "model")
    mount = f"type=bind,source={folder / 'third' / 'model'},target=/opt/ml/model,readonly"
    with pytest.raises(DeploymentError, match=r"Cannot go on as user model: .*; run it with CAP_SETUID and CAP_SETGID"):
        run_docker(["run", "--rm", "--cap-drop=ALL", "--mount", mount, image, "serve"])


def test_local_endpoint_set_up_twice_is_one_container_and_delete_stops_it(words, capsys):
    assert main(words()) == 0
    first = capsys.readouterr().out
    assert main(words()) == 0
    assert "runs already" in capsys.readouterr().out
    assert main(words("--env", "SAGEMAKER_MODEL_SERVER_WORKERS=1")) == 0
    replaced = capsys.readouterr().out
    assert f"Removed the container {first.split()[3]}" in replaced

    assert main(words("--delete")) == 0

    assert replaced.split("Started the container ")[1][:12] in capsys.readouterr().out
    assert main(words("--delete")) == 0
    assert "No container runs for the endpoint" in capsys.readouterr().out


def test_local_endpoint_on_a_port_that_is_taken_is_refused(words, capsys):
    port = int(words()[-1])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert main(words()) == 1
    assert f"Port {port} cannot be used: Address already in use; choose another --port" in capsys.readouterr().err


def test_local_endpoint_of_an_image_that_is_missing_says_how_to_build_it(words, capsys):
    assert main(words(image="ml-project-test:absent")) == 1
    assert "Build it: bash executables/cloud_setup.sh sagemaker" in capsys.readouterr().err


def test_local_endpoint_that_ends_at_once_shows_its_log_and_is_removed(words, tmp_path, capsys):
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(pack_model(b"no artifact"))

    assert main(words("--model", str(archive))) == 1

    output = capsys.readouterr()
    assert "The container ended (exited 1) before it answered" in output.err
    assert "model.zip" in output.err
    assert "Removed the container" in output.out


def test_local_endpoint_without_a_docker_engine_says_so(words, monkeypatch, capsys):
    chosen = words()
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    assert main(chosen) == 1
    assert "Cannot connect to the Docker daemon" in capsys.readouterr().err
    monkeypatch.undo()


def test_local_endpoint_without_docker_says_how_to_get_it(words, monkeypatch, capsys):
    chosen = words()
    monkeypatch.setenv("PATH", "/nowhere")
    assert main(chosen) == 1
    assert "docker is missing; install Docker" in capsys.readouterr().err
    monkeypatch.undo()


def test_script_is_started_by_its_path_from_anywhere(tmp_path):
    script = REPOSITORY / "deployment" / "sagemaker" / "setup_sagemaker_endpoint.py"
    words = [sys.executable, script, "--help"]
    done = subprocess.run(words, cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "--instance-type" in done.stdout
