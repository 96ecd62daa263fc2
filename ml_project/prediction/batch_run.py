"""The scoring of one table: chunks handed to workers, their parts put together in order, and what they say in all."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial, reduce
from itertools import chain
from operator import add
from pathlib import Path
from typing import Any

from ml_project.config import Config
from ml_project.data.coercion import require_columns
from ml_project.data.raw_schema import RawSchema
from ml_project.data.sources.base import Rows, Source
from ml_project.errors import MAX_SAMPLES_PER_PROBLEM, DataSourceError, InvalidDataError, Problem
from ml_project.prediction.batch_chunk import ChunkJob, ChunkScorer, hand_over
from ml_project.prediction.batch_keys import ChunkKeys, find_repeated
from ml_project.prediction.batch_output import PredictionTable, batch_schema
from ml_project.prediction.batch_parts import KEPT, PREDICTIONS, REJECTED, ROWS, ChunkSummary, PartsFolder, keys_kind
from ml_project.prediction.batch_rows import PROBLEMS, ROW
from ml_project.prediction.batch_sample import Sample, Sampler, draw_sample, share_to_keep
from ml_project.prediction.batch_workers import InlineWorkers, Scorable, Workers, process_workers
from ml_project.prediction.progress import Advance, show_progress, tell
from ml_project.prediction.table_writer import WRITERS, CsvWriter, TableWriter
from ml_project.safe_file import replaced_on_success
from ml_project.validation.expectations import unexpected

SMALL_TABLE_ROWS = 100_000
"""Rows up to which a table is scored in this process: starting others would take longer."""


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
    sample
        Rows with known targets to hold the predictions against; ``None`` where no target is known.
    warnings
        Where the table is not as a batch is expected to be.
    """

    n_rows: int
    n_rejected: int
    paths: Mapping[str, Path]
    sample: Sample | None
    warnings: tuple[Problem, ...]


