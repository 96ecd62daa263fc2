"""The files of a template that a new project gets: what git tracks, without what is the template's own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pathspec import PathSpec

from ml_project.errors import ConfigError

OWN_FILES = ("use_cases/use_case_config.py", "executables/write_titanic.py", "model.zip")
"""Files of the template's project: its config, its data's origin, the model that it deployed."""
OWN_FOLDERS = ("data/data", "tests/project")
KEPT = "__init__.py"
"""What a folder of the template's project has in every project."""
WRITTEN_BY_DEPLOYER = ".deployment_manifest.json"


def list_template_files(root: Path, package: str) -> list[str]:
    """Return the relative paths of what a new project gets, sorted.

    Parameters
    ----------
    root
        Folder of the template.
    package
        Name of its package.

    Raises
    ------
    ConfigError
        When the folder holds no template.
    """
    found = _tracked(root)
    if not {"pyproject.toml", f"{package}/__init__.py"} <= set(found):
        found = sorted(_walk(root))
    written = _written_by_deployer(root)
    wanted = [path for path in found if not _is_own(path, package) and path not in written]
    if "pyproject.toml" not in wanted:
        raise ConfigError(f"{root} holds no template: there is no pyproject.toml")
    return [path for path in wanted if os.path.lexists(root / path)]


def ignored_paths(root: Path) -> PathSpec[Any]:
    """Return what the template's ``.gitignore`` names."""
    rules = root / ".gitignore"
    return PathSpec.from_lines("gitignore", rules.read_text(encoding="utf-8").splitlines() if rules.exists() else ())


def _tracked(root: Path) -> list[str]:
    """Return what git tracks below a folder; nothing where git or its repository is missing."""
    try:
        command = ("git", "ls-files", "-z", "--cached")
        listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout  # noqa: S603  no user's words
    except (OSError, subprocess.CalledProcessError):
        return []
    return sorted({os.fsdecode(path) for path in listed.split(b"\0") if path})


def _walk(root: Path) -> Iterator[str]:
    """Yield the files below a folder that its ``.gitignore`` does not name, for a template that is no git checkout."""
    ignored = ignored_paths(root)
    for folder, folders, files in os.walk(root):
        inside = Path(folder).relative_to(root)
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        folders[:] = [
            name
            for name in folders
            if name not in (".git", *links) and not ignored.match_file(f"{(inside / name).as_posix()}/")
        ]
        for path in ((inside / name).as_posix() for name in (*files, *links)):
            if not ignored.match_file(path):
                yield path


def _is_own(path: str, package: str) -> bool:
    if path in OWN_FILES:
        return True
    folders = (f"{package}/project", *OWN_FOLDERS)
    return not path.endswith(f"/{KEPT}") and path.startswith(tuple(f"{folder}/" for folder in folders))


def _written_by_deployer(root: Path) -> set[str]:
    """Return the files that a deployment wrote for a provider, some of which had to be committed."""
    try:
        return set(json.loads((root / WRITTEN_BY_DEPLOYER).read_text(encoding="utf-8"))["files"])
    except FileNotFoundError:
        return set()
