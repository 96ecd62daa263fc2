"""CSV files, read strictly and as text: types are given by the coercion alone."""

from __future__ import annotations

import csv as python_csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from ml_project.config import CsvConfig
from ml_project.data.sources.arrow_source import ArrowSource, without_first
from ml_project.data.sources.base import Select, every_column
from ml_project.data.sources.csv_header import Header, decide_encoding, read_header
from ml_project.data.sources.csv_numbers import normalise_numbers
from ml_project.data.sources.csv_problems import explain_csv, has_rows, holds_conflict_marker, refuse_open_quote
from ml_project.data.sources.storage import Storage

BLOCK_BYTES = 2**22
"""Bytes that are parsed at once; a row must be shorter."""


@dataclass(frozen=True)
class CsvSource(ArrowSource):
    """A CSV file on this machine or in object storage; every value is text, exactly as written.

    Attributes
    ----------
    storage
        Where the file lies.
    csv
        How it is written.
    number_columns
        Columns whose numbers are brought to the form with a decimal point and without separators of thousands.
    """

    storage: Storage
    csv: CsvConfig
    number_columns: frozenset[str] = frozenset()

    def describe(self) -> str:
        """Return what is read from where."""
        return f"CSV file {self.storage.address!r}"

    def count_rows(self) -> int | None:
        """Return the number of rows by parsing a local file once; ``None`` in object storage."""
        if not self.storage.is_local:
            return None
        return sum(int(table.num_rows) for table in self._parsed(lambda names: names[:1]))

    def state(self) -> list[list[str]] | None:
        """Return the file with its size and time of change."""
        self.storage.require_file()
        return [self.storage.state_of(self.storage.path)]

    def tables(self, *, skip_rows: int = 0, select: Select = every_column) -> Iterator[Any]:
        """Yield Arrow tables whose columns are text."""
        start = skip_rows
        for table in without_first(self._parsed(select), skip_rows):
            yield normalise_numbers(table, self.csv, self.number_columns, start, self.describe())
            start += table.num_rows

    def _parsed(self, select: Select) -> Iterator[Any]:
        import pyarrow as pa

        self.storage.require_file()
        header = self._header()
        selected = list(select(header.names))
        looked_at = [header.names[0], header.names[-1]]  # for marks of a merge and an open quote
        last = None
        with self.storage.open() as stream:
            try:
                for batch in _open_reader(stream, self.csv, header, list(dict.fromkeys([*looked_at, *selected]))):
                    table = pa.Table.from_batches([batch])
                    if holds_conflict_marker(table.column(0)):
                        raise explain_csv(self.storage, self.csv, header)
                    last = table.slice(table.num_rows - 1) if table.num_rows else last
                    yield table.select(selected)
            except (pa.ArrowInvalid, UnicodeError) as error:
                # A header without a line end, below which nothing comes, is no damage.
                if last is not None or has_rows(self.storage, self.csv, header):
                    raise explain_csv(self.storage, self.csv, header, reason=str(error)) from error
        if last is not None:
            last_value = last.column(header.names[-1])[0].as_py()
            refuse_open_quote(self.storage, self.csv, header, last_value=last_value)

    def _header(self) -> Header:
        try:
            return read_header(self.storage, self.csv)
        except (UnicodeError, python_csv.Error) as error:
            unread = Header(names=(), encoding=decide_encoding(self.storage, self.csv), n_records=0)
            raise explain_csv(self.storage, self.csv, unread, reason=str(error)) from error


def _open_reader(stream: IO[bytes], csv: CsvConfig, header: Header, wanted: list[str]) -> Any:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    return arrow_csv.open_csv(
        stream,
        read_options=arrow_csv.ReadOptions(
            column_names=list(header.names),
            skip_rows_after_names=header.n_records,
            encoding="utf8" if header.encoding.startswith("utf-8") else header.encoding,
            block_size=BLOCK_BYTES,
        ),
        parse_options=arrow_csv.ParseOptions(delimiter=csv.delimiter, newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            column_types={name: pa.string() for name in header.names},
            strings_can_be_null=False,
            include_columns=wanted,
        ),
    )
