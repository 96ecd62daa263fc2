"""Tables written chunk by chunk, as CSV or Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from ml_project.errors import ConfigError


class TableWriter(Protocol):
    """Writes frames with the same columns, one after another, to one file."""

    def write(self, frame: pd.DataFrame) -> None:
        """Append rows; the index is not written."""
        ...

    def close(self) -> None:
        """Finish the file."""
        ...


class CsvWriter:
    """Writes a CSV file; numbers keep all their digits."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._has_header = False

    def write(self, frame: pd.DataFrame) -> None:
        """Append rows; the index is not written."""
        frame.to_csv(self._file, index=False, header=not self._has_header, lineterminator="\n")
        self._has_header = True

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


class ParquetWriter:
    """Writes a Parquet file, one row group per frame; the first frame decides the types."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None

    def write(self, frame: pd.DataFrame) -> None:
        """Append rows; the index is not written."""
        import pyarrow as pa
        import pyarrow.parquet

        schema = None if self._writer is None else self._writer.schema
        table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
        if self._writer is None:
            self._writer = pyarrow.parquet.ParquetWriter(self._path, table.schema)
        self._writer.write_table(table)

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()


_WRITERS: dict[str, type[CsvWriter] | type[ParquetWriter]] = {".csv": CsvWriter, ".parquet": ParquetWriter}


def check_table_path(path: Path) -> None:
    """Refuse a path whose ending is that of no kind of table, or that is a folder.

    Raises
    ------
    ConfigError
        Naming the endings that there are.
    """
    if path.suffix not in _WRITERS:
        raise ConfigError(f"prediction.output is {str(path)!r}, but must end with {' or '.join(_WRITERS)}")
    if path.is_dir():
        raise ConfigError(f"prediction.output is the folder {str(path)!r}; name a file in it")


def open_writer(temporary: Path) -> TableWriter:
    """Return what writes a table to a file, by the file's ending."""
    return _WRITERS[temporary.suffix](temporary)
