"""The project that the general tests work on: the example in ``tests/example``, and folders as its user has them."""

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from ml_project.config_sources import PACKAGE_VARIABLE, is_for_a_field

REPOSITORY = Path(__file__).resolve().parent.parent
EXAMPLE = REPOSITORY / "tests" / "example"
TITANIC = EXAMPLE / "titanic.parquet"
USE_CASE = EXAMPLE / "use_case_config.py"
PACKAGE = "tests.example"
ENVIRONMENT = {PACKAGE_VARIABLE: PACKAGE, "PYTHONPATH": str(REPOSITORY)}
"""What lets a process, wherever it runs, take the example as the user's part."""
USERS_PART = "ml_project/project"


def choose_example() -> None:
    """Let this process, and those that inherit its environment, take the example as the user's part.

    What the environment says of the config is about the user's project, so it is forgotten.
    """
    for variable in filter(is_for_a_field, list(os.environ)):
        del os.environ[variable]
    places = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    others = [place for place in places if place not in ("", str(REPOSITORY))]
    os.environ.update({**ENVIRONMENT, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *others])})


@cache
def workspace() -> Path:
    """Return a folder with the use cases and the example's config and data, in which commands run; nothing else is."""
    folder = Path(tempfile.mkdtemp(prefix="workspace-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return make_workspace(folder)


def make_workspace(folder: Path) -> Path:
    """Lay the use cases and the example's config and data into an empty folder, and return it."""
    lay_use_cases(folder)
    shutil.copy(TITANIC, folder)
    return folder


def lay_use_cases(folder: Path) -> None:
    """Lay ``use_cases`` with the example's config into a folder."""
    shutil.copytree(
        REPOSITORY / "use_cases",
        folder / "use_cases",
        ignore=shutil.ignore_patterns("__pycache__"),
        dirs_exist_ok=True,
    )
    shutil.copy(USE_CASE, folder / "use_cases")


def lay_example(root: Path) -> None:
    """Put the example in place of the user's part in a copy of the project; modules that it leaves out stay out."""
    for module in EXAMPLE.glob("*.py"):
        place = root / USERS_PART / module.name
        if place.exists():
            shutil.copy(module, place)
