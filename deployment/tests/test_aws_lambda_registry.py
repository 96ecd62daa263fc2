"""The whole way of the image: built by the deployer, into a registry that is real, with moto as ECR's control plane."""

from __future__ import annotations

import json
import shutil
from types import SimpleNamespace

import boto3
import pytest

from deployment.deployer.docker_engine import find_fault, run_docker
from deployment.deployer.errors import StepFailedError
from deployment.deployer.provider import Options
from deployment.deployer.setting_up import set_up
from deployment.tests.asking import wait_for_answer
from deployment.tests.aws_stand_in import ACCOUNT, REGION
from deployment.tests.processes import free_port, running
from deployment.tests.project_copies import copy_parts

REPOSITORY_NAME = "ml-project-lambda"
HOW_TO_GET = "apt-get install docker-registry"


@pytest.fixture(scope="module")
def registry(tmp_path_factory, pytestconfig):
    """A registry on this machine."""
    reason = find_fault()
    if reason is None and shutil.which("docker-registry") is None:
        reason = f"no docker-registry ({HOW_TO_GET})"
    if reason is not None and pytestconfig.getoption("require_all_targets"):
        pytest.fail(f"the push of the Lambda image cannot run here: {reason}", pytrace=False)
    if reason is not None:
        pytest.skip(f"push of the Lambda image: {reason}")
    folder, address = tmp_path_factory.mktemp("registry"), f"127.0.0.1:{free_port()}"
    config = {"version": 0.1, "storage": {"filesystem": {"rootdirectory": str(folder)}}, "http": {"addr": address}}
    (folder / "config.yml").write_text(json.dumps(config))
    command = ("docker-registry", "serve", "config.yml")
    with running(command, folder=folder, log=folder / "registry.log") as started:
        wait_for_answer(f"http://{address}/v2/", ended=started.ended)
        yield address


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of what the deployer reads."""
    root = tmp_path_factory.mktemp("project")
    copy_parts(root, "ml_project", "deployment/aws_lambda", "Pipfile", "Pipfile.lock")
    return root


def deploy(project, artifact, registry):
    told = []
    extra = {"account-id": ACCOUNT, "region": REGION, "registry": registry, "package": "image"}
    set_up(Options("aws_lambda", artifact, extra=extra), told.append, project)
    variables = json.loads((project / "output" / "lambda_deployment" / "terraform.tfvars.json").read_text())
    return SimpleNamespace(text="\n".join(told), image=variables["image_uri"])


def test_image_is_pushed_under_a_tag_that_stays(aws, project, artifact, registry):
    done = deploy(project, artifact, registry)
    assert done.image.startswith(f"{registry}/{REPOSITORY_NAME}:")
    [created] = boto3.client("ecr").describe_repositories()["repositories"]
    assert created["repositoryName"] == REPOSITORY_NAME
    assert created["imageTagMutability"] == "IMMUTABLE"
    assert created["imageScanningConfiguration"] == {"scanOnPush": True}

    local = done.image.partition("/")[2]
    identifier = run_docker(["image", "inspect", "--format", "{{.Id}}", local])
    run_docker(["rmi", done.image])
    run_docker(["pull", "--quiet", done.image])
    assert run_docker(["image", "inspect", "--format", "{{.Id}}", done.image]) == identifier
    run_docker(["rmi", done.image])

    assert deploy(project, artifact, registry).image == done.image


def test_push_that_fails_says_what_is_there_and_how_to_go_on(aws, project, artifact, registry):
    nobody = f"127.0.0.1:{free_port()}"
    with pytest.raises(StepFailedError) as raised:
        deploy(project, artifact, nobody)
    text = str(raised.value)
    assert f"The repository {REPOSITORY_NAME} exists, without this image" in text
    assert f"aws ecr delete-repository --force --repository-name {REPOSITORY_NAME} --region {REGION}" in text
    assert "docker rmi ml-project-lambda:" in text
