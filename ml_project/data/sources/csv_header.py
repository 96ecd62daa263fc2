"""The first line of a CSV file: its encoding, its column names, and what they say about a wrong delimiter."""

from __future__ import annotations

import codecs
import csv as python_csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from ml_project.config import CsvConfig
from ml_project.data.names import nearest_name
from ml_project.data.sources.base import refuse_repeated_names
from ml_project.data.sources.storage import Storage
from ml_project.errors import DataSourceError

BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
CONFLICT_MARKERS = ("<<<<<<< ", "||||||| ", "=======", ">>>>>>> ")
USUAL_DELIMITERS = (";", ",", "\t", "|")
USUAL_ENCODINGS = ("utf-8", "utf-16", "cp1252", "latin-1", "iso-8859-15", "cp1250", "ascii")


@dataclass(frozen=True)
class Header:
    """What the start of a CSV file says.

    Attributes
    ----------
    names
        Column names as written.
    encoding
        Encoding to read the file with; ``utf-8-sig`` skips a byte-order mark.
    n_records
        Records up to and including the header, blank lines counted.
    """

    names: tuple[str, ...]
    encoding: str
    n_records: int


def read_header(storage: Storage, csv: CsvConfig) -> Header:
    """Return the header of a CSV file.

    Raises
    ------
    UnicodeError, csv.Error
        When the start of the file cannot be decoded or parsed.
    DataSourceError
        When the encoding is unknown or contradicted by a byte-order mark, the header is a merge conflict, names repeat,
        or the delimiter is wrong.
    """
    encoding = decide_encoding(storage, csv)
    names, n_records = _first_record(storage, csv, encoding)
    where = f"The CSV file {storage.address!r}"
    if names[0].startswith(CONFLICT_MARKERS):
        raise DataSourceError(
            f"{where} holds an unsolved git merge conflict in line 1 ({names[0]!r}); solve it and remove the markers."
        )
    if len(names) == 1:
        _refuse_other_delimiter(where, names[0], csv.delimiter)
    refuse_repeated_names(names, where)
    return Header(tuple(names), encoding, n_records)


def decide_encoding(storage: Storage, csv: CsvConfig) -> str:
    """Return the encoding to read with: a byte-order mark decides, else the config."""
    try:
        named = codecs.lookup(csv.encoding).name
    except LookupError as error:
        near = nearest_name(csv.encoding, USUAL_ENCODINGS)
        hint = f"did you mean {near!r}?" if near else f"usual ones are {', '.join(USUAL_ENCODINGS)}."
        raise DataSourceError(f"data.csv.encoding {csv.encoding!r} is unknown; {hint}") from error
    with storage.open() as stream:
        start = stream.read(4)
    marked = next((encoding for mark, encoding in BYTE_ORDER_MARKS.items() if start.startswith(mark)), None)
    if marked == "utf-8-sig" or (marked is not None and named.startswith(marked)):
        return marked
    if marked is not None:
        raise DataSourceError(
            f"The CSV file {storage.address!r} starts with the byte-order mark of {marked}, "
            f"but data.csv.encoding is {csv.encoding!r}; set it to {marked!r}."
        )
    return "utf-8-sig" if named == "utf-8" else named


def records(lines: io.TextIOBase, csv: CsvConfig, *, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the number of its last line, counted from 1; a blank line is an empty record."""
    reader = python_csv.reader(lines, delimiter=csv.delimiter, strict=strict)
    for record in reader:
        yield reader.line_num, record


def _first_record(storage: Storage, csv: CsvConfig, encoding: str) -> tuple[list[str], int]:
    with storage.open() as stream:
        lines = io.TextIOWrapper(stream, encoding=encoding, newline="")
        for n_records, (_, record) in enumerate(records(lines, csv), start=1):
            if record:
                return record, n_records
    raise DataSourceError(f"The CSV file {storage.address!r} holds only blank lines; check how it was written.")


def _refuse_other_delimiter(where: str, header: str, delimiter: str) -> None:
    counts = {other: header.count(other) for other in USUAL_DELIMITERS if other != delimiter and other in header}
    if counts:
        likely = max(counts, key=lambda other: counts[other])
        raise DataSourceError(
            f"{where} has one column only when split at {delimiter!r} (header {header[:80]!r}); "
            f"it seems to be split at {likely!r}: set data.csv.delimiter to {likely!r}."
        )
