"""Making changes to files so that, wherever it stops, what was written is remembered and nothing is half a file."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from deployment.deployer.changes import Change
from deployment.deployer.errors import DeploymentError, StepFailedError
from deployment.deployer.memory import Memory, WrittenFile, hash_of, write_memory
from deployment.deployer.provider import PlannedFile
from ml_project.errors import Problem
from ml_project.safe_file import replace_file


@contextlib.contextmanager
def only_deployer(root: Path) -> Iterator[None]:
    """Keep other deployers out of the root.

    Raises
    ------
    DeploymentError
        When another one is at work.
    """
    descriptor = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"Another deployer is at work in {root}; wait for its end and run this again"
            raise DeploymentError(message) from error
        yield
    finally:
        os.close(descriptor)


def apply_changes(changes: Sequence[Change], provider: str, memory: Memory, root: Path) -> Memory:
    """Write and remove files and return what is remembered now.

    Parameters
    ----------
    changes
        What is to be done, as :func:`deployment.deployer.changes.changes_for` returns it.
    provider
        Name of the provider that the files are for.
    memory
        What was remembered.
    root
        Folder of the project.

    Raises
    ------
    StepFailedError
        When a file cannot be written or removed, with what exists now.
    """
    written = [change for change in changes if change.file is not None and change.kind != "leave"]
    intended = _remember(memory, written, provider, root, keep_old=True)
    done: list[str] = []
    try:
        write_memory(root, intended)
        for change in changes:
            _apply(change, root)
            done += [change.path] if change.kind in ("write", "replace", "remove") else []
        removed = {change.path for change in changes if change.kind == "remove"}
        result = _remember(_forget(intended, removed, root), written, provider, root, keep_old=False)
        write_memory(root, result)
    except OSError as error:
        raise StepFailedError(*_stopped(error, done)) from error
    return result


def remove_files(changes: Sequence[Change], memory: Memory, root: Path) -> Memory:
    """Remove files and the folders made for them, and return what is remembered now.

    Raises
    ------
    StepFailedError
        When one cannot be removed, with what was removed until then.
    """
    done: list[str] = []
    try:
        for change in changes:
            _apply(change, root)
            done.append(change.path)
        result = _forget(memory, set(done), root)
        write_memory(root, result)
    except OSError as error:
        raise StepFailedError(*_stopped(error, done)) from error
    return result


def write_files(files: Sequence[PlannedFile], folder: Path) -> None:
    """Write the files of a plan into a folder of their own, where nothing has to be remembered."""
    for file in files:
        _write(file, folder)


def _apply(change: Change, root: Path) -> None:
    if change.kind == "remove":
        (root / change.path).unlink(missing_ok=True)
    elif change.file is not None and change.kind in ("write", "replace"):
        _write(change.file, root)


def _write(file: PlannedFile, root: Path) -> None:
    place = root / file.path
    replace_file(place, file.content)
    if file.executable:
        place.chmod(place.stat().st_mode | 0o111)


def _remember(memory: Memory, changes: Sequence[Change], provider: str, root: Path, *, keep_old: bool) -> Memory:
    files, folders = dict(memory.files), list(memory.folders)
    for change in changes:
        assert change.file is not None  # removals are not among them
        known = files.get(change.path, WrittenFile(sha256=(), providers=()))
        hashes = (*known.sha256, hash_of(change.file.content)) if keep_old else (hash_of(change.file.content),)
        providers = tuple(sorted({*known.providers, provider}))
        files[change.path] = WrittenFile(sha256=tuple(dict.fromkeys(hashes)), providers=providers)
        folders += [parent for parent in _parents(change.path) if not (root / parent).exists()]
    return memory.model_copy(update={"files": dict(sorted(files.items())), "folders": tuple(dict.fromkeys(folders))})


def _forget(memory: Memory, paths: set[str], root: Path) -> Memory:
    """Forget files and remove the folders made for them that are empty now, inner ones first."""
    files = {path: known for path, known in memory.files.items() if path not in paths}
    kept = []
    for folder in sorted(memory.folders, reverse=True):
        try:
            (root / folder).rmdir()
        except FileNotFoundError:
            continue
        except OSError:
            if any(path.startswith(f"{folder}/") for path in files):
                kept.append(folder)
    return memory.model_copy(update={"files": files, "folders": tuple(sorted(kept))})


def _parents(path: str) -> list[str]:
    """Return the folders of a file below the root, outer ones first."""
    return [parent.as_posix() for parent in PurePosixPath(path).parents][-2::-1]


def _stopped(error: OSError, done: Sequence[str]) -> tuple[str, list[Problem]]:
    place = error.filename or "a file"
    found = f"done until then: {', '.join(done)}" if done else "no file was changed until then"
    return (
        f"Stopped half-way at {place}: {error.strerror or error}. Correct that and run the same command again, which "
        "goes on from here, or bash executables/cleanup_project.sh, which removes what was written.",
        [Problem(found)],
    )
