"""What the tracker is told of a run, and what it tells back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pandas as pd

TrialState = Literal["complete", "pruned", "failed"]
RunStatus = Literal["FINISHED", "FAILED", "KILLED"]
Part = Literal["train", "test"]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One training run as it starts.

    Attributes
    ----------
    name
        Name that the run is shown by.
    config
        The resolved config, with values that YAML can hold; secrets in it are masked before it is stored.
    git_commit
        Commit of the code; ``None`` outside a git repository.
    git_dirty
        Whether files differed from that commit; ``None`` where that is not known.
    tags
        Further tags, such as the task.
    """

    name: str
    config: Mapping[str, Any]
    git_commit: str | None = None
    git_dirty: bool | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DataRecord:
    """The data that a run learned from.

    Attributes
    ----------
    name
        Name that the data set is shown by.
    source
        Where it lies; passwords in addresses are masked before it is stored.
    fingerprint
        Hex digest (sha256) of the raw data.
    n_rows
        Number of rows.
    kinds
        Kind of each column, by its name.
    context
        What the data was used for.
    """

    name: str
    source: str
    fingerprint: str
    n_rows: int
    kinds: Mapping[str, str]
    context: str = "training"


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """One trial of a candidate's search.

    Attributes
    ----------
    number
        Number of the trial within its candidate, from 0.
    parameters
        Hyperparameters tried.
    fold_scores
        Score of every fold that was fitted, in order; higher is better or not, as the metric says.
    mean
        Mean over the folds; ``None`` where no fold was scored.
    state
        How it ended.
    started_at, finished_at
        Times with a time zone.
    reason
        Why it was pruned or failed.
    """

    number: int
    parameters: Mapping[str, Any]
    fold_scores: Sequence[float]
    mean: float | None
    state: TrialState
    started_at: datetime
    finished_at: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """The exported model of a run.

    Attributes
    ----------
    artifact_path
        File of the exported model.
    example_raw
        A few rows of raw data with the columns that the model needs.
    example_predictions
        Predictions of these rows, as ``PredictionPipeline.predict`` gives them.
    library_versions
        Versions of the packages that the model was made with, by import name, as its manifest has them.
    """

    artifact_path: Path
    example_raw: pd.DataFrame
    example_predictions: pd.DataFrame
    library_versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HoldoutScore:
    """The score by which versions of a registered model are compared.

    Attributes
    ----------
    metric
        Name of the ranking metric.
    value
        Its value on the holdout.
    greater_is_better
        Direction of the metric.
    data_fingerprint
        Digest of the whole data set.
    holdout_fingerprint
        Digest of the rows held out. Scores are compared only where both digests are equal.
    """

    metric: str
    value: float
    greater_is_better: bool
    data_fingerprint: str
    holdout_fingerprint: str


@dataclass(frozen=True, slots=True)
class Registration:
    """A new version of a registered model: which alias it got, and why."""

    name: str
    version: str
    alias: Literal["champion", "challenger"]
    reason: str


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """Where the record of a finished run lies; every field is ``None`` where nothing was recorded."""

    tracking_uri: str | None = None
    experiment: str | None = None
    run_id: str | None = None
    model_uri: str | None = None
    registration: Registration | None = None

    def lines(self) -> list[str]:
        """Return the record as lines for a reader.

        Examples
        --------
        >>> TrackedRun().lines()
        ['Not tracked (tracking.enabled is false).']
        """
        if self.tracking_uri is None:
            return ["Not tracked (tracking.enabled is false)."]
        lines = [f"Run {self.run_id} in experiment {self.experiment!r} at {self.tracking_uri}"]
        if self.model_uri is not None:
            lines.append(f"Model {self.model_uri}")
        if self.registration is not None:
            new = self.registration
            lines.append(f"Registered {new.name} version {new.version} as {new.alias}: {new.reason}")
        return lines
