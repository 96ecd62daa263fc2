"""Google App Engine, standard environment: its files at the root, the artifact beside them, and gcloud deploys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deployment.deployer.imports import check_imports
from deployment.deployer.provider import SERVED_MODULES, Context, Options, Plan, PlannedFile, Tool
from ml_project.errors import Problem

NATIVE_FILES = ("main.py", "app.yaml", ".gcloudignore")
ARTIFACT = "model.zip"
MEGABYTE = 1_000_000
MOST_PER_FILE = 32 * MEGABYTE
"""The largest file that App Engine takes, bytes."""


class GoogleAppEngine:
    """Writes what is uploaded; gcloud takes it from there."""

    name = "google_app_engine"
    summary = "Google App Engine (standard environment), from no instance to several, deployed by gcloud"
    extra_options: Mapping[str, str] = {}

    def tools(self, options: Options) -> Sequence[Tool]:
        """Return what the next commands need; the files need nothing."""
        how = "install the Google Cloud CLI: https://cloud.google.com/sdk/docs/install"
        return (Tool("gcloud", "deploying", how, required=False),)

    def check(self, context: Context) -> Sequence[Problem]:
        """Return a model that is too large for App Engine, and the modules that it would miss there."""
        n_bytes = context.options.artifact.stat().st_size
        if n_bytes > MOST_PER_FILE:
            problem = (
                f"has {n_bytes / MEGABYTE:.1f} MB, and App Engine takes files of at most 32 MB; export a smaller model "
                "(fewer or shallower trees), or deploy an image: google_cloud_run"
            )
            return [Problem(problem, str(context.options.artifact))]
        modules = SERVED_MODULES[context.options.framework]
        return check_imports(context.options.artifact, _requirements(context), context.root, modules)

    def plan(self, context: Context) -> Plan:
        """Return the native files, the requirements and the artifact."""
        files = {name: context.provider_file(name) for name in NATIVE_FILES}
        framework = f"ML_PROJECT_SERVING__FRAMEWORK: {context.options.framework}".encode()
        files["app.yaml"] = files["app.yaml"].replace(b"ML_PROJECT_SERVING__FRAMEWORK: fastapi", framework)
        files["requirements.txt"] = _requirements(context).encode()
        files[ARTIFACT] = context.artifact_bytes()
        planned = tuple(PlannedFile(path, content) for path, content in files.items())
        return Plan(planned, next_commands=_next_commands(context))


def _requirements(context: Context) -> str:
    return context.requirements(context.options.framework)


def _next_commands(context: Context) -> tuple[str, ...]:
    manifest = context.manifest
    version = f"{manifest.name}-{manifest.version}".lower().replace("_", "-")
    return (
        "# Once: sign in, and create the app in a region, which cannot be changed later.",
        "gcloud auth login",
        "gcloud config set project YOUR_PROJECT",
        "gcloud app create --region=europe-west3",
        "# See what would be uploaded, and deploy it.",
        "gcloud meta list-files-for-upload",
        f"gcloud app deploy app.yaml --version={version}",
        "# Ask it.",
        'curl "https://$(gcloud app describe --format=\'value(defaultHostname)\')/version"',
        "# All about it, from costs to removal: documentation/deployment_google_app_engine.md",
    )


PROVIDER = GoogleAppEngine()
