"""Records as what MLflow stores: tags, measurements, times and data sets."""

from __future__ import annotations

import getpass
import math
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ml_project.masking import mask_credentials
from ml_project.tracking.records import DataRecord, RunRecord, TrialRecord
from ml_project.tracking.texts import MAX_PARAMETER_LENGTH, MAX_TAG_LENGTH, to_key, to_text

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput

DIGEST_LENGTH = 36
MAX_SCHEMA_LENGTH = 1_000_000
Measurement = tuple[str, float, int]
"""Name, value and step."""


def to_dataset_input(data: DataRecord) -> DatasetInput:
    """Return a data set as an input of a run; the digest is the start of the fingerprint, which MLflow limits."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    dataset = Dataset(
        name=mask_credentials(data.name),
        digest=data.fingerprint[:DIGEST_LENGTH],
        source_type="ml_project",
        source=to_text({"uri": mask_credentials(data.source)}, MAX_PARAMETER_LENGTH),
        schema=_column_schema(data.kinds),
        profile=to_text({"num_rows": data.n_rows, "num_columns": len(data.kinds)}, MAX_PARAMETER_LENGTH),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", data.context)])


def trial_tags(candidate: str, trial: TrialRecord) -> dict[str, str]:
    """Return the tags of a trial's run."""
    tags = {"candidate": candidate, "trial": str(trial.number), "state": trial.state}
    if trial.reason is not None:
        tags["reason"] = to_text(mask_credentials(trial.reason), MAX_TAG_LENGTH)
    return tags


def trial_metrics(trial: TrialRecord) -> list[Measurement]:
    """Return the score of every fold as a step, their mean and their standard deviation (with n - 1)."""
    metrics = [("fold_score", score, fold) for fold, score in enumerate(trial.fold_scores)]
    if trial.mean is not None:
        metrics.append(("mean_score", trial.mean, 0))
    if len(trial.fold_scores) > 1 and all(math.isfinite(score) for score in trial.fold_scores):
        metrics.append(("std_score", statistics.stdev(trial.fold_scores), 0))
    return metrics


def run_tags(run: RunRecord) -> dict[str, str]:
    """Return the tags of a training run: who ran what, the commit, and the run's own."""
    git = {
        "mlflow.source.git.commit": run.git_commit,
        "mlflow.source.git.dirty": None if run.git_dirty is None else str(run.git_dirty).lower(),
    }
    source = {
        "mlflow.user": getpass.getuser(),
        "mlflow.source.name": sys.argv[0] or "python",
        "mlflow.source.type": "LOCAL",
    }
    known = {name: value for name, value in git.items() if value is not None}
    return {to_key(name): to_text(value, MAX_TAG_LENGTH) for name, value in {**source, **known, **run.tags}.items()}


def _column_schema(kinds: Mapping[str, str]) -> str:
    columns = [{"type": kind, "name": name, "required": True} for name, kind in kinds.items()]
    return to_text({"mlflow_colspec": columns}, MAX_SCHEMA_LENGTH)


def batches[Item](items: Sequence[Item], size: int) -> Iterable[Sequence[Item]]:
    """Return a sequence in parts of a size at most."""
    return (items[start : start + size] for start in range(0, len(items), size))


def milliseconds(moment: datetime) -> int:
    """Return a moment as MLflow counts time."""
    return int(moment.timestamp() * 1000)


def now() -> int:
    """Return this moment as MLflow counts time."""
    return milliseconds(datetime.now().astimezone())
