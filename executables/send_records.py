"""Send a file of records to a prediction service and print the answers, one line of JSON each.

    python executables/send_records.py people.csv --url http://127.0.0.1:8000 > answers.jsonl

The file is CSV with a header, a JSON list, JSON lines or Parquet. Rows are counted from 0. Records that the service
refuses are told on stderr, the others are answered all the same. Exit codes: 0 when every record was answered, 1 when
some were not, 2 for wrong usage, 130 after Ctrl-C.
"""

import argparse
import csv
import itertools
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ml_project.errors import DataSourceError, MlProjectError, Problem
from ml_project.serving.client import PredictionClient
from ml_project.serving.refused_records import Send, send_batch

Record = Mapping[str, Any]

DONE, INCOMPLETE, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Send a file as the command line says, and return the exit code."""
    options = build_parser().parse_args(arguments)
    try:
        key = read_key(options.api_key_from_environment)
        records = open_records(options.file)
    except (MlProjectError, OSError) as error:
        return tell(str(error), WRONG_USAGE)
    try:
        with PredictionClient(options.url, timeout_seconds=options.timeout, api_key=key) as client:
            n_answered, n_refused = send_all(records, client.predict, options.batch_size)
    except KeyboardInterrupt:
        return tell("interrupted", INTERRUPTED)
    except (MlProjectError, OSError, UnicodeDecodeError) as error:
        return tell(str(error), INCOMPLETE)
    return tell(f"{n_answered:,} records answered, {n_refused:,} refused", INCOMPLETE if n_refused else DONE)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("file", type=Path, help="the records: " + ", ".join(sorted(READERS)))
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="address of the service [%(default)s]")
    parser.add_argument("--batch-size", type=positive(int), default=100, help="records per request [%(default)s]")
    parser.add_argument("--timeout", type=positive(float), default=10.0, help="seconds to wait for it [%(default)s]")
    parser.add_argument(
        "--api-key-from-environment", metavar="NAME", help="environment variable that holds the key of the service"
    )
    return parser


def positive(kind: Callable[[str], float]) -> Callable[[str], float]:
    """Return a converter of texts that refuses numbers that are not above 0."""

    def convert(text: str) -> float:
        number = kind(text)
        if not 0 < number < math.inf:
            raise argparse.ArgumentTypeError(f"{text} is not above 0")
        return number

    return convert


def read_key(name: str | None) -> str | None:
    """Return the key that an environment variable holds."""
    if name is None:
        return None
    if not os.environ.get(name):
        raise MlProjectError(f"The environment variable {name} is not set; put the key of the service into it.")
    return os.environ[name]


def tell(text: str, code: int) -> int:
    """Print a line on stderr and return the exit code."""
    print(f"send_records: {text}", file=sys.stderr)
    return code


def send_all(records: Iterator[Record], send: Send, batch_size: int) -> tuple[int, int]:
    """Send all records, print answers and refusals, and return the numbers of both."""
    n_answered = n_refused = first = 0
    for batch in itertools.batched(records, batch_size):
        outcome = send_batch(send, batch)
        for place, answer in outcome.answers.items():
            print(json.dumps({"row": first + place, **answer}, ensure_ascii=False))
        for problem in outcome.problems:
            row = None if problem.row is None else first + problem.row
            print(replace(problem, row=row), file=sys.stderr)
        n_answered += len(outcome.answers)
        n_refused += len(batch) - len(outcome.answers)
        first += len(batch)
        sys.stdout.flush()
    return n_answered, n_refused


def open_records(file: Path) -> Iterator[Record]:
    """Return an iterator over the records of a file, of which little is in memory at a time except for JSON lists."""
    if file.suffix not in READERS:
        raise DataSourceError(f"The ending of {str(file)!r} is not known; known are {', '.join(sorted(READERS))}.")
    if not file.is_file():
        raise DataSourceError(f"There is no file {str(file)!r}.")
    return READERS[file.suffix](file)


def read_csv(file: Path) -> Iterator[Record]:
    """Yield the rows of a CSV file, all values as texts."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines, strict=True)
        try:
            header = next(rows, [])
            if len(set(header)) < len(header):
                raise DataSourceError(f"{file} has columns with the same name; rename one of them.")
            for row, values in enumerate(line for line in rows if line):
                if len(values) != len(header):
                    raise broken(file, f"has {len(values)} fields, and the header {len(header)}", row)
                yield dict(zip(header, values, strict=True))
        except csv.Error as error:
            raise DataSourceError(f"{file} is not CSV near line {rows.line_num}: {error}.") from error


def read_json(file: Path) -> Iterator[Record]:
    """Yield the records of a JSON list, or the only one."""
    try:
        parsed = json.loads(file.read_bytes())
    except ValueError as error:
        raise DataSourceError(f"{file} is not JSON: {error}; name files with one record per line .jsonl.") from error
    for row, record in enumerate(parsed if isinstance(parsed, list) else [parsed]):
        yield as_record(file, record, row)


def read_json_lines(file: Path) -> Iterator[Record]:
    """Yield the records of a file with one JSON object per line."""
    with file.open("rb") as lines:
        for row, line in enumerate(line for line in lines if line.strip()):
            try:
                record = json.loads(line)
            except ValueError as error:
                raise broken(file, f"is not JSON: {error}", row) from error
            yield as_record(file, record, row)


def read_parquet(file: Path) -> Iterator[Record]:
    """Yield the rows of a Parquet file; NaN is a missing value."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(file) as table:
            for batch in table.iter_batches(batch_size=10_000):
                for record in batch.to_pylist():
                    yield {name: None if value != value else value for name, value in record.items()}  # noqa: PLR0124
    except pa.ArrowException as error:
        raise DataSourceError(f"{file} is not a usable Parquet file: {error}.") from error


def as_record(file: Path, found: Any, row: int) -> Record:
    """Return a value parsed from JSON that is a record."""
    if not isinstance(found, dict):
        raise broken(file, "is not a JSON object", row)
    return found


def broken(file: Path, text: str, row: int) -> DataSourceError:
    """Return the error for a row that cannot be read."""
    return DataSourceError(f"{file} cannot be read any further.", [Problem(text, row=row)])


READERS: dict[str, Callable[[Path], Iterator[Record]]] = {
    ".csv": read_csv,
    ".json": read_json,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".parquet": read_parquet,
}

if __name__ == "__main__":
    sys.exit(main())
