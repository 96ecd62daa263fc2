"""The table of predictions put together from the parts of its chunks, as CSV or Parquet."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from ml_project.errors import ConfigError
from ml_project.prediction.batch_output import csv_header

COPIED_BYTES = 2**20


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
            shutil.copyfileobj(lines, self._file, COPIED_BYTES)

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
