"""The set-up of SageMaker: what it plans, what it refuses; and the suite's way to ask a hosted endpoint."""

from __future__ import annotations

import json
import threading
from contextlib import closing, contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deployment.deployer.docker_engine import find_fault
from deployment.deployer.errors import DeploymentError
from deployment.deployer.planning import make_plan
from deployment.deployer.provider import Options
from deployment.sagemaker.provider import ARCHIVE, DESCRIPTION, IMAGE_FOLDER
from deployment.tests.aws_stand_in import ACCOUNT, CREDENTIALS, REGION
from deployment.tests.golden import GOLDEN
from deployment.tests.judge import Judge
from deployment.tests.project_copies import example_project
from deployment.tests.target_local import InProcess
from deployment.tests.target_sagemaker import StartedByServe
from ml_project.serving.messages import HttpRequest

IMAGE_FILES = ("Dockerfile", "package.zip", "requirements.txt", "serve")


@pytest.fixture
def without_docker(monkeypatch):
    """A machine on which docker does not answer."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")


def plan(artifact, framework="fastapi", **extra):
    named = {name.replace("_", "-"): value for name, value in extra.items()}
    return make_plan(Options("sagemaker", artifact, framework, extra=named), example_project())


def test_plan_made_twice_is_the_same_and_has_all_files(artifact, without_docker):
    first = plan(artifact).plan

    assert first == plan(artifact).plan
    wanted = [ARCHIVE, DESCRIPTION, *(f"{IMAGE_FOLDER}/{name}" for name in IMAGE_FILES)]
    assert sorted(file.path for file in first.files) == sorted(wanted)
    assert [file.path for file in first.files if file.executable] == [f"{IMAGE_FOLDER}/serve"]


def test_plan_without_docker_tells_how_to_build_and_notes_what_is_missing(artifact, without_docker):
    checked = plan(artifact)

    assert checked.plan.steps == ()
    assert any("no docker engine answers" in note for note in checked.notes)
    assert checked.plan.next_commands[1].startswith("docker build --build-arg FRAMEWORK=fastapi --tag ml-project")


def test_another_framework_gives_another_image(artifact, without_docker):
    def image(framework):
        files = {file.path: file.content for file in plan(artifact, framework).plan.files}
        return json.loads(files[DESCRIPTION])["image"], files[f"{IMAGE_FOLDER}/requirements.txt"]

    (fastapi, fastapi_packages), (flask, flask_packages) = image("fastapi"), image("flask")
    assert fastapi != flask
    assert b"\nuvicorn==" in fastapi_packages
    assert b"\nuvicorn==" not in flask_packages
    assert b"\ngunicorn==" in flask_packages


def test_plan_with_an_account_pushes_to_its_registry(artifact, aws):
    reason = find_fault()
    if reason is not None:
        pytest.skip(reason)
    planned = plan(artifact, account_id=ACCOUNT, region=REGION, repository="team/titanic").plan

    [described] = [json.loads(file.content) for file in planned.files if file.path == DESCRIPTION]
    tag = described["image"].partition(":")[2]
    assert described["image_uri"] == f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/team/titanic:{tag}"
    assert (
        planned.steps[1].undo == f"aws ecr delete-repository --force --repository-name team/titanic --region {REGION}"
    )


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"region": REGION}, r"--region = 'eu-central-1': has no effect without --account-id"),
        ({"storage": "maybe"}, r"--storage = 'maybe': must be no or yes"),
        ({"account_id": "12", "region": REGION}, r"The account id '12' is none"),
        ({"account_id": "210987654321", "region": REGION}, r"The credentials are of account 123456789012, not of 2109"),
    ],
)
def test_wrong_options_are_refused(artifact, aws, extra, message):
    with pytest.raises(DeploymentError, match=message):
        plan(artifact, **extra)


def test_push_without_credentials_or_docker_names_both(artifact, aws, without_docker, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(DeploymentError, match=r"(?s)no docker engine answers.*There are no AWS credentials"):
        plan(artifact, account_id=ACCOUNT, region=REGION)


@contextmanager
def hosted(ask, name):
    """Serve SageMaker's runtime API for one endpoint, whose container is asked by a function.

    As SageMaker does, it hands on one route and one header, and wraps what is no success.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            assert self.path == f"/endpoints/{name}/invocations"
            assert self.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=testing/")
            head = {"content-type": self.headers["content-type"]}
            answer = ask(HttpRequest("POST", "/invocations", head, body))
            if answer.status == HTTPStatus.OK:
                self.give(HTTPStatus.OK, answer.body, answer.media_type)
                return
            text = answer.body.decode()
            wrapped = {"Message": text, "OriginalStatusCode": answer.status, "OriginalMessage": text}
            self.give(HTTPStatus.FAILED_DEPENDENCY, json.dumps(wrapped).encode(), "application/json", "ModelError")

        def give(self, status, body, media_type, error=None):
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            if error is not None:
                self.send_header("x-amzn-ErrorType", error)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_hosted_endpoint_is_asked_by_its_name_and_gives_the_golden_answers(artifact, loaded, tmp_path, monkeypatch):
    target, judge = StartedByServe(), Judge(loaded)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with InProcess().running(artifact, tmp_path) as container, hosted(container, "titanic") as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with closing(target.live("titanic")) as ask:
            asked = [golden for golden in GOLDEN if target.takes(golden)]
            faults = {golden.name: judge.find_faults(golden, ask(golden.make_request())) for golden in asked}
            wrong = judge.find_faults(asked[0], ask(HttpRequest("POST", "/invocations", {}, b"{}")))
    assert {golden.status for golden in asked} == {200, 400}
    assert {name: found for name, found in faults.items() if found} == {}
    assert wrong


def test_container_takes_every_golden_request():
    assert all(StartedByServe().takes(golden) for golden in GOLDEN)
