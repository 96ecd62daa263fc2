"""Parquet: one file, or a folder of files with the same columns, streamed in pieces of row groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ml_project.data.names import nearest_name
from ml_project.data.sources.arrow_source import ArrowSource, plain_type, without_first
from ml_project.data.sources.base import Select, every_column, refuse_repeated_names
from ml_project.data.sources.storage import Storage
from ml_project.errors import MAX_SAMPLES_PER_PROBLEM, DataSourceError, Problem

ENDINGS = (".parquet", ".pq")
BATCH_ROWS = 2**16
"""Rows that are decoded at once."""
BUFFER_BYTES = 2**20
"""Bytes of a column that are read at once, so that memory does not depend on the size of row groups."""
MAX_ENCODED_BYTES = 8
"""Bytes per text up to which a file's texts repeat so often that they are read as a dictionary."""


@dataclass(frozen=True)
class Footer:
    """What a Parquet file says about itself.

    Attributes
    ----------
    path
        The file.
    schema
        Names and types, without dictionaries.
    group_rows
        Rows of each row group.
    text_bytes
        Bytes of each column of texts before compression.
    """

    path: str
    schema: Any
    group_rows: tuple[int, ...]
    text_bytes: Mapping[str, int]

    @property
    def n_rows(self) -> int:
        """Return the number of rows."""
        return sum(self.group_rows)

    def groups_after(self, n_rows: int) -> tuple[list[int], int]:
        """Return the row groups with the rows after the first ``n_rows``, and how many rows to leave out in them."""
        group = 0
        while group < len(self.group_rows) and n_rows >= self.group_rows[group]:
            n_rows -= self.group_rows[group]
            group += 1
        return list(range(group, len(self.group_rows))), n_rows


@dataclass(frozen=True)
class ParquetSource(ArrowSource):
    """A Parquet file, or the Parquet files of a folder and its subfolders in the order of their paths.

    Attributes
    ----------
    storage
        Where the file or folder lies.
    """

    storage: Storage

    def describe(self) -> str:
        """Return what is read from where."""
        return f"Parquet data {self.storage.address!r}"

    def count_rows(self) -> int | None:
        """Return the number of rows that the files' footers state."""
        return sum(footer.n_rows for footer in self._footers)

    def state(self) -> list[list[str]] | None:
        """Return the files with their sizes and times of change."""
        return [self.storage.state_of(path) for path in self._paths()]

    def tables(self, *, skip_rows: int = 0, select: Select = every_column) -> Iterator[Any]:
        """Yield Arrow tables in the first file's column order."""
        footers = self._footers
        common = self._common_schema(footers)
        schema = _encoded(common, footers, list(select(common.names)))
        for footer in footers:
            if skip_rows < footer.n_rows:
                yield from without_first(*self._read(footer, schema, skip_rows))
            skip_rows = max(0, skip_rows - footer.n_rows)

    def _read(self, footer: Footer, schema: Any, skip_rows: int) -> tuple[Iterator[Any], int]:
        """Return the tables of a file's last row groups, and the number of rows in them that are to be left out."""
        groups, in_groups = footer.groups_after(skip_rows)
        return self._read_groups(footer.path, schema, groups), in_groups

    def _read_groups(self, path: str, schema: Any, groups: list[int]) -> Iterator[Any]:
        import pyarrow as pa

        dictionaries = [field.name for field in schema if pa.types.is_dictionary(field.type)]
        with self._opened(path, dictionaries) as file:
            # One thread: decoding is a small part of any work on the rows, whose own processes want the other cores.
            for batch in file.iter_batches(BATCH_ROWS, groups, columns=schema.names, use_threads=False):
                yield _in_form(pa.Table.from_batches([batch]), schema)

    def _paths(self) -> list[str]:
        if not self.storage.is_folder():
            self.storage.require_file()
            return [self.storage.path]
        paths = self.storage.files_with(ENDINGS)
        if not paths:
            raise DataSourceError(
                f"The folder {self.storage.address!r} holds no Parquet files "
                f"(endings {', '.join(ENDINGS)}); check data.source."
            )
        return paths

    @cached_property
    def _footers(self) -> list[Footer]:
        footers = []
        for path in self._paths():
            self.storage.require_file(path)
            with self._opened(path) as file:
                refuse_repeated_names(file.schema_arrow.names, f"The Parquet file {path!r}")
                footers.append(_footer(path, file))
        return footers

    @contextmanager
    def _opened(self, path: str, dictionaries: Sequence[str] = ()) -> Iterator[Any]:
        import pyarrow as pa
        from pyarrow import parquet

        options = {"page_checksum_verification": True, "buffer_size": BUFFER_BYTES, "read_dictionary": dictionaries}
        with self.storage.open(path) as stream:
            try:
                with parquet.ParquetFile(stream, **options) as file:
                    yield file
            except (pa.ArrowException, OSError) as error:
                reason = str(error).splitlines()[0][:200]
                raise DataSourceError(
                    f"The Parquet file {path!r} is damaged or no Parquet file ({reason}); write or copy it again."
                ) from error

    def _common_schema(self, found: list[Footer]) -> Any:
        import pyarrow as pa

        first = found[0]
        problems = [problem for footer in found[1:] for problem in _differences(footer, first)]
        if problems:
            raise DataSourceError(
                f"The Parquet files in {self.storage.address!r} do not have the same columns; "
                "write them alike or move some away.",
                problems[:MAX_SAMPLES_PER_PROBLEM],
            )
        try:
            return pa.unify_schemas([footer.schema for footer in found], promote_options="permissive")
        except pa.ArrowException as error:
            raise DataSourceError(
                f"The Parquet files in {self.storage.address!r} do not have the same column types "
                f"({error}); write them alike."
            ) from error


