"""Which names a new project can have."""

from __future__ import annotations

import keyword
import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

from ml_project.errors import Problem
from scaffolding.template.copying import package_of
from scaffolding.template.files import ignored_paths, list_template_files
from scaffolding.template.lock_file import locked_names
from scaffolding.template.renaming import read_template

MIN_LENGTH = 2
MAX_LENGTH = 22
"""Google allows 30 characters for a service account, of which the one of Cloud Run adds eight: ``NAME-service``."""

OPTION = "--name"


def check_name(name: str, root: Path) -> list[Problem]:
    """Return what is wrong with the name of a new project; nothing where it can be used.

    Parameters
    ----------
    name
        Name that the user gave.
    root
        Folder of the template.
    """
    problem = _misspelt(name) or _taken(name, root) or _read_as_setting(name)
    return [Problem(problem, OPTION, value=name)] if problem else []


def _misspelt(name: str) -> str | None:
    """Return what is wrong with the name's characters, with the nearest name that has none of it."""
    if not re.fullmatch(r"[a-z]([a-z0-9]|_(?=[a-z0-9]))*", name):
        wanted = "must consist of lower-case letters, digits and single underscores, and begin with a letter"
        return f"{wanted}, as Python packages do{_suggestion(name)}"
    if not MIN_LENGTH <= len(name) <= MAX_LENGTH:
        wanted = f"must have {MIN_LENGTH} to {MAX_LENGTH} characters, since clouds allow no more"
        return f"{wanted}; it has {len(name)}{_suggestion(name)}"
    return None


def _suggestion(name: str) -> str:
    """Return the end of a message: a name that has the right characters, where one can be made.

    Examples
    --------
    >>> _suggestion("Customer-Churn 2")
    '; write customer_churn_2'
    """
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    plain = unicodedata.normalize("NFKD", parted.casefold()).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "_", plain).lstrip("_0123456789")
    fitting = words[:MAX_LENGTH].strip("_")
    return f"; write {fitting}" if len(fitting) >= MIN_LENGTH else "; for instance customer_churn"


def _taken(name: str, root: Path) -> str | None:
    """Return what else has the name, so that Python or the renaming would mistake one for the other."""
    package = package_of(root)
    template = read_template(root)
    example = template.example.word if template.example else None
    paths = list_template_files(root, package)
    uses: tuple[tuple[str, Iterable[str]], ...] = (
        ("a word of Python itself", (*keyword.kwlist, *keyword.softkwlist, "test")),
        ("a module of Python's standard library", sys.stdlib_module_names),
        ("the name of the template", (package, template.package, *([example] if example else []))),
        ("a file or folder of the template", _parts(paths)),
        ("a package that the project installs", _installed() | locked_names(root)),
        ("the name of a folder that git ignores", [name] if ignored_paths(root).match_file(f"{name}/") else ()),
        ("a name in a module that imports the package", _words_beside_package(root, paths, package)),
    )
    for use, names in uses:
        if name in names:
            return f"is {use}, so it could be taken for it; choose another name, for instance {name[:14]}_project"
    return None


@cache
def _installed() -> set[str]:
    """Return what can be imported besides the standard library; asking all packages takes seconds."""
    return set(packages_distributions())


def _parts(paths: Iterable[str]) -> Iterator[str]:
    """Yield the names of files and folders, without endings."""
    return (part.lstrip(".").split(".")[0] for path in paths for part in path.split("/"))


def _words_beside_package(root: Path, paths: Iterable[str], package: str) -> Iterator[str]:
    """Yield the words of modules in which the package's name is a variable, which another one must not replace."""
    imports_package = re.compile(rf"^ *import {package}\b", re.MULTILINE)
    for path in paths:
        if path.endswith(".py") and imports_package.search(text := (root / path).read_text(encoding="utf-8")):
            yield from re.findall(r"\w+", text)


def _read_as_setting(name: str) -> str | None:
    """Return which environment variables of this machine the project would take for its settings."""
    prefix = f"{name.upper()}_"
    found = sorted(variable for variable in os.environ if variable.startswith(prefix))
    if not found:
        return None
    return (
        f"would make the environment variable {found[0]} a setting of the project, which reads all that begin with "
        f"{prefix}; choose another name, for instance {name[:14]}_project"
    )
