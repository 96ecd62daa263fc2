"""Terraform, run on a copy of a provider's files, with a stand-in that knows the schema and creates nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployment.tests.environments import REPOSITORY

STAND_INS = REPOSITORY / ".runtimes" / "terraform_stand_in.tfrc"
OWN_FILES = ("*.tf", "*.tf.example", "*.tftest.hcl")
RUN_SECONDS = 300


def missing() -> str | None:
    """Return what this machine lacks to run Terraform with the stand-ins, or ``None``."""
    if shutil.which("terraform") is None:
        return "no terraform (https://developer.hashicorp.com/terraform/install)"
    if not STAND_INS.exists():
        return "no stand-ins of its providers (bash executables/install_provider_runtimes.sh terraform)"
    return None


@dataclass(frozen=True)
class Done:
    """What a run of Terraform gave.

    Attributes
    ----------
    code
        Exit code.
    text
        What it wrote, with the line breaks and frames of its messages taken out.
    """

    code: int
    text: str


class Terraform:
    """Runs Terraform in a copy of a provider's files, which has a state of its own.

    Parameters
    ----------
    provider
        Name of the provider, which is the name of its folder.
    root
        Empty folder in whose ``deployment/<provider>`` the copy lies, so that relative paths lead to below it.
    """

    def __init__(self, provider: str, root: Path) -> None:
        self.folder = root / "deployment" / provider
        source = REPOSITORY / "deployment" / provider
        for file in (file for pattern in OWN_FILES for file in source.rglob(pattern)):
            # What lies in hidden folders are copies that Terraform made.
            if not any(part.startswith(".") for part in file.relative_to(source).parts):
                copy = self.folder / file.relative_to(source)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, copy)

    def run(self, *words: str, **variables: Any) -> Done:
        """Run a command with values of variables, which never asks."""
        given = [f"-var={name}={_written(value)}" for name, value in variables.items()]
        done = subprocess.run(
            ["terraform", *words, "-no-color", *given],
            cwd=self.folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        return Done(done.returncode, " ".join(done.stdout.replace("│", " ").split()))

    def must(self, *words: str, **variables: Any) -> str:
        """Run a command that has to succeed, and return what it wrote."""
        done = self.run(*words, **variables)
        assert done.code == 0, done.text
        return done.text

    def outputs(self) -> dict[str, Any]:
        """Return the values of all outputs in the state."""
        return {name: output["value"] for name, output in json.loads(self.must("output", "-json")).items()}


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _environment() -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    return {**kept, "TF_CLI_CONFIG_FILE": str(STAND_INS), "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
