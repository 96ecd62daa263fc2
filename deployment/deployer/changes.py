"""What has to happen to each file, by what lies there and what is remembered."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from deployment.deployer.memory import Memory, hash_of
from deployment.deployer.provider import PlannedFile
from ml_project.errors import Problem

Kind = Literal["write", "replace", "keep", "leave", "remove"]
"""write: not there; replace: the deployer's, with other content; keep: the deployer's, as it should be; leave: somebody
else's with just this content; remove: the deployer's, and not wanted any more."""


@dataclass(frozen=True)
class Change:
    """What is to be done to one file.

    Attributes
    ----------
    kind
        See :data:`Kind`.
    path
        Relative to the root.
    file
        The file as it should be; ``None`` where it is to be removed.
    conflict
        Why it may only be done with ``--force``; ``None`` where it may be done.
    blocked
        Why it cannot be done at all; ``None`` where it can.
    """

    kind: Kind
    path: str
    file: PlannedFile | None = None
    conflict: str | None = None
    blocked: str | None = None


def changes_for(files: Sequence[PlannedFile], provider: str, memory: Memory, root: Path) -> list[Change]:
    """Return what has to happen so that exactly these files are a provider's, in the order of the paths.

    Parameters
    ----------
    files
        All files that the provider wants.
    provider
        Its name.
    memory
        What is remembered.
    root
        Folder of the project.
    """
    wanted = {file.path for file in files}
    stale = [path for path, known in memory.files.items() if known.providers == (provider,) and path not in wanted]
    changes = [_change(file, provider, memory, root) for file in files]
    changes += [removal(path, memory, root) for path in stale]
    return sorted(changes, key=lambda change: change.path)


def removal(path: str, memory: Memory, root: Path) -> Change:
    """Return what it takes to remove a remembered file."""
    place = root / path
    if not _exists(place):
        return Change("remove", path)
    blocked = _blocked(path, root)
    if blocked is None and not _is_own(place, path, memory):
        return Change("remove", path, conflict="was edited since the deployer wrote it")
    return Change("remove", path, blocked=blocked)


def problems_of(changes: Sequence[Change], *, force: bool) -> list[Problem]:
    """Return what keeps changes from being made."""
    problems = [Problem(change.blocked, change.path) for change in changes if change.blocked is not None]
    if not force:
        problems += [Problem(change.conflict, change.path) for change in changes if change.conflict is not None]
    return problems


def _change(file: PlannedFile, provider: str, memory: Memory, root: Path) -> Change:
    place, known = root / file.path, memory.files.get(file.path)
    blocked = _blocked(file.path, root)
    if blocked is not None:
        return Change("write", file.path, file, blocked=blocked)
    if not place.exists():
        return Change("write", file.path, file)
    if place.read_bytes() == file.content and _is_executable(place) == file.executable:
        return Change("keep" if _is_own(place, file.path, memory) else "leave", file.path, file)
    if known is None:
        return Change("replace", file.path, file, conflict="is there already, and the deployer did not write it")
    if not _is_own(place, file.path, memory):
        return Change("replace", file.path, file, conflict="was edited since the deployer wrote it")
    others = [name for name in known.providers if name != provider]
    conflict = f"belongs to the deployment to {' and '.join(others)}, which needs other content" if others else None
    return Change("replace", file.path, file, conflict=conflict)


def _is_own(place: Path, path: str, memory: Memory) -> bool:
    known = memory.files.get(path)
    return known is not None and hash_of(place.read_bytes()) in known.sha256


def _is_executable(place: Path) -> bool:
    return bool(place.stat().st_mode & stat.S_IXUSR)


def _exists(place: Path) -> bool:
    return place.exists() or place.is_symlink()


def _blocked(path: str, root: Path) -> str | None:
    """Return why a file can be neither written nor removed: what lies there or above it is of another sort."""
    for parent in list(PurePosixPath(path).parents)[-2::-1]:
        if (root / parent).is_symlink():
            return f"lies in {parent}, which is a link; the deployer only writes below the root"
        if (root / parent).exists() and not (root / parent).is_dir():
            return f"cannot be written, because {parent} is a file"
    place = root / path
    if place.is_symlink():
        return f"is a link to {place.readlink()}; remove or rename it"
    return "is no file; remove or rename it" if place.exists() and not place.is_file() else None
