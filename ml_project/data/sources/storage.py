"""Where files lie: on this machine or in object storage, opened in one way."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO, Any

from ml_project.data.names import nearest_name
from ml_project.errors import DataSourceError

PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs"}
"""Package that fsspec needs, by the scheme of an object storage address."""

CHANGE_MARKS = ("ETag", "etag", "md5Hash", "generation", "LastModified", "updated")
"""What object storage says of a file that differs after it was written again."""

MAX_NAMES = 5


@dataclass(frozen=True)
class Storage:
    """A file or folder by its address; nothing is opened before it is needed.

    Attributes
    ----------
    address
        Path, ``file://``, ``s3://`` or ``gs://`` address as configured.
    options
        Options for object storage, as fsspec names them; they may hold secrets and are never shown.
    """

    address: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def scheme(self) -> str:
        """Return the part before ``://``; ``file`` for a path."""
        return self.address.split("://", 1)[0] if "://" in self.address else "file"

    @property
    def is_local(self) -> bool:
        """Return whether the address lies on this machine."""
        return self.scheme == "file"

    @property
    def suffix(self) -> str:
        """Return the ending of the address in small letters, for instance ``.csv``."""
        return PurePosixPath(self.address).suffix.lower()

    @cached_property
    def _filesystem(self) -> Any:
        import fsspec

        options = {} if self.is_local else dict(self.options)
        if not self.is_local:
            # Without a handler, the retries of these packages would print tracebacks beside our own error.
            logging.getLogger(PACKAGES.get(self.scheme, self.scheme)).addHandler(logging.NullHandler())
        with self._explained():
            filesystem = fsspec.filesystem(self.scheme, **options)
            filesystem.invalidate_cache()
        return filesystem

    @cached_property
    def path(self) -> str:
        """Return the address as the file system names it."""
        return str(self._filesystem._strip_protocol(self.address))

    def is_folder(self) -> bool:
        """Return whether the address is a folder; also ``False`` where nothing is there."""
        with self._explained():
            return bool(self._filesystem.isdir(self.path))

    def exists(self) -> bool:
        """Return whether anything lies at the address."""
        with self._explained():
            return bool(self._filesystem.exists(self.path))

    def files_with(self, suffixes: tuple[str, ...]) -> list[str]:
        """Return the paths of the files with these endings in the folder and below, sorted, without hidden ones."""
        with self._explained():
            found = [str(path) for path in self._filesystem.find(self.path)]
        below = {path: PurePosixPath(path).relative_to(PurePosixPath(self.path)) for path in found}
        visible = [path for path, parts in below.items() if not any(part[0] in "._" for part in parts.parts)]
        return sorted(path for path in visible if PurePosixPath(path).suffix.lower() in suffixes)

    def require_file(self, path: str | None = None) -> None:
        """Refuse a path where no file with content lies.

        Raises
        ------
        DataSourceError
            When it is missing (names near it are given), a folder, or empty.
        """
        wanted = self.path if path is None else path
        with self._explained():
            if not self._filesystem.exists(wanted):
                raise self._missing()
            details = self._filesystem.info(wanted)
        if details["type"] == "directory":
            raise DataSourceError(f"{self.address!r} is a folder, but a file is needed; name one of the files in it.")
        if details["size"] == 0:
            raise DataSourceError(
                f"The file {self._shown(wanted)!r} is empty (0 bytes); check how it was written or copied."
            )

    def state_of(self, path: str) -> list[str]:
        """Return path, size, and what the storage says of the last change, as texts."""
        with self._explained():
            if self.is_local:
                found = Path(path).stat()
                return [path, str(found.st_size), str(found.st_mtime_ns)]
            details = self._filesystem.info(path)
        marks = (str(details[name]) for name in CHANGE_MARKS if name in details)
        return [path, str(details["size"]), *marks]

    @contextmanager
    def open(self, path: str | None = None) -> Iterator[IO[bytes]]:
        """Open a file for reading bytes; what the reading raises is explained, too."""
        with self._explained(), self._filesystem.open(self.path if path is None else path, "rb") as stream:
            yield stream

    def _shown(self, path: str) -> str:
        return self.address if path == self.path else path

    def _missing(self) -> DataSourceError:
        parent = str(PurePosixPath(self.path).parent)
        name = PurePosixPath(self.path).name
        if not self._filesystem.isdir(parent):
            return DataSourceError(
                f"The file {self.address!r} does not exist, and neither does its folder; check data.source."
            )
        names = sorted(PurePosixPath(str(entry)).name for entry in self._filesystem.ls(parent, detail=False))
        near = nearest_name(name, names)
        listed = ", ".join(names[:MAX_NAMES]) + (", ..." if len(names) > MAX_NAMES else "")
        hint = f"did you mean {near!r}?" if near else f"its folder holds {listed or 'nothing'}."
        return DataSourceError(f"The file {self.address!r} does not exist; correct data.source: {hint}")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what the file system raises into a :class:`DataSourceError`."""
        try:
            yield
        except (DataSourceError, MemoryError):
            raise
        except ImportError as error:
            package = PACKAGES.get(self.scheme, self.scheme)
            raise DataSourceError(
                f"Reading {self.address!r} needs the package {package!r}; install it with: pipenv install {package}"
            ) from error
        except OSError as error:
            raise DataSourceError(_explain(self.address, self.is_local, error)) from error
        except Exception as error:
            if self.is_local:
                raise
            # Each cloud's package has exceptions of its own, without a common class.
            raise DataSourceError(_explain(self.address, self.is_local, error)) from error


def _explain(address: str, is_local: bool, error: Exception) -> str:
    reason = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    if is_local:
        return f"{address!r} cannot be read ({reason}); check the path and its permissions."
    return (
        f"{address!r} cannot be read ({reason}); check the address, the network, data.storage_options "
        "(for instance endpoint_url) and the credentials in the environment."
    )
