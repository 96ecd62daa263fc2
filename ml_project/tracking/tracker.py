"""The tracker of a training run: its methods return at once, and the record is written in the background.

What is passed must stay as it is (frames, files) until :meth:`Tracker.finish`, which waits for the record and is the
only method that reports a problem of the tracking server or database. A run outlives such a problem: the exported
model and the reports are on disk whatever happens to the record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import pandas as pd

from ml_project.config import Config
from ml_project.tracking.mlflow_tracking import MlflowTracker
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


class Tracker(Protocol):
    """Records a run. Used as a context manager, it ends the run however the block ends."""

    def start(self, run: RunRecord) -> None:
        """Start the record; must come before everything else."""
        ...

    def log_data(self, data: DataRecord) -> None:
        """Record the data set that the run learns from."""
        ...

    def log_trials(self, candidate: str, trials: Sequence[TrialRecord]) -> None:
        """Record the trials of a candidate, each as a nested run."""
        ...

    def log_metrics(self, metrics: Mapping[str, float], *, part: Part) -> None:
        """Record metrics as ``train_<name>`` or ``test_<name>``."""
        ...

    def log_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags of the run, such as the winner."""
        ...

    def log_table(self, table: pd.DataFrame, name: str) -> None:
        """Record a table that MLflow shows, such as the leaderboard."""
        ...

    def log_files(self, paths: Iterable[Path], *, folder: str | None = None) -> None:
        """Store files or whole folders as artifacts, such as plots and the model card."""
        ...

    def log_model(self, model: ModelRecord) -> None:
        """Store the exported model so that MLflow can load it."""
        ...

    def register(self, score: HoldoutScore) -> None:
        """Register the stored model under the config's name, as challenger or champion by the config's rule."""
        ...

    def finish(self, status: RunStatus = "FINISHED", *, reason: str | None = None) -> TrackedRun:
        """End the run and wait until everything is recorded.

        Raises
        ------
        TrackingError
            With the first problem of the record.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


def open_tracker(config: Config) -> Tracker:
    """Return the tracker that the config asks for; nothing is opened or imported yet.

    Raises
    ------
    TrackingError
        When the tracking address is of no kind that can hold a record.
    """
    return MlflowTracker(config.tracking) if config.tracking.enabled else NoTracking()


class NoTracking:
    """A tracker that records nothing."""

    def start(self, run: RunRecord) -> None:
        """Do nothing."""

    def log_data(self, data: DataRecord) -> None:
        """Do nothing."""

    def log_trials(self, candidate: str, trials: Sequence[TrialRecord]) -> None:
        """Do nothing."""

    def log_metrics(self, metrics: Mapping[str, float], *, part: Part) -> None:
        """Do nothing."""

    def log_tags(self, tags: Mapping[str, str]) -> None:
        """Do nothing."""

    def log_table(self, table: pd.DataFrame, name: str) -> None:
        """Do nothing."""

    def log_files(self, paths: Iterable[Path], *, folder: str | None = None) -> None:
        """Do nothing."""

    def log_model(self, model: ModelRecord) -> None:
        """Do nothing."""

    def register(self, score: HoldoutScore) -> None:
        """Do nothing."""

    def finish(self, status: RunStatus = "FINISHED", *, reason: str | None = None) -> TrackedRun:
        """Return an empty record."""
        return TrackedRun()

    def __enter__(self) -> Self:
        """Return the tracker."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Do nothing."""
