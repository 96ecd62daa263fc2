"""Copies of the project in which the example of the general tests stands in place of the user's part."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from deployment.tests.environments import REPOSITORY
from tests.workspace import lay_example

IGNORED = ("__pycache__", ".terraform*", "*.tfstate*", "*.tfvars*")
PLANNED_FROM = ("ml_project", "deployment", "Pipfile", "Pipfile.lock", "pyproject.toml")


def copy_parts(root: Path, *names: str) -> None:
    """Copy files and folders of the project, and put the example in place of the user's part.

    Parameters
    ----------
    root
        Folder of the copy.
    *names
        Paths below the project's folder.
    """
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if (REPOSITORY / name).is_dir():
            ignored = shutil.ignore_patterns(*IGNORED)
            shutil.copytree(REPOSITORY / name, root / name, ignore=ignored, dirs_exist_ok=True)
        else:
            shutil.copy(REPOSITORY / name, root / name)
    lay_example(root)


@cache
def example_project() -> Path:
    """Return the folder of a copy that plans are made from, and in which nothing is ever changed."""
    root = Path(tempfile.mkdtemp(prefix="example-project-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    copy_parts(root, *PLANNED_FROM)
    return root
