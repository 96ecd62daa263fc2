"""Docker: the REST service as an image, for any place that runs containers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deployment.deployer.provider import Context, Options, Plan, Tool
from deployment.docker.image import (
    IMAGE_OPTIONS,
    PORT,
    build_step,
    check_image_options,
    docker_tool,
    image_files,
    push_step,
    run_command,
    wants,
)
from ml_project.errors import Problem

DEFAULT_NAME = "ml-project"


class Docker:
    """Builds the release image, tagged with the version of the model."""

    name = "docker"
    summary = "the REST service as an image: non-root, read-only, with a health check"
    extra_options: Mapping[str, str] = {
        "image": f"name of the image, without a tag; may begin with a registry (default: {DEFAULT_NAME})",
        **IMAGE_OPTIONS,
    }

    def tools(self, options: Options) -> Sequence[Tool]:
        """Return the docker engine."""
        return [docker_tool()]

    def check(self, context: Context) -> Sequence[Problem]:
        """Return what is wrong with the options."""
        name = _image_name(context.options)
        problems = check_image_options(context.options, name)
        if wants(context.options, "push") and "/" not in name:
            problems.append(Problem("names no registry to push to; give --image REGISTRY/NAME", "--image", value=name))
        return problems

    def plan(self, context: Context) -> Plan:
        """Return the files of the build, and the build."""
        image = f"{_image_name(context.options)}:{context.manifest.version}"
        steps = [build_step(context, image)]
        if wants(context.options, "push"):
            steps.append(push_step(image))
        return Plan(
            image_files(context),
            tuple(steps),
            (
                "# Run it:",
                run_command(image, stores=wants(context.options, "storage")),
                "# Ask it, from another terminal:",
                f"curl http://127.0.0.1:{PORT}/version",
            ),
        )


def _image_name(options: Options) -> str:
    return options.extra.get("image", DEFAULT_NAME)


PROVIDER = Docker()
