"""Exporting a fitted estimator as one file."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ml_project.artifacts.compatibility import RECORDED_PACKAGES, installed_versions, python_version
from ml_project.artifacts.container import read_container, write_container
from ml_project.artifacts.engine_choice import choose_engine
from ml_project.artifacts.manifest import EXAMPLE, MANIFEST, MODEL, ONNX_MODEL, REFERENCE, Manifest, parse_manifest
from ml_project.artifacts.serving_model import model_packages, serving_model
from ml_project.artifacts.trust import dump_model
from ml_project.config import Config, Task
from ml_project.data.raw_schema import RawSchema
from ml_project.errors import ArtifactError
from ml_project.masking import mask_secrets

MAX_REFERENCE_ROWS = 2000


def export_artifact(
    *,
    path: Path,
    estimator: Any,
    config: Config,
    raw_schema: RawSchema,
    task: Task,
    classes: Sequence[Any] | None,
    training_raw: pd.DataFrame,
    comparison_raw: pd.DataFrame,
    name: str,
    git_commit: str | None = None,
    data_fingerprint: str | None = None,
) -> Path:
    """Write a fitted estimator and everything needed to use it to one file, all or nothing.

    The scores, which are measured on the exported file, are added by :func:`store_metrics`.

    Parameters
    ----------
    path
        File to write.
    estimator
        Fitted pipeline of the steps ``features``, preprocessing, ``model``; it is not changed.
    config
        Resolved config of the run.
    raw_schema
        Rules of all raw columns.
    task
        Kind of target.
    classes
        Values of the raw target in the order of their codes, in a binary task the positive one last; ``None`` in a
        regression.
    training_raw
        Raw training rows, of which a sample becomes the reference for drift.
    comparison_raw
        Raw rows on which ONNX must reproduce the estimator, usually the holdout.
    name
        Name of the candidate.
    git_commit
        Commit of the code.
    data_fingerprint
        Hash of the training data.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ArtifactError
        When the model cannot be stored or the file not be written, or when ``artifacts.engine`` is ``onnx`` and ONNX
        does not reproduce the model.
    """
    from ml_project.validation.outliers import training_ranges
    from ml_project.validation.records import RecordValidator

    _refuse_other_classes(estimator, classes)
    features, model = estimator.named_steps["features"].fitted_, serving_model(estimator)
    engine, engine_members = choose_engine(config.artifacts.engine, model, features, comparison_raw, task)
    input_schema = raw_schema.select(features.required_columns)
    validator = RecordValidator(input_schema, missing_values=config.data.missing_values)
    members = {
        MODEL: dump_model(model),
        REFERENCE: _parquet(_reference(training_raw)),
        EXAMPLE: json.dumps(validator.example()).encode(),
        **engine_members,
    }
    hashes = {member: hashlib.sha256(content).hexdigest() for member, content in members.items()}
    packages = model_packages(members[MODEL])
    state = features.to_state()
    manifest = Manifest(
        created_at=datetime.now(UTC),
        name=name,
        version=_version(hashes[ONNX_MODEL if ONNX_MODEL in hashes else MODEL], state, classes),
        task=task,
        classes=None if classes is None else tuple(classes),
        target_column=config.data.target_column,
        id_column=config.data.id_column,
        raw_schema=raw_schema,
        input_schema=validator.json_schema(),
        features=state,
        training_ranges=training_ranges(training_raw, input_schema),
        missing_values=config.data.missing_values,
        config=_without_secrets(config),
        library_versions=installed_versions((*RECORDED_PACKAGES, *packages)),
        model_packages=packages,
        python=python_version(),
        git_commit=git_commit,
        data_fingerprint=data_fingerprint,
        n_training_rows=len(training_raw),
        metrics={},
        engine=engine,
        members=hashes,
    )
    write_container(path, {MANIFEST: _to_json(manifest), **members})
    return path


def store_metrics(path: Path, metrics: Mapping[str, float]) -> None:
    """Add scores to an exported artifact, which stays the same model with the same version.

    Raises
    ------
    ArtifactError
        When the artifact cannot be read or written.
    """
    members = read_container(path)
    manifest = parse_manifest(members.pop(MANIFEST), str(path))
    updated = manifest.model_copy(update={"metrics": {**manifest.metrics, **metrics}})
    write_container(path, {MANIFEST: _to_json(updated), **members})


def _refuse_other_classes(estimator: Any, classes: Sequence[Any] | None) -> None:
    """Refuse an estimator that has not seen every class, because its probabilities would be those of other classes."""
    if classes is None:
        return
    learned = [int(code) for code in estimator.classes_]
    if learned != list(range(len(classes))):
        unseen = [value for code, value in enumerate(classes) if code not in learned]
        raise ArtifactError(
            f"The model was fitted without rows of the classes {unseen}; use a stratified split or drop these classes"
        )


def _reference(training_raw: pd.DataFrame) -> pd.DataFrame:
    """Return evenly spaced training rows."""
    n_rows = min(len(training_raw), MAX_REFERENCE_ROWS)
    positions = np.linspace(0, len(training_raw) - 1, n_rows).round().astype(np.intp)
    return training_raw.iloc[positions].reset_index(drop=True)


def _parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _without_secrets(config: Config) -> dict[str, Any]:
    """Return the config as JSON holds it, without what opens a database or storage: artifacts are passed on."""
    resolved: dict[str, Any] = mask_secrets(config.model_dump(mode="json"))
    return {**resolved, "data": {**resolved["data"], "storage_options": {}}}


def _to_json(manifest: Manifest) -> bytes:
    return manifest.model_dump_json(indent=2).encode()


def _version(model_hash: str, features: Mapping[str, Any], classes: Sequence[Any] | None) -> str:
    """Return the first digits of the hash of everything that decides predictions.

    The same training gives the same ONNX model, byte for byte, and so the same version. A native model's file holds
    identifiers of its writing, so each export of one has a version of its own.
    """
    parts = {"model": model_hash, "features": features, "classes": classes}
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:12]
