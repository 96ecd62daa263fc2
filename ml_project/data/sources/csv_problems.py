"""Why a CSV file cannot be read: a second, slower look that finds the lines."""

from __future__ import annotations

import csv as python_csv
import io
from typing import Any

from ml_project.config import CsvConfig
from ml_project.data.sources.csv_header import CONFLICT_MARKERS, Header, records
from ml_project.data.sources.storage import Storage
from ml_project.errors import MAX_SAMPLES_PER_PROBLEM, DataSourceError, Problem

TAIL_BYTES = 2**16


def holds_conflict_marker(values: Any) -> bool:
    """Return whether an Arrow column of text holds the first or last marker of a git merge conflict."""
    from pyarrow import compute

    return bool(compute.any(compute.match_substring_regex(values, "^(<<<<<<<|>>>>>>>) ")).as_py())


def refuse_open_quote(storage: Storage, csv: CsvConfig, header: Header, *, last_value: str) -> None:
    """Refuse a file whose last quote is never closed, so that the rest of the file became one value.

    Raises
    ------
    DataSourceError
        With the line of the quote.
    """
    with storage.open() as stream:
        size = stream.seek(0, io.SEEK_END)
        stream.seek(max(0, size - TAIL_BYTES))
        tail = stream.read().rstrip(b"\r\n\0").rsplit(b"\n", 1)[-1]
    if "\n" not in last_value and "\r" not in last_value and tail.count(b'"') % 2 == 0:
        return
    problems = _find_problems(storage, csv, header)
    if problems:
        raise _error(storage, problems)


def has_rows(storage: Storage, csv: CsvConfig, header: Header) -> bool:
    """Return whether anything stands below the header."""
    with storage.open() as stream:
        lines = io.TextIOWrapper(stream, encoding=header.encoding, newline="")
        try:
            below = (
                record for number, (_, record) in enumerate(records(lines, csv), start=1) if number > header.n_records
            )
            return any(below)
        except (UnicodeError, python_csv.Error):
            return True


def explain_csv(storage: Storage, csv: CsvConfig, header: Header, *, reason: str = "") -> DataSourceError:
    """Return the error for a file that cannot be parsed, naming the lines where that is possible.

    Parameters
    ----------
    storage, csv, header
        The file, how it is said to be written, and its header; without names only the encoding is looked at.
    reason
        What the parser said.
    """
    try:
        problems = _find_problems(storage, csv, header)
    except UnicodeError as error:
        return _wrong_encoding(storage, csv, header, error)
    if problems:
        return _error(storage, problems)
    return DataSourceError(f"The CSV file {storage.address!r} cannot be read: {reason}; check that it is a CSV file.")


def _error(storage: Storage, problems: list[Problem]) -> DataSourceError:
    return DataSourceError(
        f"The CSV file {storage.address!r} is not a clean table; correct these lines or how it is written.", problems
    )


def _find_problems(storage: Storage, csv: CsvConfig, header: Header) -> list[Problem]:
    """Return the first lines with merge conflicts, another number of fields than the header, or an open quote."""
    problems: list[Problem] = []
    line, n_names = 0, len(header.names)
    with storage.open() as stream:
        lines = io.TextIOWrapper(stream, encoding=header.encoding, newline="")
        try:
            for line, record in records(lines, csv, strict=True):
                problem = _problem_of(record, n_names) if record else None
                if problem is not None:
                    problems.append(Problem(f"line {line}: {problem}"))
                if len(problems) == MAX_SAMPLES_PER_PROBLEM:
                    break
        except python_csv.Error as error:
            problems.append(
                Problem(f"after line {line}: {error}; is a quote not closed, or not doubled inside a value?")
            )
    return problems


def _problem_of(record: list[str], n_names: int) -> str | None:
    if record[0].startswith(CONFLICT_MARKERS):
        return f"git merge conflict marker {record[0]!r}; solve the conflict and remove the markers"
    if n_names and len(record) != n_names:
        return f"{len(record)} fields, but the header has {n_names}; is a delimiter missing, or inside a value?"
    return None


def _wrong_encoding(storage: Storage, csv: CsvConfig, header: Header, error: UnicodeError) -> DataSourceError:
    place = _first_undecodable_line(storage, header.encoding)
    with storage.open() as stream:
        looks_wide = b"\0" in stream.read(1000)
    likely = "utf-16" if looks_wide else "cp1252" if header.encoding.startswith("utf-8") else "utf-8"
    return DataSourceError(
        f"The CSV file {storage.address!r} is not encoded as {csv.encoding!r}{place} ({error}); "
        f"set data.csv.encoding to what it was written with, probably {likely!r}."
    )


def _first_undecodable_line(storage: Storage, encoding: str) -> str:
    if encoding.startswith(("utf-16", "utf-32")):
        return ""
    with storage.open() as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode(encoding)
            except UnicodeError:
                return f" in line {number}"
    return ""
