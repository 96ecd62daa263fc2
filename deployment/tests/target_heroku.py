"""Heroku: the Procfile's commands, as a dyno runs them, in a folder with the slug's files and a fresh environment."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from deployment.tests.asking import HttpAsk
from deployment.tests.environments import REPOSITORY, environment_with
from deployment.tests.golden import SETTINGS
from deployment.tests.processes import clean_environment, free_port, serving
from deployment.tests.targets import Ask, WebTarget
from deployment.tests.uploads import upload

HONCHO = Path(sys.executable).with_name("honcho")
"""Starts what a Procfile names, as Heroku does."""


class Heroku(WebTarget):
    """A dyno."""

    name = "heroku"

    def missing(self) -> str | None:
        """Return whether git, which lists the files of a slug, or honcho is missing."""
        if not HONCHO.exists():
            return "no honcho; install the dev packages"
        return None if shutil.which("git") else "no git"

    @contextmanager
    def running(self, artifact: Path, folder: Path) -> Iterator[Ask]:
        """Make the slug, install its requirements, and run its release phase and its web process."""
        slug = make_slug(artifact, folder)
        port = free_port()
        binaries = environment_with((slug / "requirements.txt").read_text(encoding="utf-8")) / "bin"
        environment = {**clean_environment(binaries), **SETTINGS, "PORT": str(port)}
        release(slug, environment)
        command = (HONCHO, "start", "web")
        log = folder / "dyno.log"
        with (
            serving(command, port=port, folder=slug, log=log, environment=environment) as url,
            closing(HttpAsk(url)) as ask,
        ):
            yield ask


def make_slug(artifact: Path, folder: Path) -> Path:
    """Return a folder with what Heroku makes of the committed files: without those that .slugignore names."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    return upload("heroku", artifact, folder, ignore_file=".slugignore", files=filter(None, listed))


def release(slug: Path, environment: dict[str, str]) -> None:
    """Run the release phase, which keeps a slug that cannot serve from being deployed.

    Raises
    ------
    RuntimeError
        When it fails.
    """
    done = subprocess.run(
        [HONCHO, "start", "release"], cwd=slug, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"The release phase ended with {done.returncode}:\n{done.stdout}{done.stderr}")


TARGETS = [Heroku()]
