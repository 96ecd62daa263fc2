"""What reaches a provider: the files of the project and of a plan, but for those that its ignore file names."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import pathspec

from deployment.deployer.planning import make_plan
from deployment.deployer.provider import Options
from deployment.tests.environments import REPOSITORY
from deployment.tests.project_copies import example_project
from tests.workspace import lay_example

INCLUDE = "#!include:"
"""Begins a line of .gcloudignore that names another file with patterns."""


def upload(
    provider: str, artifact: Path, folder: Path, *, ignore_file: str, files: Iterable[str] | None = None
) -> Path:
    """Return a folder with what a provider gets when a project is deployed.

    Parameters
    ----------
    provider
        Whose plan is made.
    artifact
        What is deployed.
    folder
        Where to make the folder.
    ignore_file
        File at the root, planned or there already, with what is left out, in the form of ``.gitignore``.
    files
        Files of the project that would be uploaded without it; by default all that lie there.
    """
    planned = {file.path: file for file in make_plan(Options(provider, artifact), example_project()).plan.files}
    patterns = PatternFile(ignore_file, {path: file.content for path, file in planned.items()})
    target = folder / "uploaded"
    for path in files_below(REPOSITORY, patterns) if files is None else filter(patterns.lets_through, files):
        if path not in planned and (REPOSITORY / path).is_file():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REPOSITORY / path, target / path)
    lay_example(target)
    for path, file in planned.items():
        if patterns.lets_through(path):
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_bytes(file.content)
            (target / path).chmod(0o755 if file.executable else 0o644)
    return target


class PatternFile:
    """An ignore file, with those that it includes.

    Parameters
    ----------
    name
        Its path below the root.
    planned
        Contents of files that a deployment writes there.
    """

    def __init__(self, name: str, planned: dict[str, bytes]) -> None:
        self._planned = planned
        self._spec = pathspec.GitIgnoreSpec.from_lines(self._lines(name))

    def lets_through(self, path: str) -> bool:
        """Return whether a path, with a slash behind that of a folder, is not ignored."""
        return not self._spec.match_file(path)

    def _lines(self, name: str) -> Iterator[str]:
        planned = self._planned.get(name)
        text = (REPOSITORY / name).read_text(encoding="utf-8") if planned is None else planned.decode()
        for line in text.splitlines():
            if line.startswith(INCLUDE):
                yield from self._lines(line.removeprefix(INCLUDE).strip())
            else:
                yield line


def files_below(root: Path, patterns: PatternFile) -> Iterator[str]:
    """Return the files that an ignore file lets through; what lies in an ignored folder is ignored."""
    for place, folders, names in os.walk(root):
        below = Path(place).relative_to(root).as_posix() + "/" if Path(place) != root else ""
        folders[:] = [name for name in folders if patterns.lets_through(f"{below}{name}/")]
        yield from (f"{below}{name}" for name in names if patterns.lets_through(f"{below}{name}"))
