"""Sets the function up: a folder for the image or a zip package, the image in ECR, and Terraform's variables."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from deployment.aws_lambda.package import MOST_DIRECT_BYTES, build_package
from deployment.deployer.docker_engine import find_fault
from deployment.deployer.errors import DeploymentError
from deployment.deployer.provider import Context, Options, Plan, PlannedFile, Step, Tool
from ml_project.errors import MlProjectError, Problem

FOLDER = "output/lambda_deployment"
TERRAFORM = "deployment/aws_lambda"
REPOSITORY = "ml-project-lambda"
OWN_FILES = ("app.py",)
IMAGE_FILES = ("Dockerfile", ".dockerignore")
INVOCATIONS = "http://127.0.0.1:8080/2015-03-31/functions/function/invocations"


class AwsLambda:
    """A function on AWS Lambda."""

    name = "aws_lambda"
    summary = "a function on AWS Lambda, as an image or a zip package, with Terraform"
    extra_options: Mapping[str, str] = {
        "account-id": "AWS account, 12 digits: the image is pushed to its registry",
        "region": "AWS region, for instance eu-central-1; by default that of your AWS configuration",
        "package": "image or zip; by default an image where docker is installed",
        "storage": "yes: take the packages along that store predictions in a database",
        "registry": "HOST[:PORT] of a registry that takes the image instead of the account's own",
    }

    def tools(self, options: Options) -> Sequence[Tool]:
        """Return docker for images, and Terraform for what comes next."""
        terraform = Tool(
            "terraform",
            "creating the function",
            "https://developer.hashicorp.com/terraform/install",
            required=False,
        )
        if not _is_image(options):
            return (terraform,)
        docker = Tool(
            "docker",
            "building the image",
            "https://docs.docker.com/engine/install, or take --package zip",
            fault=find_fault,
        )
        return (docker, terraform)

    def check(self, context: Context) -> Sequence[Problem]:
        """Return wrong options, wrong credentials, and modules that the function would miss."""
        from deployment.deployer.imports import check_imports

        extra = context.options.extra
        package = extra.get("package")
        if package not in (None, "image", "zip"):
            return [Problem("must be image or zip", "package", value=package)]
        if extra.get("storage") not in (None, "yes", "no"):
            return [Problem("must be yes or no", "storage", value=extra["storage"])]
        problems = list(check_imports(context.options.artifact, _requirements(context, "aws-lambda"), context.root))
        if "account-id" in extra and not _is_image(context.options):
            return [*problems, Problem("is for images; a zip package is uploaded by Terraform", "account-id")]
        if "account-id" in extra:
            problems += find_account_problems(extra)
        return problems

    def plan(self, context: Context) -> Plan:
        """Return the files of the image or the zip package, and what follows."""
        return _plan_image(context) if _is_image(context.options) else _plan_package(context)


PROVIDER = AwsLambda()


def _is_image(options: Options) -> bool:
    """Return whether an image is deployed: as the options say, or where docker is installed or needed."""
    wanted = options.extra.get("package")
    if wanted is None:
        return "account-id" in options.extra or shutil.which("docker") is not None
    return wanted != "zip"


def find_account_problems(extra: Mapping[str, str]) -> list[Problem]:
    """Return why an image cannot be pushed to the account that options name: its number, credentials, region."""
    from deployment.deployer.aws import find_account, open_session

    try:
        find_account(open_session(extra.get("region")), extra["account-id"])
    except MlProjectError as error:
        return [Problem(str(error), "account-id")]
    return []


def _plan_image(context: Context) -> Plan:
    files = {
        **{name: context.provider_file(name) for name in IMAGE_FILES},
        **_function_files(context),
        # AWS's base image has the runtime's client already.
        "requirements.txt": _requirements(context).encode(),
    }
    image = f"{REPOSITORY}:{_tag(context, files)}"
    build = Step(
        f"build the image {image}",
        # Lambda takes no index of images, which newer clients make to attach attestations.
        command=(
            *("env", "BUILDX_NO_DEFAULT_ATTESTATIONS=1"),
            *("docker", "build", "--platform", "linux/amd64", "--tag", image, FOLDER),
        ),
        undo=f"docker rmi {image}",
    )
    if "account-id" not in context.options.extra:
        return Plan(_planned(files, context), (build,), _try_here(image))
    target, region, push = _push(context, image)
    variables = {"image_uri": target, "region": region}
    return Plan(_planned(files, context, variables), (build, push), (*_try_here(image), *_use_terraform()))


def _push(context: Context, image: str) -> tuple[str, str, Step]:
    """Return the address of the image in the registry, its region, and the step that brings it there."""
    from deployment.deployer.aws import open_session
    from deployment.deployer.ecr import deletion_command, image_address, push_to_ecr

    extra = context.options.extra
    account, region = extra["account-id"], str(open_session(extra.get("region")).region_name)
    tag = image.rpartition(":")[2]
    target = image_address(REPOSITORY, tag, account_id=account, region=region)
    if "registry" in extra:
        target = f"{extra['registry']}/{image}"

    def push() -> None:
        push_to_ecr(
            image,
            repository=REPOSITORY,
            tag=tag,
            account_id=account,
            region=region,
            registry=extra.get("registry"),
        )

    title = f"push the image to account {account} in {region}"
    return target, region, Step(title, run=push, undo=deletion_command(REPOSITORY, region))


def _plan_package(context: Context) -> Plan:
    files = _function_files(context)
    package = build_package(_requirements(context), files)
    note = f"# {len(package) / 1e6:.0f} MB; at most {MOST_DIRECT_BYTES / 1e6:.0f} MB can be uploaded directly"
    through_s3 = "# add -var package_bucket=YOUR-BUCKET to upload it through S3"
    variables = {"package_file": f"../../{FOLDER}/package.zip", **_given(context.options.extra, "region")}
    return Plan(
        _planned({"package.zip": package}, context, variables),
        next_commands=(note, *((through_s3,) if len(package) > MOST_DIRECT_BYTES else ()), *_use_terraform()),
    )


def _given(extra: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: extra[name] for name in names if name in extra}


def _requirements(context: Context, *categories: str) -> str:
    return context.requirements(*categories, storage=context.options.extra.get("storage") == "yes")


def _function_files(context: Context) -> dict[str, bytes]:
    """Return what belongs to the function beside the packages, by its path in the function's folder."""
    return {
        **{name: context.provider_file(name) for name in OWN_FILES},
        "model.zip": context.artifact_bytes(),
        **context.package_files(),
    }


