"""A small project that the deployer's commands run in, with providers made for the tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from deployment.tests.environments import REPOSITORY
from deployment.tests.processes import clean_environment
from tests.workspace import lay_use_cases

TOY_PROVIDER = '''
"""A provider of the tests."""

import os
from pathlib import Path

from deployment.deployer.provider import Plan, PlannedFile, Step, Tool
from ml_project.errors import Problem

HERE = Path(__file__).parent


class Toy:
    name = HERE.name
    summary = f"the place {HERE.name}"
    extra_options = {"color": "what is in its files", "step": "yes: also build", "tool": "a program that it needs"}

    def tools(self, options):
        needed = options.extra.get("tool")
        return (Tool(needed, "building", "install it from example.com"),) if needed else ()

    def check(self, context):
        color = context.options.extra.get("color", "red")
        return [Problem("is ugly; choose another color", "--color", value=color)] if color == "beige" else []

    def plan(self, context):
        color = context.options.extra.get("color", "red")
        files = [
            PlannedFile(f"{self.name}.txt", f"{color}\\n".encode()),
            PlannedFile("common.txt", b"for everybody\\n"),
            PlannedFile("shared.txt", f"{self.name}\\n".encode()) if color == "green" else None,
            PlannedFile(f"output/{self.name}/run.sh", b"#!/bin/sh\\n", executable=True),
        ]
        steps = ()
        if context.options.extra.get("step") == "yes":
            steps = (
                Step("mark", ("touch", "marked"), undo="rm marked"),
                Step("build", ("sh", "build.sh"), undo="remove what build.sh made"),
                Step("publish", ("true",)),
            )
        return Plan(tuple(filter(None, files)), steps, ("# Look at it.", f"cat {self.name}.txt"))


PROVIDER = Toy()
'''
MEMORY_FILE = ".deployment_manifest.json"


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class DeployerProject:
    """A project with the real deployer and nothing but toy providers.

    Attributes
    ----------
    root
        Its folder.
    artifact
        An artifact in it.
    """

    root: Path
    artifact: Path

    def set_up(self, *words: str | Path, folder: Path | None = None, **variables: str) -> Done:
        """Run cloud_setup.sh."""
        return self._run("cloud_setup.sh", *words, folder=folder, **variables)

    def clean_up(self, *words: str | Path, folder: Path | None = None) -> Done:
        """Run cleanup_project.sh."""
        return self._run("cleanup_project.sh", *words, folder=folder)

    def files(self) -> dict[str, bytes]:
        """Return what lies in the project, by path, without what the deployer remembers."""
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts and path.name != MEMORY_FILE
        }

    def read(self, path: str) -> str:
        """Return a text file of the project."""
        return (self.root / path).read_text(encoding="utf-8")

    def write(self, path: str, text: str) -> Path:
        """Write a text file into the project."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")
        return self.root / path

    def _run(self, script: str, *words: str | Path, folder: Path | None, **variables: str) -> Done:
        done = subprocess.run(
            ["bash", str(self.root / "executables" / script), *map(str, words)],
            cwd=folder or self.root,
            env={**clean_environment(), **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)


def make_project(root: Path, artifact: Path) -> DeployerProject:
    """Return a project in an empty folder, with the providers toy, toys and other."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "deployment" / "deployer", root / "deployment" / "deployer", ignore=ignored)
    shutil.copy(REPOSITORY / "deployment" / "__init__.py", root / "deployment")
    for script in ("cloud_setup.sh", "cleanup_project.sh"):
        (root / "executables").mkdir(exist_ok=True)
        shutil.copy(REPOSITORY / "executables" / script, root / "executables")
    lay_use_cases(root)
    for name in ("toy", "toys", "other"):
        (root / "deployment" / name).mkdir()
        (root / "deployment" / name / "provider.py").write_text(TOY_PROVIDER, encoding="utf-8")
    (root / ".venv" / "bin").mkdir(parents=True)
    python = root / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    (root / "ml_project").symlink_to(REPOSITORY / "ml_project")
    target = root / "model.of.tests.zip"
    shutil.copy(artifact, target)
    return DeployerProject(root, target)
