"""The folder of a new project: made under another name, and there all at once or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from ml_project.errors import ConfigError, Problem
from scaffolding.disk_space import too_full
from scaffolding.template.files import list_template_files

OPTION = "--dest"
UNFINISHED = ".{}.unfinished-project"


def check_destination(destination: Path, root: Path, package: str, n_bytes: int) -> list[Problem]:
    """Return what is wrong with the place of a new project; nothing where it can be written.

    Parameters
    ----------
    destination
        Absolute path of the folder that shall be made.
    root
        Folder of the template.
    package
        Name of the template's package.
    n_bytes
        Size of the data that is copied.
    """
    problem = _unusable(destination, root.resolve()) or _too_full(destination, root, package, n_bytes)
    return [Problem(problem, OPTION, value=str(destination))] if problem else []


def _unusable(destination: Path, root: Path) -> str | None:
    place = destination.resolve()
    existing = next((folder for folder in destination.parents if folder.exists()), destination)
    if place == root or root in place.parents:
        return f"lies inside the template {root}; name a folder beside it"
    if place in root.parents:
        return f"contains the template {root}; name a folder beside it"
    if os.path.lexists(destination):
        return _taken(destination)
    if not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
        return f"cannot be made: {existing} is no folder that you may write to"
    return None


def _taken(destination: Path) -> str | None:
    if destination.is_symlink() or not destination.is_dir():
        return "is no folder; name one that is empty or not there"
    if destination.samefile(Path()):
        return "is the folder that this is called from, which cannot be made anew; call it from another one"
    if any(destination.iterdir()):
        return "is not empty; name a folder that is empty or not there"
    return None if os.access(destination.parent, os.W_OK | os.X_OK) else "lies in a folder that you may not write to"


def _too_full(destination: Path, root: Path, package: str, n_bytes: int) -> str | None:
    paths = (root / path for path in list_template_files(root, package))
    found = too_full(destination, n_bytes + sum(path.lstat().st_size for path in paths))
    return f"lies on {found}" if found else None


@contextlib.contextmanager
def made_at_once(destination: Path) -> Iterator[Path]:
    """Give a hidden folder beside the destination to write to, which becomes the destination when all went well.

    An error, Ctrl-C or a crash leaves nothing at the destination. What a killed run left beside it is removed by the
    next one; a run that is still going on is left alone.

    Parameters
    ----------
    destination
        Folder that is empty or not there.

    Raises
    ------
    ConfigError
        When another run is making the same project.
    OSError
        When the folder cannot be written.
    """
    missing = [folder for folder in destination.parents if not folder.exists()]
    destination.parent.mkdir(parents=True, exist_ok=True)
    unfinished = destination.parent / UNFINISHED.format(destination.name)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_alone(unfinished, destination))
        try:
            yield unfinished
            unfinished.rename(destination)
        except BaseException:
            _remove(unfinished)
            with contextlib.suppress(OSError):  # not empty: somebody else's
                for folder in missing:
                    folder.rmdir()
            raise


@contextlib.contextmanager
def _alone(folder: Path, destination: Path) -> Iterator[None]:
    """Make a folder anew and lock it; the lock ends with this process, however that ends."""
    folder.mkdir(exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            problem = Problem("is being made by another run; wait for it", OPTION, value=str(destination))
            raise ConfigError("The project cannot be made; nothing was written.", [problem]) from error
        _empty(folder)
        yield
    finally:
        os.close(descriptor)


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            _remove(entry)
        else:
            entry.unlink()


def _remove(folder: Path) -> None:
    """Remove a folder of our own; a second Ctrl-C does not keep it from being removed by the next run."""
    shutil.rmtree(folder)