class BatchRun:
    """The scoring of one table.

    Parameters
    ----------
    artifact
        What predicts.
    config
        What to do with the table.
    source
        The table.
    parts
        Where the parts of the output are kept, and those that are done already.
    rejected
        File for the rows that are set aside.
    load
        Loads the artifact again, in other processes; ``None`` to score in this one.
    """

    def __init__(
        self,
        artifact: Scorable,
        config: Config,
        source: Source,
        parts: PartsFolder,
        rejected: Path,
        load: Callable[[], Scorable] | None,
    ) -> None:
        self._artifact = artifact
        self._config = config
        self._source = source
        self._parts = parts
        self._rejected = rejected
        self._load = load
        self._names: Sequence[str] = ()
        self._state = source.state()
        self._n_total = source.count_rows()

    def score(self) -> BatchResult:
        """Score the chunks that are not done, and write the output.

        Raises
        ------
        InvalidDataError
            When rows break the schema and none may be set aside.
        DataSourceError
            When the table changes meanwhile.
        """
        with contextlib.ExitStack() as files:
            jobs, is_small = self._look_ahead(self._jobs())
            output = self._open(files, self._config.prediction.output)
            self._score_jobs(jobs, output, is_small=is_small)
            self._refuse_changes()
            self._refuse_problems()
            if self._n_rejected:
                self._write_rejected(files)
        return self._result()

    @cached_property
    def _schema(self) -> RawSchema:
        return batch_schema(self._artifact.pipeline, self._names)

    @property
    def _sets_aside(self) -> bool:
        return self._config.prediction.invalid_rows == "set_aside"

    @property
    def _n_rejected(self) -> int:
        return sum(summary.n_rejected for summary in self._parts.done.values())

    @cached_property
    def _share(self) -> float:
        return share_to_keep(self._n_total)

    def _select(self, names: Sequence[str]) -> Sequence[str]:
        """Return the columns to read of a table: all where rows may have to be shown as they came."""
        if not self._names:
            self._names = list(names)
            require_columns(names, self._schema)
        return names if self._sets_aside else self._schema.names

    def _jobs(self) -> Iterator[tuple[int, Rows]]:
        """Yield the chunks that are not done, with their numbers."""
        done, n_rows = self._parts.done, self._config.prediction.chunk_rows
        first = next(number for number in range(len(done) + 1) if number not in done)
        chunks = self._source.read_chunks(n_rows, skip_rows=first * n_rows, select=self._select)
        for number, rows in enumerate(chunks, start=first):
            if number not in done:
                yield number, rows

    def _look_ahead(self, jobs: Iterator[tuple[int, Rows]]) -> tuple[Iterator[tuple[int, Rows]], bool]:
        """Return the same chunks, and whether they are too few for processes of their own."""
        if self._n_total is not None and self._n_total - self._n_done > SMALL_TABLE_ROWS:
            first = next(jobs, None)
            return chain([] if first is None else [first], jobs), False
        ahead, n_rows = [], 0
        for number, rows in jobs:
            ahead.append((number, rows))
            n_rows += len(rows)
            if n_rows > SMALL_TABLE_ROWS:
                return chain(ahead, jobs), False
        return iter(ahead), True

    @property
    def _n_done(self) -> int:
        return sum(summary.n_source for summary in self._parts.done.values())

    def _open(self, files: contextlib.ExitStack, path: Path) -> TableWriter:
        """Return a writer of the predictions, whose file replaces ``path`` when the stack closes without an error."""
        schema = PredictionTable(self._artifact.pipeline, self._schema).schema
        writer = WRITERS[path.suffix](files.enter_context(replaced_on_success(path)), schema)
        files.callback(writer.close)
        return writer

    def _score_jobs(self, jobs: Iterator[tuple[int, Rows]], output: TableWriter, *, is_small: bool) -> None:
        if self._parts.done:
            tell(f"{self._n_done:,} rows are scored already, in {self._parts.path}; going on.")
        with show_progress("scoring", self._n_total, self._n_done) as advance, self._workers(is_small) as workers:
            finished = _InOrder(self._parts, output, advance)
            for number, rows in jobs:
                while workers.n_pending >= workers.n_waiting:
                    finished.take(workers.take_done())
                workers.submit(self._job(number, rows, workers))
            while workers.n_pending:
                finished.take(workers.take_done())

    def _job(self, number: int, rows: Rows, workers: Workers) -> ChunkJob:
        only_check = bool(self._n_rejected) and not self._sets_aside
        if not isinstance(workers, InlineWorkers):
            rows = hand_over(rows, self._parts.files.path(number, ROWS))
        return ChunkJob(number, number * self._config.prediction.chunk_rows, rows, only_check)

    @contextlib.contextmanager
    def _workers(self, is_small: bool) -> Iterator[Workers]:
        n_processes = 1 if is_small or self._load is None else self._n_processes()
        make_scorer = partial(
            ChunkScorer,
            schema=self._schema,
            missing_values=self._config.data.missing_values,
            sets_aside=self._sets_aside,
            is_csv=self._config.prediction.output.suffix == ".csv",
            sampler=Sampler(self._config.compute.seed, self._share),
            files=self._parts.files,
        )
        if n_processes == 1 or self._load is None:
            yield InlineWorkers(make_scorer(self._artifact.pipeline))
            return
        with process_workers(n_processes, self._load, self._artifact.model_version, make_scorer) as workers:
            yield workers

    def _n_processes(self) -> int:
        from loky import cpu_count

        wanted = self._config.compute.n_processes or int(cpu_count())
        if self._n_total is None:
            return wanted
        return min(wanted, math.ceil((self._n_total - self._n_done) / self._config.prediction.chunk_rows))

    def _refuse_changes(self) -> None:
        if self._source.state() != self._state:
            raise DataSourceError(
                f"The {self._source.describe()} was changed while it was being scored, so nothing was written; start "
                "again when it is complete."
            )

    def _refuse_problems(self) -> None:
        """Refuse the table when rows break the schema and none may be set aside."""
        if self._n_rejected and not self._sets_aside:
            raise InvalidDataError(
                f"{self._n_rejected:,} rows break the schema, so nothing was written; correct them, or set "
                "prediction.invalid_rows to 'set_aside' to score the others",
                collect_problems(self._summaries),
            )

    @property
    def _summaries(self) -> list[ChunkSummary]:
        return [summary for _, summary in sorted(self._parts.done.items())]

    def _paths(self, kind: str) -> list[Path]:
        return [self._parts.files.path(found.number, kind) for found in self._summaries if kind in found.files]

    def _write_rejected(self, files: contextlib.ExitStack) -> None:
        import pyarrow as pa

        others = [name for name in self._names if name not in (ROW, PROBLEMS)]
        schema = pa.schema([(name, pa.string()) for name in (ROW, *others, PROBLEMS)])
        writer = CsvWriter(files.enter_context(replaced_on_success(self._rejected)), schema)
        files.callback(writer.close)
        for path in self._paths(REJECTED):
            writer.append(path)

    def _result(self) -> BatchResult:
        paths = {"predictions": self._config.prediction.output}
        if self._n_rejected:
            paths["rejected"] = self._rejected
        return BatchResult(
            n_rows=sum(summary.n_rows for summary in self._summaries),
            n_rejected=self._n_rejected,
            paths=paths,
            sample=self._sample(),
            warnings=tuple(self._warnings()),
        )

    def _sample(self) -> Sample | None:
        target = self._artifact.pipeline.target_column
        if target not in self._schema.names:
            return None
        return draw_sample(self._paths(KEPT), self._schema.rule(target), keeps_all=self._share == 1)

    def _warnings(self) -> Iterator[Problem]:
        """Yield where the table as a whole is not as expected."""
        scored = [summary for summary in self._summaries if summary.n_rows]
        unique = [rule.name for rule in self._schema.columns if rule.unique]
        for rule in self._schema.columns:
            if rule.unique:
                kind = keys_kind(unique.index(rule.name))
                keys = [
                    ChunkKeys(summary.keys[rule.name], self._parts.files.path(summary.number, kind))
                    for summary in scored
                ]
                yield from find_repeated(keys, rule)
            sums = [summary.sums[rule.name] for summary in scored if rule.name in summary.sums]
            if sums:
                yield from unexpected(reduce(add, sums), rule)


