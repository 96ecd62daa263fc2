"""Images in Amazon's registry: the repository at moto's, the push to a real registry that asks for the password."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess

import boto3
import pytest

from deployment.deployer.docker_engine import find_fault, run_docker
from deployment.deployer.ecr import ensure_repository, push_to_ecr
from deployment.deployer.errors import DeploymentError
from deployment.tests.asking import HttpAsk, wait_for_answer
from deployment.tests.aws_stand_in import ACCOUNT
from deployment.tests.processes import free_port, running
from ml_project.serving.messages import HttpRequest

REPOSITORY = "ml-project-test"
IMAGE = "ml-project-test-of-a-push:1"
REGISTRY = """
version: 0.1
storage: {{filesystem: {{rootdirectory: {folder}/images}}}}
http: {{addr: "127.0.0.1:{port}"}}
auth: {{htpasswd: {{realm: test, path: {folder}/passwords}}}}
"""


@pytest.fixture
def registry(aws, tmp_path, pytestconfig):
    """A registry that takes what ECR's password opens; its address and its user and password."""
    reason = find_fault()
    if shutil.which("docker-registry") is None:
        reason = "docker-registry is missing; install the Debian package of this name"
    if reason is not None and pytestconfig.getoption("require_all_targets"):
        pytest.fail(reason, pytrace=False)
    if reason is not None:
        pytest.skip(reason)
    token = boto3.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = base64.b64decode(token).decode().partition(":")
    # bcrypt, the only hash that the registry takes.
    words = ["perl", "-e", "print crypt($ARGV[0], '$2y$05$abcdefghijklmnopqrstuu')", password]
    hashed = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    (tmp_path / "passwords").write_text(f"{user}:{hashed}\n")
    port = free_port()
    (tmp_path / "registry.yml").write_text(REGISTRY.format(folder=tmp_path, port=port))
    command = ("docker-registry", "serve", tmp_path / "registry.yml")
    with running(command, folder=tmp_path, log=tmp_path / "registry.log") as started:
        wait_for_answer(f"http://127.0.0.1:{port}/v2/", ended=started.ended, status=401)
        yield f"127.0.0.1:{port}", token


@pytest.fixture
def image(tmp_path):
    """A small image."""
    archive = tmp_path / "empty.tar"
    archive.write_bytes(bytes(10240))
    run_docker(["import", str(archive), IMAGE])
    yield IMAGE
    run_docker(["rmi", "--force", IMAGE])


def test_repository_that_is_missing_is_created_with_fixed_tags_and_scans(aws):
    told = []
    ensure_repository(boto3.Session(), REPOSITORY, say=told.append)

    [found] = boto3.client("ecr").describe_repositories(repositoryNames=[REPOSITORY])["repositories"]
    assert found["imageTagMutability"] == "IMMUTABLE"
    assert found["imageScanningConfiguration"] == {"scanOnPush": True}
    assert told == [f"Created the repository {found['repositoryUri']}"]


def test_repository_that_is_there_is_left_and_its_movable_tags_are_told(aws):
    boto3.client("ecr").create_repository(repositoryName=REPOSITORY)
    told = []
    ensure_repository(boto3.Session(), REPOSITORY, say=told.append)

    assert aws.calls.count("CreateRepository") == 1
    assert told == [f"The repository {REPOSITORY} was there before, and its tags can be moved to other images"]


def test_push_logs_in_and_the_image_is_in_the_registry(aws, registry, image):
    address, token = registry
    told = []

    target = push_to_ecr(image, repository=REPOSITORY, tag="1", account_id=ACCOUNT, registry=address, say=told.append)

    try:
        assert target == f"{address}/{REPOSITORY}:1"
        ask = HttpAsk(f"http://{address}", headers={"authorization": f"Basic {token}"})
        answer = ask(HttpRequest("GET", f"/v2/{REPOSITORY}/tags/list", {}))
        ask.close()
        assert b'"tags":["1"]' in answer.body
    finally:
        run_docker(["rmi", target])


def test_push_of_an_image_that_is_missing_says_what_exists_and_how_to_undo(aws, registry):
    address, _ = registry
    with pytest.raises(DeploymentError, match=r"docker tag failed: .*No such image") as raised:
        push_to_ecr("ml-project-test:absent", repository=REPOSITORY, tag="1", account_id=ACCOUNT, registry=address)
    assert f"The repository {REPOSITORY} exists, without this image" in str(raised.value)
    assert f"aws ecr delete-repository --force --repository-name {REPOSITORY}" in str(raised.value)


def test_push_of_an_image_that_is_there_already_needs_no_docker(aws, monkeypatch):
    ecr = boto3.client("ecr")
    ecr.create_repository(repositoryName=REPOSITORY, imageTagMutability="IMMUTABLE")
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"}
    ecr.put_image(repositoryName=REPOSITORY, imageTag="1", imageManifest=json.dumps(manifest))
    monkeypatch.setenv("PATH", "")
    told = []

    target = push_to_ecr("any:1", repository=REPOSITORY, tag="1", account_id=ACCOUNT, say=told.append)

    assert told == [f"{target} is there already"]


@pytest.mark.parametrize(
    ("account_id", "message"),
    [
        ("1234", "The account id '1234' is none; AWS's have 12 digits"),
        ("210987654321", f"The credentials are of account {ACCOUNT}, not of 210987654321"),
    ],
)
def test_push_for_another_account_is_refused_before_anything_is_made(aws, account_id, message):
    with pytest.raises(DeploymentError, match=message):
        push_to_ecr("any:1", repository=REPOSITORY, tag="1", account_id=account_id)
    assert "CreateRepository" not in aws.calls
