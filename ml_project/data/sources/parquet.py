"""Parquet: one file, or a folder of files with the same columns, streamed in pieces of row groups."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ml_project.data.names import nearest_name
from ml_project.data.sources.arrow_source import ArrowSource
from ml_project.data.sources.base import refuse_repeated_names
from ml_project.data.sources.storage import Storage
from ml_project.errors import MAX_SAMPLES_PER_PROBLEM, DataSourceError, Problem

ENDINGS = (".parquet", ".pq")
BATCH_ROWS = 2**16
"""Rows that are decoded at once."""


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
        return sum(n_rows for _, _, n_rows in self._footers())

    def tables(self) -> Iterator[Any]:
        """Yield Arrow tables in the first file's column order."""
        import pyarrow as pa

        footers = self._footers()
        schema = self._common_schema([(path, found) for path, found, _ in footers])
        for path, _, _ in footers:
            with self._opened(path) as file:
                for batch in file.iter_batches(batch_size=BATCH_ROWS):
                    yield pa.Table.from_batches([batch]).select(schema.names).cast(schema)

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

    def _footers(self) -> list[tuple[str, Any, int]]:
        """Return path, plain schema and number of rows of every file."""
        footers = []
        for path in self._paths():
            self.storage.require_file(path)
            with self._opened(path) as file:
                refuse_repeated_names(file.schema_arrow.names, f"The Parquet file {path!r}")
                footers.append((path, _plain(file.schema_arrow), file.metadata.num_rows))
        return footers

    @contextmanager
    def _opened(self, path: str) -> Iterator[Any]:
        import pyarrow as pa
        from pyarrow import parquet

        with self.storage.open(path) as stream:
            try:
                with parquet.ParquetFile(stream, page_checksum_verification=True) as file:
                    yield file
            except (pa.ArrowException, OSError) as error:
                reason = str(error).splitlines()[0][:200]
                raise DataSourceError(
                    f"The Parquet file {path!r} is damaged or no Parquet file ({reason}); write or copy it again."
                ) from error

    def _common_schema(self, found: list[tuple[str, Any]]) -> Any:
        import pyarrow as pa

        first_path, first = found[0]
        problems = [problem for path, schema in found[1:] for problem in _differences(path, schema, first_path, first)]
        if problems:
            raise DataSourceError(
                f"The Parquet files in {self.storage.address!r} do not have the same columns; "
                "write them alike or move some away.",
                problems[:MAX_SAMPLES_PER_PROBLEM],
            )
        try:
            return pa.unify_schemas([schema for _, schema in found], promote_options="permissive")
        except pa.ArrowException as error:
            raise DataSourceError(
                f"The Parquet files in {self.storage.address!r} do not have the same column types "
                f"({error}); write them alike."
            ) from error


def _plain(schema: Any) -> Any:
    """Return a schema without metadata, with the values' own type in place of dictionaries."""
    import pyarrow as pa

    return pa.schema(
        [
            (
                field.name,
                getattr(field.type, "value_type", field.type) if pa.types.is_dictionary(field.type) else field.type,
            )
            for field in schema
        ]
    )


def _differences(path: str, schema: Any, first_path: str, first: Any) -> list[Problem]:
    """Return how one file's columns differ from the first file's; whole numbers beside decimals are no difference."""
    import pyarrow as pa

    problems = []
    for name in sorted({*schema.names} ^ {*first.names}):
        has, lacks = (path, first_path) if name in schema.names else (first_path, path)
        near = nearest_name(name, (first if name in schema.names else schema).names)
        hint = f"; is it {near!r} there?" if near else ""
        problems.append(Problem(f"is in {has!r} but not in {lacks!r}{hint}", field=name))
    for name in (name for name in first.names if name in schema.names):
        fields = [pa.schema([first.field(name)]), pa.schema([schema.field(name)])]
        try:
            pa.unify_schemas(fields, promote_options="permissive")
        except pa.ArrowException:
            problems.append(
                Problem(
                    f"is {first.field(name).type} in {first_path!r} but {schema.field(name).type} in {path!r}", name
                )
            )
    return problems
