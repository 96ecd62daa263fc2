"""The tracker that records with MLflow, in a background thread."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import pandas as pd

from ml_project.config import TrackingConfig
from ml_project.errors import TrackingError
from ml_project.tracking.connection import prepare_mlflow
from ml_project.tracking.places import find_place
from ml_project.tracking.records import (
    DataRecord,
    HoldoutScore,
    ModelRecord,
    Part,
    RunRecord,
    RunStatus,
    TrackedRun,
    TrialRecord,
)
from ml_project.tracking.run_writer import RunWriter
from ml_project.tracking.texts import explain_problem
from ml_project.tracking.worker import Worker

logger = logging.getLogger(__name__)


class MlflowTracker:
    """Records a run with MLflow; see :class:`ml_project.tracking.tracker.Tracker` for its methods.

    Importing MLflow and opening the database happen in the background too. The first problem stops the record, is
    logged at once as a warning, and is raised by :meth:`finish`.
    """

    def __init__(self, config: TrackingConfig) -> None:
        self._config = config
        self._place = find_place(config.tracking_uri)
        self._worker = Worker("tracking")
        self._writer: RunWriter | None = None
        self._finished: TrackedRun | None = None

    def start(self, run: RunRecord) -> None:
        """Start the record; must come before everything else."""
        prepare_mlflow()
        self._worker.submit(partial(self._open, run))

    def log_data(self, data: DataRecord) -> None:
        """Record the data set that the run learns from."""
        self._submit(lambda writer: writer.write_data(data))

    def log_trials(self, candidate: str, trials: Sequence[TrialRecord]) -> None:
        """Record the trials of a candidate, each as a nested run."""
        self._submit(lambda writer: writer.write_trials(candidate, trials))

    def log_metrics(self, metrics: Mapping[str, float], *, part: Part) -> None:
        """Record metrics as ``train_<name>`` or ``test_<name>``."""
        self._submit(lambda writer: writer.write_metrics(metrics, part))

    def log_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags of the run, such as the winner."""
        self._submit(lambda writer: writer.write_tags(tags))

    def log_table(self, table: pd.DataFrame, name: str) -> None:
        """Record a table that MLflow shows, such as the leaderboard."""
        self._submit(lambda writer: writer.write_table(table, name))

    def log_files(self, paths: Iterable[Path], *, folder: str | None = None) -> None:
        """Store files or whole folders as artifacts, such as plots and the model card."""
        files = tuple(paths)
        self._submit(lambda writer: writer.write_files(files, folder))

    def log_model(self, model: ModelRecord) -> None:
        """Store the exported model so that MLflow can load it."""
        self._submit(lambda writer: writer.write_model(model))

    def register(self, score: HoldoutScore) -> None:
        """Register the stored model under the config's name, as challenger or champion by the config's rule."""
        self._submit(lambda writer: writer.register(score))

    def finish(self, status: RunStatus = "FINISHED", *, reason: str | None = None) -> TrackedRun:
        """End the run and wait until everything is recorded.

        Raises
        ------
        TrackingError
            With the first problem of the record.
        """
        if self._finished is not None:
            return self._finished
        self._worker.join()
        self._finished = TrackedRun() if self._writer is None else self._writer.tracked
        problem = self._end(status, reason)
        if problem is not None:
            raise self._to_error(problem) from problem
        return self._finished

    def __enter__(self) -> Self:
        """Return the tracker."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the run as finished, failed or killed; an error of the block is never hidden by one of the record."""
        if error is None:
            self.finish()
            return
        try:
            status: RunStatus = "FAILED" if isinstance(error, Exception) else "KILLED"
            self.finish(status, reason=f"{type(error).__name__}: {error}")
        except TrackingError as problem:
            logger.warning("%s", problem)

    def _open(self, run: RunRecord) -> None:
        self._writer = RunWriter(self._config, self._place)
        self._writer.start(run)

    def _submit(self, job: Callable[[RunWriter], None]) -> None:
        self._worker.submit(partial(self._write, job))

    def _write(self, job: Callable[[RunWriter], None]) -> None:
        if self._writer is None:
            raise TrackingError("The record was not started; call the tracker's start first.")
        job(self._writer)

    def _end(self, status: RunStatus, reason: str | None) -> Exception | None:
        """End the runs that exist, also after a problem, and return the first problem."""
        problem = self._worker.problem
        note = reason if problem is None else reason or f"not fully recorded: {problem}"
        try:
            if self._writer is not None:
                self._writer.end(status, note)
        except Exception as error:  # noqa: BLE001 - the first problem says more than that the run could not be ended
            return problem or error
        return problem

    def _to_error(self, problem: Exception) -> TrackingError:
        kind = "" if isinstance(problem, TrackingError) else f"{type(problem).__name__}: "
        text = f"{kind}{explain_problem(problem)}"
        return TrackingError(
            f"The run is not fully recorded at {self._place.shown}. {text}\n"
            "Only the record is incomplete: the exported model and the reports that were written lie on disk."
        )
