"""What happens to the chunks of one table that is scored."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from ml_project.config import Config
from ml_project.data.raw_schema import RawSchema
from ml_project.errors import InvalidDataError, Problem
from ml_project.prediction.batch_rows import CheckedChunk, ProblemCollector, check_chunk
from ml_project.prediction.pipeline import PredictionPipeline
from ml_project.prediction.table_writer import TableWriter, open_writer
from ml_project.safe_file import replaced_on_success

ROW = "row"
MAX_WARNINGS = 20


@dataclass(frozen=True)
class BatchResult:
    """What scoring a table gave.

    Attributes
    ----------
    n_rows
        Number of rows with predictions.
    n_rejected
        Number of rows that were set aside.
    paths
        ``predictions`` and, where rows were set aside, ``rejected``.
    y_true
        Known values of the target, in the form of raw data; ``None`` where the table has no target column.
    predictions
        The predictions of the rows of ``y_true``, with the same index.
    warnings
        Where the table is not as a batch is expected to be.
    """

    n_rows: int
    n_rejected: int
    paths: Mapping[str, Path]
    y_true: pd.Series[Any] | None
    predictions: pd.DataFrame | None
    warnings: tuple[Problem, ...]


@dataclass
class BatchRun:
    """What has happened so far in the scoring of one table."""

    pipeline: PredictionPipeline
    config: Config
    writer: TableWriter
    files: contextlib.ExitStack
    rejected: Path
    n_rows: int = 0
    n_rejected: int = 0
    schema: RawSchema | None = None
    collector: ProblemCollector = field(default_factory=ProblemCollector)
    rejected_writer: TableWriter | None = None
    labels: list[pd.Series[Any]] = field(default_factory=list)
    labelled: list[pd.DataFrame] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def take(self, source: pd.DataFrame) -> None:
        """Check, predict and write one chunk."""
        if self.schema is None:
            self.schema = batch_schema(self.pipeline, source.columns)
        chunk = check_chunk(source, self.schema, missing_values=self.config.data.missing_values)
        if chunk.findings:
            self._reject(chunk)
        if self.n_rejected and self.config.prediction.invalid_rows == "refuse":
            return  # the other chunks are only looked at for further problems
        valid = chunk.valid_raw()
        self._watch(valid)
        predictions = self.pipeline.predict(valid)
        self.writer.write(self._with_identifier(valid, predictions))
        self.n_rows += len(valid)
        self._keep_labels(valid, predictions)

    def refuse_problems(self) -> None:
        """Refuse the table when rows break the schema and none may be set aside."""
        if self.n_rejected and self.config.prediction.invalid_rows == "refuse":
            raise InvalidDataError(
                f"{self.n_rejected:,} rows break the schema, so nothing was written; correct them, or set "
                "prediction.invalid_rows to 'set_aside' to score the others",
                self.collector.problems(),
            )

    def result(self) -> BatchResult:
        """Return what has happened."""
        paths = {"predictions": self.config.prediction.output}
        if self.rejected_writer is not None:
            paths["rejected"] = self.rejected
        return BatchResult(
            n_rows=self.n_rows,
            n_rejected=self.n_rejected,
            paths=paths,
            y_true=pd.concat(self.labels) if self.labels else None,
            predictions=pd.concat(self.labelled) if self.labelled else None,
            warnings=tuple(self.warnings[:MAX_WARNINGS]),
        )

    def _reject(self, chunk: CheckedChunk) -> None:
        self.n_rejected += int(chunk.invalid.sum())
        self.collector.add(chunk)
        if self.config.prediction.invalid_rows == "refuse":
            return
        if self.rejected_writer is None:
            self.rejected_writer = open_table(self.files, self.rejected)
        self.rejected_writer.write(chunk.rejected())

    def _watch(self, valid: pd.DataFrame) -> None:
        """Note where a chunk is not as expected; a short last one says nothing about the table."""
        from ml_project.validation.expectations import check_batch

        if self.n_rows and len(valid) < self.config.prediction.chunk_rows / 2:
            return
        if self.schema is not None and len(valid):
            self.warnings += check_batch(valid, self.schema)

    def _with_identifier(self, valid: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
        name = self.pipeline.id_column
        if name is not None and name in valid.columns:
            return pd.concat([valid[name], predictions], axis="columns")
        return predictions.reset_index(names=ROW)

    def _keep_labels(self, valid: pd.DataFrame, predictions: pd.DataFrame) -> None:
        if self.pipeline.target_column in valid.columns:
            known = valid[self.pipeline.target_column].dropna()
            self.labels.append(known)
            self.labelled.append(predictions.loc[known.index])


def open_table(files: contextlib.ExitStack, path: Path) -> TableWriter:
    """Return a writer whose file replaces ``path`` when the stack closes without an error."""
    writer = open_writer(files.enter_context(replaced_on_success(path)))
    files.callback(writer.close)
    return writer


def batch_schema(pipeline: PredictionPipeline, columns: pd.Index[Any]) -> RawSchema:
    """Return the rules of the columns to read: what the model needs, the identifier and the target where present.

    The target may be missing in some rows.
    """
    optional = [name for name in (pipeline.id_column, pipeline.target_column) if name is not None and name in columns]
    wanted = pipeline.raw_schema.select([*pipeline.input_schema.names, *optional])
    rules = tuple(
        rule.model_copy(update={"nullable": True}) if rule.name == pipeline.target_column else rule
        for rule in wanted.columns
    )
    return wanted.model_copy(update={"columns": rules})
