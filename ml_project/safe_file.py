"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

TEMPORARY_PREFIX = ".unfinished-"


@contextlib.contextmanager
def replaced_on_success(path: Path) -> Iterator[Path]:
    """Give a temporary file to write to, which replaces a file once everything went well.

    A crash, a full disk or an interruption leaves what was there before. Temporary files that killed runs left beside
    the same file are removed.

    Parameters
    ----------
    path
        File to replace; its folder is made where it is missing.

    Yields
    ------
    pathlib.Path
        Temporary file in the same folder.

    Raises
    ------
    OSError
        When the folder or the file cannot be written.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replaced_on_success(Path(folder, "table.csv")) as temporary:
    ...         _ = temporary.write_text("a,b")
    ...     [file.name for file in Path(folder).iterdir()]
    ['table.csv']
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = f"{TEMPORARY_PREFIX}{path.name}-"
    _remove_left_overs(path.parent, prefix)
    descriptor, name = tempfile.mkstemp(prefix=f"{prefix}{os.getpid()}-", suffix=path.suffix, dir=path.parent)
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        _flush(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    with contextlib.suppress(OSError):  # some systems cannot flush a folder
        _flush(path.parent)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that a reader finds the old content or the new one."""
    with replaced_on_success(path) as temporary:
        temporary.write_bytes(content)


def _flush(path: Path) -> None:
    """Wait until a file's content, or a folder's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    """Return the permissions that new files lack, which can only be read by setting them."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _remove_left_overs(folder: Path, prefix: str) -> None:
    for entry in folder.iterdir():
        if entry.name.startswith(prefix) and not _is_running(entry.name.removeprefix(prefix).split("-")[0]):
            entry.unlink(missing_ok=True)


def _is_running(process_id: str) -> bool:
    try:
        os.kill(int(process_id), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
