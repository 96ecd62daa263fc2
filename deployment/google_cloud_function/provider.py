"""Google Cloud Functions, second generation: a zip file with everything, deployed by the Terraform files here."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence

from deployment.deployer.archives import zip_bytes
from deployment.deployer.bytecode import with_bytecode
from deployment.deployer.errors import DeploymentError
from deployment.deployer.imports import check_imports
from deployment.deployer.provider import Context, Options, Plan, PlannedFile, Tool
from ml_project.errors import Problem

FOLDER = "deployment/google_cloud_function"
SETTINGS_FILE = f"{FOLDER}/setup.auto.tfvars.json"
ZIP = "output/function_deployment/function_deployment.zip"
CATEGORY = "google-cloud-function"
IMPORTED_BY_MAIN = ("functions_framework", "ml_project.serving.adapters.google_worker", "ml_project.serving.deployed")
MEGABYTE = 1_000_000
MOST_PACKED = 100 * MEGABYTE
MOST_UNPACKED = 500 * MEGABYTE
"""What Google takes of sources, in bytes."""
_RULES = {
    "project-id": (r"[a-z][a-z0-9-]{4,28}[a-z0-9]", "the id of your project, as `gcloud projects list` shows it"),
    "region": (r"[a-z]+-[a-z]+[0-9]+", "a region such as europe-west1; `gcloud functions regions list` shows all"),
}
"""What Google takes, by option: pattern, and the same in words."""


class GoogleCloudFunction:
    """Writes the zip file; Terraform takes it from there."""

    name = "google_cloud_function"
    summary = "Google Cloud Function (2nd generation) behind an HTTPS address, deployed by Terraform"
    extra_options: Mapping[str, str] = {
        "project-id": "id of the Google Cloud project; Terraform asks for it where it is not given here",
        "region": "region of the function (default: Terraform's, europe-west1)",
    }

    def tools(self, options: Options) -> Sequence[Tool]:
        """Return what the next commands need; the zip file needs nothing."""
        return (
            Tool(
                "terraform",
                "deploying the zip file",
                "install 1.9 or later: https://developer.hashicorp.com/terraform/install",
                required=False,
            ),
            Tool(
                "gcloud",
                "signing in at Google",
                "install the Google Cloud CLI: https://cloud.google.com/sdk/docs/install",
                required=False,
            ),
        )

    def check(self, context: Context) -> Sequence[Problem]:
        """Return which options are wrong, or which modules the function would miss."""
        problems = [
            Problem(f"must be {wanted}", f"--{option}", value=context.options.extra[option])
            for option, (pattern, wanted) in _RULES.items()
            if not re.fullmatch(pattern, context.options.extra.get(option, ""))
            if option in context.options.extra
        ]
        if problems:
            return problems
        requirements = context.requirements(CATEGORY)
        return check_imports(context.options.artifact, requirements, context.root, IMPORTED_BY_MAIN)

    def plan(self, context: Context) -> Plan:
        """Return the zip file, and Terraform's variables where options give them.

        Raises
        ------
        DeploymentError
            When it has more than Google takes.
        """
        files = function_files(context)
        packed = zip_bytes(files)
        n_unpacked = sum(map(len, files.values()))
        refuse_too_large(len(packed), n_unpacked, files)
        settings = {option.replace("-", "_"): value for option, value in sorted(context.options.extra.items())}
        written = json.dumps(settings, indent=2).encode() + b"\n"
        variables = (PlannedFile(SETTINGS_FILE, written),) if settings else ()
        return Plan((PlannedFile(ZIP, packed), *variables), next_commands=_next_commands(packed, n_unpacked, settings))


def function_files(context: Context) -> dict[str, bytes]:
    """Return what is in the zip file, by path."""
    sources = {"main.py": context.provider_file("main.py"), **context.package_files()}
    return {
        "requirements.txt": context.requirements(CATEGORY).encode(),
        "model.zip": context.artifact_bytes(),
        **with_bytecode(sources),
    }


def refuse_too_large(n_packed: int, n_unpacked: int, files: Mapping[str, bytes]) -> None:
    """Refuse sources that Google does not take.

    Parameters
    ----------
    n_packed, n_unpacked
        Size of the zip file and of what is in it, bytes.
    files
        What is in it; the largest are named.

    Raises
    ------
    DeploymentError
        When one of the sizes is above its limit.
    """
    sizes = (("The zip file", n_packed, MOST_PACKED), ("What is in the zip file", n_unpacked, MOST_UNPACKED))
    problems = [
        Problem(f"{what} has {_megabytes(size)}; Google takes at most {_megabytes(limit)}")
        for what, size, limit in sizes
        if size > limit
    ]
    if problems:
        largest = sorted(files, key=lambda name: len(files[name]), reverse=True)[:3]
        named = ", ".join(f"{name} ({_megabytes(len(files[name]))})" for name in largest)
        raise DeploymentError(
            f"The function is too large; nothing was written. Its largest files are {named}. Export a smaller model "
            "(fewer or shallower trees), or deploy an image: google_cloud_run takes the same model.",
            problems,
        )


def sha256(packed: bytes) -> str:
    """Return the hash by which Terraform knows a zip file."""
    return hashlib.sha256(packed).hexdigest()


def _next_commands(packed: bytes, n_unpacked: int, settings: Mapping[str, str]) -> tuple[str, ...]:
    project = "" if "project_id" in settings else " -var project_id=YOUR_PROJECT"
    return (
        f"# The zip file has {_megabytes(len(packed))}, unpacked {_megabytes(n_unpacked)}; "
        f"its SHA-256 is {sha256(packed)}.",
        "gcloud auth application-default login",
        f"terraform -chdir={FOLDER} init",
        f"terraform -chdir={FOLDER} apply{project}",
        "# Ask it, as somebody in `invokers`:",
        'curl -H "Authorization: Bearer $(gcloud auth print-identity-token)" '
        f'"$(terraform -chdir={FOLDER} output -raw url)/version"',
        f"# All about it, from costs to removal: documentation/deployment_{GoogleCloudFunction.name}.md",
    )


def _megabytes(n_bytes: int) -> str:
    return f"{n_bytes / MEGABYTE:.2f} MB"


PROVIDER = GoogleCloudFunction()
