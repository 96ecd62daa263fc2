"""The archive ``model.tar.gz`` that SageMaker unpacks into ``/opt/ml/model``."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from pathlib import Path

from deployment.deployer.errors import DeploymentError

ARTIFACT_NAME = "model.zip"
_READABLE_FOR_ALL, _PASSABLE_FOR_ALL = 0o644, 0o755


def pack_model(artifact: bytes) -> bytes:
    """Return an archive with an artifact; the same artifact gives the same bytes.

    Parameters
    ----------
    artifact
        Content of the exported model's file.

    Examples
    --------
    >>> pack_model(b"content") == pack_model(b"content")
    True
    """
    entry = tarfile.TarInfo(ARTIFACT_NAME)
    entry.size = len(artifact)
    entry.mode = _READABLE_FOR_ALL
    packed = io.BytesIO()
    # Level 1, because the artifact is a compressed file already. A gzip file's head has a time; 0 is none.
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1, filename="", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        archive.addfile(entry, io.BytesIO(artifact))
    return packed.getvalue()


def unpack_model(archive: Path, folder: Path) -> None:
    """Unpack an archive as SageMaker does.

    Raises
    ------
    DeploymentError
        When the archive cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(_PASSABLE_FOR_ALL)  # the container's user is none of this machine's
    try:
        with tarfile.open(archive, "r:gz") as opened:
            opened.extractall(folder, filter="data")
    except (OSError, EOFError, tarfile.TarError) as error:
        raise DeploymentError(
            f"{archive} is damaged: {error}; write it again with executables/cloud_setup.sh"
        ) from error


def hash_of(content: bytes) -> str:
    """Return the sha256 of a content as hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