def _tag(context: Context, files: Mapping[str, bytes]) -> str:
    """Return a tag that names the model and all else in the image, so that equal tags mean equal images."""
    digest = hashlib.sha256()
    for path, content in sorted(files.items()):
        digest.update(f"{path}\0{len(content)}\0".encode() + content)
    return f"{context.manifest.version}-{digest.hexdigest()[:12]}"


def _planned(
    files: Mapping[str, bytes], context: Context, variables: Mapping[str, str] | None = None
) -> tuple[PlannedFile, ...]:
    """Return the files below their folder, with an event to try the function with and Terraform's variables."""
    written = {**files, "event.json": _as_json(_example(context))}
    if variables is not None:
        written["terraform.tfvars.json"] = _as_json(variables)
    return tuple(PlannedFile(f"{FOLDER}/{path}", content) for path, content in sorted(written.items()))


def _example(context: Context) -> Any:
    examples = context.manifest.input_schema.get("examples")
    if not examples:
        raise DeploymentError("The artifact's schema has no example; export the model again")
    return examples[0]


def _as_json(content: Any) -> bytes:
    return (json.dumps(content, indent=2) + "\n").encode()


def _try_here(image: str) -> tuple[str, ...]:
    return (
        "# try it here, in one shell and in another",
        f"docker run --rm -p 8080:8080 --read-only --tmpfs /tmp --memory 1769m {image}",
        f"curl {INVOCATIONS} --data @{FOLDER}/event.json",
    )


def _use_terraform() -> tuple[str, ...]:
    return (
        "# create or change the function; the same with destroy removes it",
        f"terraform -chdir={TERRAFORM} init",
        f"terraform -chdir={TERRAFORM} apply -var-file=../../{FOLDER}/terraform.tfvars.json",
    )
