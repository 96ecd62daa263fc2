"""Amazon SageMaker: an image that answers ``serve``, and the model in an archive beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from deployment.deployer.archives import zip_bytes
from deployment.deployer.aws import find_account, open_session
from deployment.deployer.docker_engine import HOW_TO_GET, find_fault
from deployment.deployer.ecr import deletion_command, image_address, push_to_ecr
from deployment.deployer.errors import DeploymentError
from deployment.deployer.imports import check_imports
from deployment.deployer.provider import Context, Options, Plan, PlannedFile, Step, Tool
from deployment.sagemaker.model_archive import pack_model
from ml_project.errors import Problem

FOLDER = "output/sagemaker_deployment"
IMAGE_FOLDER = f"{FOLDER}/image"
ARCHIVE = f"{FOLDER}/model.tar.gz"
DESCRIPTION = f"{FOLDER}/deployment.json"
REPOSITORY = "ml-project-sagemaker"
STORAGE_CHOICES = ("no", "yes")
_OF_PUSH = ("region", "repository")
_SETUP = "pipenv run python deployment/sagemaker/setup_sagemaker_endpoint.py"


class SageMaker:
    """A SageMaker endpoint, in a local container or hosted."""

    name = "sagemaker"
    summary = "Amazon SageMaker: inference image, model.tar.gz, endpoint on this machine or hosted"
    extra_options: Mapping[str, str] = {
        "account-id": "AWS account, 12 digits, to whose registry the image is pushed",
        "region": "AWS region of the registry; by default that of the environment or the profile",
        "repository": f"name of the image's repository, {REPOSITORY} by default",
        "storage": "yes: the image can store predictions in the database of ML_PROJECT_MONITORING__STORAGE__URL; "
        "default: no",
    }

    def tools(self, options: Options) -> Sequence[Tool]:
        """Return docker, which is needed only where an image shall be pushed."""
        return (Tool("docker", "building the image", HOW_TO_GET, required=_is_pushed(options), fault=find_fault),)

    def check(self, context: Context) -> Sequence[Problem]:
        """Return wrong options, modules that the image would lack, and what AWS says against a push."""
        extra = context.options.extra
        problems = []
        if extra.get("storage", "no") not in STORAGE_CHOICES:
            problems.append(Problem(f"must be {' or '.join(STORAGE_CHOICES)}", "--storage", value=extra["storage"]))
        if not _is_pushed(context.options):
            hint = "has no effect without --account-id, which lets the image be pushed"
            problems += [Problem(hint, f"--{name}", value=extra[name]) for name in _OF_PUSH if name in extra]
        else:
            problems += _find_faults_of_push(extra)
        return problems or check_imports(context.options.artifact, _requirements(context), context.root)

    def plan(self, context: Context) -> Plan:
        """Return the image's folder, the archive, and how the image is built and pushed."""
        image_files = _image_files(context)
        tag = _digest(image_files)
        image = f"{REPOSITORY}:{tag}"
        target = _target(context.options, tag)
        description = {"image": image, "image_uri": target.get("address"), "model": "model.tar.gz"}
        files = [
            *(PlannedFile(f"{IMAGE_FOLDER}/{name}", content, name == "serve") for name, content in image_files.items()),
            PlannedFile(ARCHIVE, pack_model(context.artifact_bytes())),
            PlannedFile(DESCRIPTION, f"{json.dumps(description, indent=2)}\n".encode()),
        ]
        has_docker = find_fault() is None
        framework = f"FRAMEWORK={context.options.framework}"
        build = ("docker", "build", "--build-arg", framework, "--tag", image, IMAGE_FOLDER)
        steps = [Step(f"Build the image {image}", command=build, undo=f"docker rmi {image}")] if has_docker else []
        if target:
            steps.append(_push_step(image, tag, target))
        return Plan(tuple(files), tuple(steps), _next_commands(target, None if has_docker else build))


PROVIDER = SageMaker()


def image_name(description: bytes) -> str:
    """Return the local name of the image that a description is of."""
    return str(json.loads(description)["image"])


def _is_pushed(options: Options) -> bool:
    return "account-id" in options.extra


def _find_faults_of_push(extra: Mapping[str, str]) -> list[Problem]:
    try:
        find_account(open_session(extra.get("region")), extra["account-id"])
    except DeploymentError as error:
        return [Problem(str(error))]
    return []


def _requirements(context: Context) -> str:
    stores = context.options.extra.get("storage") == "yes"
    return context.requirements(context.options.framework, storage=stores)


def _image_files(context: Context) -> dict[str, bytes]:
    """Return all that the image is built from, by path in its folder."""
    return {
        "Dockerfile": context.provider_file("Dockerfile"),
        "requirements.txt": _requirements(context).encode(),
        "serve": context.provider_file("serve"),
        # One file instead of all sources, which would fill the list of what was written.
        "package.zip": zip_bytes(context.package_files()),
    }


def _digest(files: Mapping[str, bytes]) -> str:
    """Return a name for what an image is built from; the same sources give the same image's name."""
    hashes = [(name, hashlib.sha256(content).hexdigest()) for name, content in sorted(files.items())]
    return hashlib.sha256(json.dumps(hashes).encode()).hexdigest()[:16]


def _target(options: Options, tag: str) -> dict[str, Any]:
    """Return where the image is pushed to, as keyword arguments; nothing where it is not."""
    if not _is_pushed(options):
        return {}
    account_id, repository = options.extra["account-id"], options.extra.get("repository", REPOSITORY)
    region = str(open_session(options.extra.get("region")).region_name)
    address = image_address(repository, tag, account_id=account_id, region=region)
    return {"account_id": account_id, "region": region, "repository": repository, "address": address}


def _push_step(image: str, tag: str, target: Mapping[str, Any]) -> Step:
    where = {name: target[name] for name in ("account_id", "region", "repository")}

    def push() -> None:
        push_to_ecr(image, tag=tag, **where)

    undo = deletion_command(target["repository"], target["region"])
    return Step(f"Push it as {target['address']}", run=push, undo=undo)


def _next_commands(target: Mapping[str, Any], build: Sequence[str] | None) -> tuple[str, ...]:
    region = target.get("region", "REGION")
    pushing = () if target else (f"bash executables/cloud_setup.sh sagemaker --account-id ACCOUNT --region {region}",)
    return (
        *(("# There is no docker here; where it is, build the image:", " ".join(build)) if build else ()),
        "# On this machine, in a container as SageMaker starts it:",
        f"{_SETUP} --instance-type local",
        "curl http://127.0.0.1:8080/ping",
        f"{_SETUP} --instance-type local --delete",
        "# Hosted (the role: documentation/deployment_sagemaker.md):",
        *pushing,
        f"{_SETUP} --instance-type ml.m5.large --role ROLE_ARN --region {region}",
        f"{_SETUP} --region {region} --delete",
    )
