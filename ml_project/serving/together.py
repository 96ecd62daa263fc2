"""Single records of several requests scored by one call of the engine, when they came together anyway.

Arrays and the engine's call cost about as much for one row as for sixteen. No request waits for others.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ml_project.artifacts.loading import LoadedArtifact
from ml_project.errors import InvalidDataError
from ml_project.prediction.pipeline import ScoredRecords

REPEATABLE_ENGINE = "onnx"
"""Gives the same numbers, to the last bit, for a row alone and among others."""


@dataclass(slots=True)
class PreparedRecord:
    """A record that was scored together with others.

    Attributes
    ----------
    record
        As it came.
    scored
        What became of it.
    model
        What scored it.
    started
        When that began, on the clock of :func:`time.perf_counter`.
    """

    record: Mapping[str, Any]
    scored: ScoredRecords
    model: LoadedArtifact
    started: float


def score_together(model: LoadedArtifact, records: Sequence[Mapping[str, Any]]) -> list[PreparedRecord | None]:
    """Return each record with its scores, in order.

    ``None`` stands for those that have to go alone: because something is wrong with them, or because the model's engine
    may round differently for one row and for many.

    Parameters
    ----------
    model
        What scores.
    records
        Values by column name, as parsed from JSON.
    """
    started = time.perf_counter()
    pipeline = model.pipeline
    prepared: list[PreparedRecord | None] = [None] * len(records)
    if pipeline.engine.name != REPEATABLE_ENGINE:
        return prepared
    valid = {}
    try:
        for place, record in enumerate(records):
            with suppress(InvalidDataError):
                valid[place] = pipeline.validate(record)
        scored = pipeline.score_valid(list(valid.values())).split()
    except Exception:  # noqa: BLE001  the one that is at fault gets the error when it goes alone
        return prepared
    for place, alone in zip(valid, scored, strict=True):
        prepared[place] = PreparedRecord(records[place], alone, model, started)
    return prepared