class _InOrder:
    """Appends the parts of chunks to the output in the order of the table, as soon as those before are there."""

    def __init__(self, parts: PartsFolder, output: TableWriter, advance: Advance) -> None:
        self._parts = parts
        self._output = output
        self._advance = advance
        self._next = 0
        self._append_ready()

    def take(self, summaries: Sequence[ChunkSummary]) -> None:
        """Note chunks that are done."""
        for summary in summaries:
            self._parts.done[summary.number] = summary
            self._parts.files.path(summary.number, ROWS).unlink(missing_ok=True)
            self._advance(summary.n_source)
        self._append_ready()

    def _append_ready(self) -> None:
        while (summary := self._parts.done.get(self._next)) is not None:
            if PREDICTIONS in summary.files:
                self._output.append(self._parts.files.path(self._next, PREDICTIONS))
            self._next += 1


def collect_problems(summaries: Sequence[ChunkSummary]) -> list[Problem]:
    """Return what is wrong with the rows of all chunks: few samples of each kind, the first with the number of all."""
    kinds: dict[tuple[str, str], list[Any]] = {}
    for summary in summaries:
        for finding in summary.findings:
            kinds.setdefault((finding.field, finding.text), []).append(finding)
    problems: list[Problem] = []
    for (field, text), findings in kinds.items():
        samples = [problem for finding in findings for problem in finding.problems()][:MAX_SAMPLES_PER_PROBLEM]
        count = sum(finding.count for finding in findings)
        first, *others = samples
        more = f"{text} ({count:,} values in all)" if count > len(samples) else text
        problems += [Problem(more, field, first.row, first.value), *others]
    return problems
