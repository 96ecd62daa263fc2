"""The file that holds an artifact: a zip archive whose last bytes are the hash of everything before them.

The zip comment is the marker :data:`MARKER` and the sha256 of all bytes before its hex digits. So a changed byte is
noticed wherever it lies, in the zip's own tables too. Members are stored uncompressed: reading cannot need more memory
than the file has bytes.
"""

from __future__ import annotations

import difflib
import errno
import hashlib
import io
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

from ml_project.errors import ArtifactDamagedError, ArtifactError
from ml_project.safe_file import replaced_on_success

MARKER = b"ml_project artifact sha256:"
DIGEST_LENGTH = 64
_EARLIEST_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def write_container(path: Path, members: Mapping[str, bytes]) -> None:
    """Write members as one file, all or nothing.

    A crash, a full disk or an interruption leaves the file that was there before. Left-over temporary files of runs
    that were killed while writing the same artifact are removed.

    Parameters
    ----------
    path
        File to write; its folder is made where it is missing.
    members
        Content by member name.

    Raises
    ------
    ArtifactError
        When the folder or file cannot be written, for instance because the disk is full.
    """
    content = pack(members)
    try:
        if path.is_dir():
            raise ArtifactError(f"The artifact cannot be written to the folder {path}; name a file in artifacts.path")
        with replaced_on_success(path) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise ArtifactError(_write_failure(path, len(content), error)) from error


def read_container(path: Path) -> dict[str, bytes]:
    """Return the members of a file, checked to be what was written.

    Parameters
    ----------
    path
        File that :func:`write_container` wrote.

    Raises
    ------
    ArtifactError
        When there is no such file, or it cannot be read.
    ArtifactDamagedError
        When its content is not what was written.
    """
    return unpack(read_content(path), str(path))


def read_content(path: Path) -> bytes:
    """Return the bytes of a file, not checked.

    Raises
    ------
    ArtifactError
        When there is no such file, or it cannot be read.
    """
    if path.is_dir():
        raise ArtifactError(f"{path} is a folder; name the artifact file in it{_near_files(path / 'model.zip')}")
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        hint = f"train a model first or correct artifacts.path{_near_files(path)}"
        raise ArtifactError(f"There is no artifact at {path}; {hint}") from error
    except OSError as error:
        raise ArtifactError(f"The artifact {path} cannot be read: {error.strerror or error}") from error


def pack(members: Mapping[str, bytes]) -> bytes:
    """Return members as the bytes of a container; equal members give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, _EARLIEST_ZIP_TIME), content)
        archive.comment = MARKER + b"0" * DIGEST_LENGTH
    covered = buffer.getvalue()[:-DIGEST_LENGTH]
    return covered + hashlib.sha256(covered).hexdigest().encode()


def unpack(content: bytes, place: str) -> dict[str, bytes]:
    """Return the members of a container's bytes.

    Parameters
    ----------
    content
        Bytes that :func:`pack` returned.
    place
        Where the bytes come from, for messages.

    Raises
    ------
    ArtifactDamagedError
        When the bytes are not those that were packed.
    """
    if not content.startswith(b"PK"):
        raise ArtifactDamagedError(
            f"{place} is no zip file ({len(content)} bytes), so no artifact; export the model again"
        )
    covered, digest = content[:-DIGEST_LENGTH], content[-DIGEST_LENGTH:]
    if not covered.endswith(MARKER):
        raise ArtifactDamagedError(
            f"{place} is truncated, or a zip file that is no artifact ({len(content)} bytes): it lacks its closing "
            "hash; copy it again or export the model again"
        )
    found = hashlib.sha256(covered).hexdigest().encode()
    if found != digest:
        raise ArtifactDamagedError(
            f"{place} is damaged: its content has sha256 {found.decode()}, but {digest.decode(errors='replace')} was "
            "written; copy it again or export the model again"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {member.filename: _read_stored(archive, member) for member in archive.infolist()}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ArtifactDamagedError(f"{place} is damaged: {error}; export the model again") from error


def _read_stored(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Return one member's content, refusing compressed ones, which could be far larger than the file."""
    if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
        raise ValueError(f"member {member.filename!r} is compressed, and artifacts hold only stored members")
    return archive.read(member)


def _write_failure(path: Path, n_bytes: int, error: OSError) -> str:
    """Return the message for a write that failed."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        free = shutil.disk_usage(path.parent).free if path.parent.is_dir() else 0
        return (
            f"The disk is full: the artifact {path} needs {n_bytes:,} bytes and {free:,} are free; free some space or "
            "change artifacts.path; an older artifact there is unchanged"
        )
    return f"The artifact {path} cannot be written: {error.strerror or error}; an older artifact there is unchanged"


def _near_files(path: Path) -> str:
    """Return a hint with the artifacts that lie near a path, or nothing."""
    if not path.parent.is_dir():
        return f"; the folder {path.parent} does not exist either"
    names = sorted(entry.name for entry in path.parent.iterdir() if entry.is_file() and entry.suffix == ".zip")
    closest = difflib.get_close_matches(path.name, names, n=5, cutoff=0.0)
    return f"; files in {path.parent}: {', '.join(closest)}" if closest else ""
