"""What becomes of one chunk of a table, in whatever process: check, predict, write."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.data.coercion import ConvertedColumn
from ml_project.data.raw_schema import RawSchema
from ml_project.data.sources.base import Rows
from ml_project.errors import MAX_SAMPLES_PER_PROBLEM
from ml_project.prediction.batch_keys import KeyRange, collect_keys
from ml_project.prediction.batch_output import PredictionTable, csv_lines
from ml_project.prediction.batch_parts import (
    KEPT,
    PREDICTIONS,
    REJECTED,
    ChunkSummary,
    PartFiles,
    keys_kind,
    summarise_findings,
)
from ml_project.prediction.batch_rows import CheckedChunk, check_chunk
from ml_project.prediction.batch_sample import Sampler
from ml_project.prediction.pipeline import PredictionPipeline
from ml_project.validation.expectations import sum_columns


@dataclass(frozen=True)
class ChunkJob:
    """One chunk to score.

    Attributes
    ----------
    number
        Place among the chunks, counted from 0.
    start
        Number of its first row in the table.
    rows
        The rows, or the file that they were written to by :func:`hand_over`.
    only_check
        Whether problems are to be found only, because nothing will be written.
    """

    number: int
    start: int
    rows: Any
    only_check: bool

    def read_rows(self) -> Rows:
        """Return the rows as a frame or an Arrow table."""
        if not isinstance(self.rows, Path):
            return self.rows
        import pyarrow as pa

        return pa.ipc.open_stream(pa.memory_map(str(self.rows))).read_all()


def hand_over(rows: Rows, path: Path) -> Any:
    """Return rows in a form in which they go to another process at little cost.

    Parameters
    ----------
    rows
        A frame, which is returned as it is, or an Arrow table.
    path
        File for the table, which is returned. The memory of the file is what both processes see: through a pipe the
        rows would be copied several times.
    """
    if hasattr(rows, "iloc"):
        return rows
    import pyarrow as pa

    columns = [_plain_if_smaller(column) for column in rows.columns]
    table = pa.Table.from_arrays(columns, names=rows.column_names).unify_dictionaries()
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    return path


def _plain_if_smaller(column: Any) -> Any:
    """Return a column without its dictionary where that has more values than the column."""
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type) or all(len(part.dictionary) <= len(column) for part in column.chunks):
        return column
    return column.cast(column.type.value_type)


@dataclass(frozen=True)
class ChunkScorer:
    """Scores chunks and writes what comes of them.

    Attributes
    ----------
    pipeline
        What predicts.
    schema
        The columns that are read.
    missing_values
        Texts that mean a missing value.
    sets_aside
        Whether the rows that break the schema are set aside, and the others scored.
    is_csv
        Whether predictions are written as CSV, or as Arrow for a Parquet file.
    sampler
        Chooses the rows that predictions are evaluated on.
    files
        Where everything goes.
    """

    pipeline: PredictionPipeline
    schema: RawSchema
    missing_values: tuple[str, ...]
    sets_aside: bool
    is_csv: bool
    sampler: Sampler
    files: PartFiles

    @cached_property
    def table(self) -> PredictionTable:
        """Return the table of predictions."""
        return PredictionTable(self.pipeline, self.schema)

    def score(self, job: ChunkJob) -> ChunkSummary:
        """Score a chunk, write its files, and return what became of it."""
        chunk = check_chunk(job.read_rows(), self.schema, missing_values=self.missing_values, start=job.start)
        n_source = len(chunk.source)
        found = {
            "number": job.number,
            "n_source": n_source,
            "n_rejected": int(chunk.invalid.sum()) if chunk.findings else 0,
            "findings": summarise_findings(chunk, MAX_SAMPLES_PER_PROBLEM),
        }
        if job.only_check or (chunk.findings and not self.sets_aside):
            return self.files.write(ChunkSummary(**found), {})
        columns, rows = chunk.valid_columns(), chunk.valid_rows
        keys = {
            rule.name: collect_keys(columns[rule.name], rows, rule.kind) for rule in self.schema.columns if rule.unique
        }
        summary = ChunkSummary(
            **found,
            n_rows=len(rows),
            sums=sum_columns(columns, self.schema),
            keys={name: key_range for name, (key_range, _) in keys.items()},
        )
        contents = self._predict(job.number, rows, columns) | _keep_keys(keys)
        if chunk.findings:
            contents[REJECTED] = [_rejected_lines(chunk)]
        return self.files.write(summary, contents)

    def _predict(
        self, number: int, rows: npt.NDArray[np.int64], columns: Mapping[str, ConvertedColumn]
    ) -> dict[str, list[Any]]:
        inputs = {name: columns[name].spread() for name in self.pipeline.input_schema.names}
        outputs = self.pipeline.predict_columns(inputs)
        table = self.table.fill(rows, columns, outputs)
        contents = {PREDICTIONS: csv_lines(table) if self.is_csv else [_as_arrow_file(table)]}
        target = columns.get(self.pipeline.target_column)
        if target is not None:
            contents[KEPT] = [self.sampler.keep(number, rows, target, outputs)]
        return contents


def _keep_keys(
    keys: Mapping[str, tuple[KeyRange, npt.NDArray[np.int64] | None]],
) -> dict[str, list[Any]]:
    contents: dict[str, list[Any]] = {}
    for place, (_, to_keep) in enumerate(keys.values()):
        if to_keep is not None:
            stream = io.BytesIO()
            np.save(stream, to_keep)
            contents[keys_kind(place)] = [stream.getvalue()]
    return contents


def _as_arrow_file(table: Any) -> Any:
    import pyarrow as pa

    stream = pa.BufferOutputStream()
    with pa.ipc.new_file(stream, table.schema) as writer:
        writer.write_table(table)
    return stream.getvalue()


def _rejected_lines(chunk: CheckedChunk) -> bytes:
    return chunk.rejected().to_csv(index=False, header=False, lineterminator="\n").encode()
