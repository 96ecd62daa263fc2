"""Some rows of a table in the form of the whole: verbatim CSV, Parquet of the same types, a table of SQLite."""

from __future__ import annotations

import codecs
import csv as python_csv
import datetime as dt
import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ml_project.config import CsvConfig
from ml_project.data.sources.csv_header import BYTE_ORDER_MARKS, read_header
from ml_project.data.sources.parquet import ENDINGS
from ml_project.data.sources.storage import Storage
from ml_project.errors import DataSourceError
from ml_project.safe_file import replaced_on_success
from scaffolding.words import counted

if TYPE_CHECKING:
    import pandas as pd

Positions = npt.NDArray[np.intp]


def write_csv_rows(storage: Storage, csv: CsvConfig, positions: Positions, n_rows: int, destination: Path) -> None:
    """Write the header and some records of a CSV file as they stand in it: mark, encoding, quotes and line ends.

    Parameters
    ----------
    storage, csv
        The file, and how it is written.
    positions
        Rows to write, ascending, counted from 0.
    n_rows
        Rows that the file was found to have.
    destination
        File to write.

    Raises
    ------
    DataSourceError
        When the file does not have that many rows any more.
    """
    header = read_header(storage, csv)
    wanted, found = set(positions.tolist()), 0
    with storage.open() as stream, replaced_on_success(destination) as temporary, temporary.open("wb") as written:
        mark = _mark(stream.read(4))
        stream.seek(0)
        encode = codecs.getincrementalencoder(_plain_encoding(header.encoding, mark))().encode
        written.write(mark)
        lines = io.TextIOWrapper(stream, encoding=header.encoding, newline="")
        for number, (record, is_blank) in enumerate(_written_records(lines, csv.delimiter)):
            if number < header.n_records or (not is_blank and found in wanted):
                written.write(encode(record))
            found += number >= header.n_records and not is_blank
        _require_rows(found, n_rows, storage)


def _written_records(lines: io.TextIOBase, delimiter: str) -> Iterator[tuple[str, bool]]:
    """Yield each record as it is written, with breaks within quotes and its line end, and whether it is blank."""
    pending: list[str] = []

    def remembered() -> Iterator[str]:
        for line in lines:
            pending.append(line)
            yield line

    for fields in python_csv.reader(remembered(), delimiter=delimiter):
        yield "".join(pending), not fields
        pending.clear()


def _mark(start: bytes) -> bytes:
    return next((mark for mark in BYTE_ORDER_MARKS if start.startswith(mark)), b"")


def _plain_encoding(encoding: str, mark: bytes) -> str:
    """Return the encoding that writes no byte-order mark of its own."""
    known = {
        codecs.BOM_UTF32_LE: "utf-32-le",
        codecs.BOM_UTF32_BE: "utf-32-be",
        codecs.BOM_UTF16_LE: "utf-16-le",
        codecs.BOM_UTF16_BE: "utf-16-be",
    }
    return known.get(mark, "utf-8" if encoding == "utf-8-sig" else encoding)


def write_parquet_rows(storage: Storage, positions: Positions, n_rows: int, destination: Path) -> None:
    """Write some rows of a Parquet file, or of a folder of them, with the same columns and types.

    Parameters
    ----------
    storage
        The file or folder.
    positions, n_rows, destination
        As for :func:`write_csv_rows`.

    Raises
    ------
    DataSourceError
        When there are not that many rows any more.
    """
    import pyarrow as pa
    from pyarrow import parquet

    parts, start = [], 0
    for path in storage.files_with(ENDINGS) if storage.is_folder() else [storage.path]:
        with storage.open(path) as stream, parquet.ParquetFile(stream) as file:
            for batch in file.iter_batches():
                here = positions[(positions >= start) & (positions < start + batch.num_rows)] - start
                parts.append(pa.Table.from_batches([batch]).take(here))
                start += batch.num_rows
    _require_rows(start, n_rows, storage)
    with replaced_on_success(destination) as temporary:
        parquet.write_table(pa.concat_tables(parts, promote_options="permissive"), temporary)


def _require_rows(found: int, expected: int, storage: Storage) -> None:
    if found != expected:
        raise DataSourceError(
            f"{storage.address!r} had {counted(expected, 'row')} when it was read and {found:,} when its sample was "
            "taken; try again when nothing writes to it."
        )


def write_sqlite_rows(rows: pd.DataFrame, table: str, destination: Path) -> None:
    """Write rows that came from a database to an SQLite file with one table.

    Parameters
    ----------
    rows
        Values as the database's driver gave them.
    table
        Name of the table.
    destination
        File to write.
    """
    values = [[_storable(value) for value in rows[name].tolist()] for name in rows.columns]
    columns = ", ".join(f"{_quoted(str(name))} {_type_of(rows[name])}" for name in rows.columns)
    places = ", ".join("?" * len(values))
    with replaced_on_success(destination) as temporary, closing(sqlite3.connect(temporary)) as database, database:
        database.execute(f"CREATE TABLE {_quoted(table)} ({columns})")
        database.executemany(f"INSERT INTO {_quoted(table)} VALUES ({places})", zip(*values, strict=True))  # noqa: S608


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _type_of(values: pd.Series[Any]) -> str:
    """Return the type that keeps values as they are; none where they are mixed."""
    kinds = {type(value) for value in values.dropna().tolist()}
    if kinds <= {int, bool}:
        return "INTEGER"
    if kinds <= {int, float, Decimal}:
        return "REAL"
    return "" if kinds & {int, float, Decimal, bool, bytes} else "TEXT"


def _storable(value: Any) -> Any:
    """Return a value as SQLite can hold it."""
    if value is None or isinstance(value, int | float | str | bytes):
        return value
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return json.dumps(value) if isinstance(value, list | dict) else str(value)
