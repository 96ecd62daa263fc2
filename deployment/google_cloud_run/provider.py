"""Google Cloud Run: the release image of docker, run by Google, with nothing to pay while nobody asks."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence

from deployment.deployer.provider import Context, Options, Plan, PlannedFile, Tool
from deployment.docker.image import (
    IMAGE_OPTIONS,
    build_arguments,
    build_step,
    check_image_options,
    docker_tool,
    image_files,
    push_step,
    wants,
)
from ml_project.errors import Problem

FOLDER = "deployment/google_cloud_run"
SETTINGS_FILE = f"{FOLDER}/setup.auto.tfvars.json"
DEFAULT_REGION = "europe-west1"
DEFAULT_REPOSITORY = "ml-project"
IMAGE_NAME = "ml-project"
_INSTALL = "install it from"
_TERRAFORM_PAGE = "https://developer.hashicorp.com/terraform/install"
_RULES = {
    "project-id": (r"[a-z][a-z0-9-]{4,28}[a-z0-9]", "the id of your project, as `gcloud projects list` shows it"),
    "region": (r"[a-z]+-[a-z]+[0-9]+", f"a region, such as {DEFAULT_REGION}"),
    "repository": (r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", "lower-case letters, digits and hyphens, a letter first"),
}
"""What Google takes, by option: pattern, and the same in words."""


class GoogleCloudRun:
    """Builds the image under its name in Artifact Registry, and tells Terraform about it."""

    name = "google_cloud_run"
    summary = "the image of docker as a service of Google Cloud Run"
    extra_options: Mapping[str, str] = {
        "project-id": "id of the Google Cloud project (needed)",
        "region": f"region of service and images (default: {DEFAULT_REGION})",
        "repository": f"repository of Artifact Registry (default: {DEFAULT_REPOSITORY})",
        **IMAGE_OPTIONS,
    }

    def tools(self, options: Options) -> Sequence[Tool]:
        """Return docker, and what the next commands need."""
        return [
            docker_tool(),
            Tool("gcloud", "signing in", f"{_INSTALL} https://cloud.google.com/sdk/docs/install", required=False),
            Tool("terraform", "making the service", f"{_INSTALL} {_TERRAFORM_PAGE}", required=False),
        ]

    def check(self, context: Context) -> Sequence[Problem]:
        """Return what is wrong with the options."""
        settings = _settings(context.options)
        problems = [
            Problem(f"must be {wanted}", f"--{option}", value=settings[_variable(option)] or None)
            for option, (pattern, wanted) in _RULES.items()
            if not re.fullmatch(pattern, settings[_variable(option)])
        ]
        return problems or check_image_options(context.options, _image_name(settings))

    def plan(self, context: Context) -> Plan:
        """Return the files of the build and Terraform's settings, the build, and what to type next."""
        settings = _settings(context.options)
        files = image_files(context)
        # Cloud Run deploys again only if the name differs, so code and packages are part of it.
        image = f"{_image_name(settings)}:{context.manifest.version}-{_content_hash(context, files)[:8]}"
        steps = [build_step(context, image)]
        if wants(context.options, "push"):
            steps.append(push_step(image))
        terraform_settings = json.dumps({**settings, "image": image}, indent=2) + "\n"
        return Plan(
            (*files, PlannedFile(SETTINGS_FILE, terraform_settings.encode())),
            tuple(steps),
            tuple(_next_commands(settings, image, is_pushed=wants(context.options, "push"))),
        )


def _settings(options: Options) -> dict[str, str]:
    """Return Terraform's variables."""
    defaults = {"project-id": "", "region": DEFAULT_REGION, "repository": DEFAULT_REPOSITORY}
    return {_variable(option): options.extra.get(option, default) for option, default in defaults.items()}


def _variable(option: str) -> str:
    return option.replace("-", "_")


def _image_name(settings: Mapping[str, str]) -> str:
    return f"{_registry(settings)}/{settings['project_id']}/{settings['repository']}/{IMAGE_NAME}"


def _registry(settings: Mapping[str, str]) -> str:
    return f"{settings['region']}-docker.pkg.dev"


def _content_hash(context: Context, files: Sequence[PlannedFile]) -> str:
    """Return the hash of everything that the image is made of, but for its base, labels included."""
    sources = (*context.root.glob("ml_project/**/*.py"), *context.root.glob("deployment/docker/*"))
    found = {path.relative_to(context.root).as_posix(): path.read_bytes() for path in sources if path.is_file()}
    found |= {file.path: file.content for file in files}
    found |= {name: value.encode() for name, value in build_arguments(context).items()}
    digest = hashlib.sha256()
    for name, content in sorted(found.items()):
        digest.update(f"{name}\n{hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()


def _next_commands(settings: Mapping[str, str], image: str, *, is_pushed: bool) -> list[str]:
    terraform = f"terraform -chdir={FOLDER}"
    push = [] if is_pushed else [f"docker push {image}"]
    return [
        "# Once: sign in, let docker push, make the repository:",
        "gcloud auth login && gcloud auth application-default login",
        f"gcloud auth configure-docker {_registry(settings)}",
        f"{terraform} init",
        f"{terraform} apply -target=google_artifact_registry_repository.images",
        "# For each release:",
        *push,
        f"{terraform} apply",
        "# Ask it, as somebody in `invokers`:",
        f'curl -H "Authorization: Bearer $(gcloud auth print-identity-token)" "$({terraform} output -raw url)/version"',
    ]


PROVIDER = GoogleCloudRun()
