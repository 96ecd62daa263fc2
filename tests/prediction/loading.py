"""Ways to load an artifact in a worker process, in a module of their own that imports little."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from ml_project.artifacts.loading import LoadedArtifact, load_artifact
from ml_project.prediction.pipeline import PredictionPipeline
from tests.example.features import FEATURE_PROCESSES


@dataclass(frozen=True)
class Model:
    """What scoring needs of an artifact."""

    pipeline: PredictionPipeline
    model_version: str = "1"


def load(path: Path) -> LoadedArtifact:
    return load_artifact(path, FEATURE_PROCESSES)


def load_or_die(path: Path, died: Path, n_deaths: int) -> LoadedArtifact:
    """Load, but first die some times: each death leaves a file."""
    for number in range(n_deaths):
        try:
            (died / f"death {number}").touch(exist_ok=False)
        except FileExistsError:
            continue
        os.kill(os.getpid(), signal.SIGKILL)
    return load(path)


def load_another(path: Path) -> Model:
    return Model(load(path).pipeline, "another")
