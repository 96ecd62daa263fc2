"""The table of predictions put together from the parts of its chunks, as CSV or Parquet."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Protocol

from ml_project.errors import ConfigError
from ml_project.prediction.batch_output import csv_header

COPIED_BYTES = 2**24
_CANNOT_SEND = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSOCK, errno.EOPNOTSUPP})


class TableWriter(Protocol):
    """Puts parts with the same columns, one after another, into one file."""

    def append(self, part: Path) -> None:
        """Append the rows of a part."""
        ...

    def close(self) -> None:
        """Finish the file."""
        ...


class CsvWriter:
    """Writes a CSV file from parts that are lines of CSV.

    Parameters
    ----------
    path
        The file.
    schema
        Arrow schema of the table.
    """

    def __init__(self, path: Path, schema: Any) -> None:
        self._file = path.open("wb")
        self._file.write(csv_header(schema))

    def append(self, part: Path) -> None:
        """Append the rows of a part."""
        with part.open("rb") as lines:
            _append(lines, self._file)

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


class ParquetWriter:
    """Writes a Parquet file from parts that are Arrow files, one row group per part.

    Parameters
    ----------
    path
        The file.
    schema
        Arrow schema of the table.
    """

    def __init__(self, path: Path, schema: Any) -> None:
        from pyarrow import parquet

        self._writer = parquet.ParquetWriter(path, schema)

    def append(self, part: Path) -> None:
        """Append the rows of a part."""
        import pyarrow as pa

        with pa.memory_map(str(part)) as content:
            self._writer.write_table(pa.ipc.open_file(content).read_all())

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()


def _append(source: IO[bytes], target: IO[bytes]) -> None:
    """Append a file to another one, by the system itself where it can do so: that is many times faster."""
    target.flush()
    copied = 0
    try:
        while sent := os.sendfile(target.fileno(), source.fileno(), copied, COPIED_BYTES):
            copied += sent
    except OSError as error:
        if copied or error.errno not in _CANNOT_SEND:
            raise
        shutil.copyfileobj(source, target, COPIED_BYTES)


WRITERS: dict[str, Callable[[Path, Any], TableWriter]] = {".csv": CsvWriter, ".parquet": ParquetWriter}


def check_table_path(path: Path) -> None:
    """Refuse a path whose ending is that of no kind of table, or that is a folder.

    Raises
    ------
    ConfigError
        Naming the endings that there are.
    """
    if path.suffix not in WRITERS:
        raise ConfigError(f"prediction.output is {str(path)!r}, but must end with {' or '.join(WRITERS)}")
    if path.is_dir():
        raise ConfigError(f"prediction.output is the folder {str(path)!r}; name a file in it")