def _footer(path: str, file: Any) -> Footer:
    import pyarrow as pa

    schema = pa.schema([(field.name, plain_type(field.type)) for field in file.schema_arrow])
    groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
    text_bytes: dict[str, int] = {}
    for group in groups:
        for place in range(group.num_columns):
            column = group.column(place)
            if column.path_in_schema in schema.names and _is_text(schema.field(column.path_in_schema).type):
                text_bytes[column.path_in_schema] = (
                    text_bytes.get(column.path_in_schema, 0) + column.total_uncompressed_size
                )
    return Footer(path, schema, tuple(group.num_rows for group in groups), text_bytes)


def _is_text(arrow_type: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(arrow_type) or pa.types.is_large_string(arrow_type))


def _encoded(schema: Any, footers: Sequence[Footer], names: Sequence[str]) -> Any:
    """Return the schema of some columns, with dictionaries for texts that repeat."""
    import pyarrow as pa

    n_rows = sum(footer.n_rows for footer in footers)
    fields = []
    for name in names:
        found = schema.field(name).type
        n_bytes = sum(footer.text_bytes.get(name, 0) for footer in footers)
        repeats = _is_text(found) and n_bytes <= MAX_ENCODED_BYTES * n_rows
        # of this type are the dictionaries that Arrow reads, also where the writer's texts were large ones
        fields.append((name, pa.dictionary(pa.int32(), pa.string()) if repeats else found))
    return pa.schema(fields)


def _in_form(table: Any, schema: Any) -> Any:
    """Return a table with the columns, order and types of a schema."""
    import pyarrow as pa

    columns = []
    for field in schema:
        column = table.column(field.name)
        if column.type != field.type and pa.types.is_dictionary(field.type):
            column = column.cast(field.type.value_type).dictionary_encode()
        columns.append(column if column.type == field.type else column.cast(field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def _differences(footer: Footer, first: Footer) -> list[Problem]:
    """Return how one file's columns differ from the first file's; whole numbers beside decimals are no difference."""
    import pyarrow as pa

    problems = []
    ours, theirs = footer.schema, first.schema
    for name in sorted({*ours.names} ^ {*theirs.names}):
        has, lacks = (footer, first) if name in ours.names else (first, footer)
        near = nearest_name(name, lacks.schema.names)
        hint = f"; is it {near!r} there?" if near else ""
        problems.append(Problem(f"is in {has.path!r} but not in {lacks.path!r}{hint}", field=name))
    for name in (name for name in theirs.names if name in ours.names):
        try:
            pa.unify_schemas(
                [pa.schema([schema.field(name)]) for schema in (theirs, ours)], promote_options="permissive"
            )
        except pa.ArrowException:
            text = f"is {theirs.field(name).type} in {first.path!r} but {ours.field(name).type} in {footer.path!r}"
            problems.append(Problem(text, name))
    return problems
