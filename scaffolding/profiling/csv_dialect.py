"""How a CSV file is written, found out from its bytes: encoding, delimiter, column names."""

from __future__ import annotations

import codecs
import csv as python_csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from ml_project.config import CsvConfig
from ml_project.data.sources.csv_header import BYTE_ORDER_MARKS
from ml_project.data.sources.storage import Storage
from ml_project.errors import ConfigError, DataSourceError, Problem
from scaffolding.profiling.number_signs import number_signs

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_BYTES = 2**20
"""Bytes from the start that delimiter and signs are looked for in; the encoding is looked for in the whole file."""
BLOCK_BYTES = 2**20
MAX_RECORDS = 5000

Records = list[list[str]]

_NUMBER = re.compile(r"\s*[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?\s*")
_UNUSUAL = re.compile(r"[\x00-\x08\x0e-\x19\x1b-\x1f]")
"""Control characters that no text has."""


def sniff_csv(storage: Storage, given: Mapping[str, Any]) -> CsvConfig:
    """Return how a CSV file is written.

    Parameters
    ----------
    storage
        The file.
    given
        Fields of :class:`~ml_project.config.CsvConfig` that the user gave; they win.

    Raises
    ------
    ConfigError
        When a given field is wrong.
    DataSourceError
        When the file is no text, or its first line holds no column names.
    """
    check_csv(given)
    encoding = given.get("encoding") or _encoding(storage)
    sample = _sample(storage, encoding)
    records = _split(sample, given.get("delimiter"))
    delimiter = given.get("delimiter") or max(records, key=lambda one: _evenness(records[one]))
    _require_names(storage, records[delimiter])
    signs = number_signs(records[delimiter], delimiter, given)
    return check_csv({"encoding": encoding, "delimiter": delimiter, **signs, **given})


def check_csv(options: Mapping[str, Any]) -> CsvConfig:
    """Return the options of a CSV file in the config's form.

    Raises
    ------
    ConfigError
        With every unknown option and wrong value.
    """
    try:
        return CsvConfig(**options)
    except ValidationError as error:
        problems = [
            Problem(found["msg"], "csv." + ".".join(map(str, found["loc"])), value=found["input"])
            for found in error.errors()
        ]
        raise ConfigError("The CSV file cannot be written like that.", problems) from error


def _encoding(storage: Storage) -> str:
    with storage.open() as stream:
        start = stream.read(2**12)
    marked = next((encoding for mark, encoding in BYTE_ORDER_MARKS.items() if start.startswith(mark)), None)
    if marked is not None:
        return "utf-8" if marked == "utf-8-sig" else marked
    wide = _wide_encoding(start)
    found = [wide] if wide else [name for name in ("utf-8", "cp1252") if _decodes(storage, name)]
    if not found:
        raise _no_text(storage, "its bytes are neither UTF-8 nor the Western European encoding cp1252")
    return found[0]


def _wide_encoding(start: bytes) -> str | None:
    """Return UTF-16 without a byte-order mark, in which every second byte of Western texts is 0."""
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) * 4 < len(start) or min(even, odd) * 10 > max(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _decodes(storage: Storage, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with storage.open() as stream:
        try:
            while block := stream.read(BLOCK_BYTES):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeError:
            return False
    return True


def _sample(storage: Storage, encoding: str) -> str:
    with storage.open() as stream:
        start = stream.read(SAMPLE_BYTES)
        whole = not stream.read(1)
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(start, final=whole).removeprefix("\ufeff")
    except (LookupError, UnicodeError) as error:
        raise _no_text(storage, f"it cannot be read as {encoding!r} ({error})") from error
    unusual = _UNUSUAL.search(text)
    if unusual is not None:
        raise _no_text(storage, f"character {unusual.start() + 1} is the control character {unusual[0]!r}")
    return text if whole else text[: text.rfind("\n") + 1] or text


def _no_text(storage: Storage, reason: str) -> DataSourceError:
    return DataSourceError(
        f"{storage.address!r} does not seem to be a CSV file: {reason}. Give a CSV or Parquet file, or name the "
        "encoding of the CSV file, for instance cp1250 or iso-8859-5."
    )


def _split(sample: str, delimiter: str | None) -> dict[str, Records]:
    """Return the first records by delimiter, blank lines left out."""
    found = {}
    for one in DELIMITERS if delimiter is None else (delimiter,):
        records: Records = []
        reader = python_csv.reader(io.StringIO(sample, newline=""), delimiter=one)
        try:
            for record in reader:
                records += [record] if record else []
                if len(records) == MAX_RECORDS:
                    break
        except python_csv.Error:  # a field longer than any value: the quotes belong to another dialect
            records = records[:1]
        found[one] = records
    return found


def _evenness(records: Sequence[Sequence[str]]) -> tuple[float, int]:
    """Return the share of records with as many fields as the first one, and that number; 0 for a single column."""
    n_names = len(records[0]) if records else 0
    if n_names < 2:
        return 0.0, n_names
    return sum(len(record) == n_names for record in records) / len(records), n_names


def _require_names(storage: Storage, records: Sequence[Sequence[str]]) -> None:
    names = records[0] if records else []
    if names and all(not name.strip() or _NUMBER.fullmatch(name) for name in names):
        raise DataSourceError(
            f"The first line of {storage.address!r} holds numbers ({', '.join(names[:5])}), not column names; "
            "write the names of the columns into the first line."
        )
