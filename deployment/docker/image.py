"""The release image: what its build needs, how it is built and pushed; for every provider that runs containers."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from deployment.deployer.docker_engine import HOW_TO_GET, find_fault
from deployment.deployer.provider import Context, Framework, Options, PlannedFile, Step, Tool
from ml_project.artifacts.manifest import Manifest
from ml_project.errors import Problem

FOLDER = "output/docker_deployment"
DOCKERFILE = "deployment/docker/Dockerfile"
IGNORE_FILE = ".dockerignore"
PORT = 8000
HARDENED = (
    "--read-only",
    *("--tmpfs", "/tmp"),  # noqa: S108  in the container
    *("--cap-drop", "ALL"),
    *("--security-opt", "no-new-privileges"),
    *("--memory", "512m"),
)
"""Options of ``docker run`` under which the image works, and should be run."""
CHOICES = ("no", "yes")
IMAGE_OPTIONS = {
    "storage": "yes: the image can store predictions in a database, which ML_PROJECT_MONITORING__STORAGE__URL names "
    "(default: no)",
    "push": "yes: push the image to the registry that its name names (default: no)",
}
"""Help texts of the options that all providers with this image have."""
SYSTEM_PACKAGES = {"lightgbm": "libgomp1"}
"""Packages of Debian by the import name of the library that needs them and does not bring them along."""
_NAME = re.compile(r"(?:[\w.-]+(?::\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*")


def docker_tool() -> Tool:
    """Return the docker engine as a tool, which counts only when it runs."""
    return Tool("docker", "building the image", HOW_TO_GET, fault=find_fault)


def check_image_options(options: Options, name: str) -> list[Problem]:
    """Return what is wrong with an image's name and with the options in :data:`IMAGE_OPTIONS`."""
    problems = [
        Problem(f"must be {' or '.join(CHOICES)}", f"--{option}", value=options.extra[option])
        for option in IMAGE_OPTIONS
        if options.extra.get(option, CHOICES[0]) not in CHOICES
    ]
    if not _NAME.fullmatch(name):
        wanted = "must be a name without a tag, such as ml-project or registry.example.com/team/ml-project"
        problems.append(Problem(wanted, "image", value=name))
    return problems


def wants(options: Options, option: str) -> bool:
    """Return whether a yes-or-no option was given as yes."""
    return options.extra.get(option) == "yes"


def image_files(context: Context) -> tuple[PlannedFile, ...]:
    """Return the files that the build copies and no other place of the repository has."""
    from deployment.deployer.requirements import locked_requirements

    framework: Framework = context.options.framework
    development = locked_requirements(context.root, all_categories(context.root))
    contents = {
        IGNORE_FILE: (context.root / "deployment/docker/.dockerignore").read_bytes(),
        f"{FOLDER}/requirements.txt": context.requirements(
            framework, storage=wants(context.options, "storage")
        ).encode(),
        f"{FOLDER}/requirements_wheel.txt": requirement_of(development, "setuptools").encode(),
        f"{FOLDER}/requirements_build.txt": development.encode(),
        f"{FOLDER}/model.zip": context.artifact_bytes(),
    }
    return tuple(PlannedFile(path, content) for path, content in contents.items())


def all_categories(root: Path) -> list[str]:
    """Return the categories of the Pipfile."""
    pipfile = tomllib.loads((root / "Pipfile").read_text(encoding="utf-8"))
    return [section for section in pipfile if section not in ("source", "requires")]


def requirement_of(requirements: str, package: str) -> str:
    r"""Return the entry of one package, hashes included.

    Examples
    --------
    >>> requirement_of("a==1 \\\n    --hash=sha256:0\nb==2 \\\n    --hash=sha256:1\n", "b")
    'b==2 \\\n    --hash=sha256:1\n'
    """
    found = re.search(rf"^{re.escape(package)}==.*(?:\n[ \t]+.*)*\n?", requirements, re.MULTILINE)
    if found is None:
        raise LookupError(f"{package} is not among the locked packages")
    return found[0]


def build_step(context: Context, image: str) -> Step:
    """Return the build of the release image."""
    words = [word for name, value in build_arguments(context).items() for word in ("--build-arg", f"{name}={value}")]
    command = ["docker", "build", "--file", DOCKERFILE, "--target", "release", *words, "--tag", image, "."]
    return Step(f"build the image {image}", command, undo=f"docker rmi {image}")


def push_step(image: str) -> Step:
    """Return the push of an image to the registry in its name."""
    return Step(f"push {image}", ["docker", "push", image], undo="delete the image in the registry")


def build_arguments(context: Context) -> Mapping[str, str]:
    """Return the arguments of the build: the web framework, Debian's packages, and what the labels say."""
    from ml_project import __version__

    return {
        "FRAMEWORK": context.options.framework,
        "SYSTEM_PACKAGES": " ".join(system_packages(context.manifest)),
        "VERSION": __version__,
        "REVISION": find_revision(context.root),
        "MODEL_VERSION": context.manifest.version,
    }


def system_packages(manifest: Manifest) -> list[str]:
    """Return the packages of Debian that an artifact needs beside those of Python."""
    if manifest.engine.name == "onnx":
        return []
    return sorted({SYSTEM_PACKAGES[name] for name in manifest.model_packages if name in SYSTEM_PACKAGES})


def find_revision(root: Path) -> str:
    """Return the commit of the sources, with ``-dirty`` behind it where files differ; ``unknown`` without git."""
    words = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603  fixed words
    except FileNotFoundError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def run_command(image: str, *, stores: bool) -> str:
    """Return the command that runs the image on this machine."""
    words: Sequence[str] = ["docker", "run", "--rm", *HARDENED, "--publish", f"127.0.0.1:{PORT}:{PORT}"]
    if stores:
        url = "ML_PROJECT_MONITORING__STORAGE__URL=sqlite:////data/predictions.db"
        words = [*words, "--mount", "type=volume,source=predictions,target=/data", "--env", url]
    return " ".join([*words, image])
