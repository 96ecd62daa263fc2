"""Zip files that are equal when what is in them is equal."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from ml_project.safe_file import replace_file

_TIME = (1980, 1, 1, 0, 0, 0)
_READABLE_FILE = 0o100644 << 16


def zip_bytes(files: Mapping[str, bytes]) -> bytes:
    """Return a compressed zip file: sorted, with fixed times and permissions.

    Parameters
    ----------
    files
        Content by path in the archive.

    Examples
    --------
    >>> zip_bytes({"b": b"2", "a": b"1"}) == zip_bytes({"a": b"1", "b": b"2"})
    True
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted(files.items()):
            member = zipfile.ZipInfo(name, _TIME)
            member.create_system = 3  # Unix, whose permissions stand in the next field
            member.external_attr = _READABLE_FILE
            archive.writestr(member, content, zipfile.ZIP_DEFLATED, 9)
    return buffer.getvalue()


def write_zip(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a zip file, whole or not at all; equal files give equal bytes.

    Parameters
    ----------
    path
        File to write; its folder is made where it is missing.
    files
        Content by path in the archive.
    """
    replace_file(path, zip_bytes(files))
