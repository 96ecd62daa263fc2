"""What an artifact says about itself: everything needed to use it, and to know where it comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ml_project.artifacts.container import read_container
from ml_project.config import Task
from ml_project.data.raw_schema import RawSchema
from ml_project.errors import ArtifactDamagedError, ArtifactIncompatibleError
from ml_project.validation.outliers import TrainingRange

FORMAT_VERSION = 2
MANIFEST = "manifest.json"
MODEL = "model.skops"
ONNX_MODEL = "model.onnx"
PREPROCESSING = "preprocessing.onnx"
REFERENCE = "reference.parquet"
EXAMPLE = "example.json"
REQUIRED_MEMBERS = (MODEL, REFERENCE, EXAMPLE)
OPTIONAL_MEMBERS = (ONNX_MODEL, PREPROCESSING)
EngineName = Literal["onnx", "mixed", "native"]
ENGINE_MEMBERS: Mapping[EngineName, tuple[str, ...]] = {"onnx": (ONNX_MODEL,), "mixed": (PREPROCESSING,), "native": ()}
"""Members that an engine needs beside those that every artifact has."""

ClassValue = bool | int | float | str


class RefusedEngine(BaseModel):
    """A faster engine that was tried, and why it is not used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: EngineName
    reason: str
    max_difference: float | None = None
    """Largest difference found until it was refused; ``None`` where nothing was compared."""


class EngineChoice(BaseModel):
    """Which engine predicts, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: EngineName
    reason: str
    max_difference: float | None = None
    """Largest difference from the native outputs, relative in a regression; ``None`` where not compared."""
    refused: tuple[RefusedEngine, ...] = ()
    """The faster engines that were tried before it."""


class Manifest(BaseModel):
    """The description of one exported model."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, protected_namespaces=())

    format_version: Literal[2] = 2
    created_at: datetime
    """UTC."""
    name: str
    """Name of the candidate."""
    version: str
    """First digits of the hash of everything that decides predictions; it stays when metrics are added."""
    task: Task
    classes: tuple[ClassValue, ...] | None
    """Values of the raw target in the order of the probabilities, in a binary task the positive one last."""
    target_column: str
    id_column: str | None
    raw_schema: RawSchema
    input_schema: dict[str, Any]
    """JSON Schema of one record."""
    features: dict[str, Any]
    """State of the feature engineering: columns, processes with the hash of their code, what they learned."""
    training_ranges: dict[str, TrainingRange]
    """What the training saw of each raw column that a prediction needs, where outliers can be told by it."""
    missing_values: tuple[str, ...]
    """Texts that mean a missing value."""
    config: dict[str, Any]
    """The resolved config of the run."""
    library_versions: dict[str, str]
    """Versions by import name."""
    model_packages: tuple[str, ...]
    """Import names of the packages whose types the native model consists of."""
    python: str
    git_commit: str | None
    """Commit of the code, with ``-dirty`` behind it where files differed from it."""
    data_fingerprint: str | None
    n_training_rows: int | None
    metrics: dict[str, float | None]
    engine: EngineChoice
    members: dict[str, str]
    """sha256 by member name."""

    @property
    def positive_class(self) -> ClassValue | None:
        """Return the class that counts as positive, which a binary task only has."""
        return self.classes[-1] if self.task == "binary" and self.classes is not None else None


def read_manifest(path: Path) -> Manifest:
    """Return what an artifact says about itself, checked to be what was written.

    Raises
    ------
    ArtifactError
        When there is no artifact, or it is damaged or of another format.
    """
    return find_manifest(read_container(path), str(path))


def find_manifest(members: Mapping[str, bytes], place: str, *, remedy: str = "export the model again") -> Manifest:
    """Return the manifest among the members of a container; see :func:`parse_manifest`.

    Parameters
    ----------
    members
        Content by member name.
    place
        Where they come from, for messages.
    remedy
        What to do where there is none.
    """
    if MANIFEST not in members:
        raise ArtifactDamagedError(f"{place} has no {MANIFEST}; {remedy}")
    return parse_manifest(members[MANIFEST], place)


def parse_manifest(content: bytes, place: str) -> Manifest:
    """Return the manifest of a container, refusing other formats.

    Parameters
    ----------
    content
        JSON text in UTF-8.
    place
        Where it comes from, for messages.

    Raises
    ------
    ArtifactIncompatibleError
        When it has another format version.
    ArtifactDamagedError
        When it is no manifest.
    """
    try:
        found = json.loads(content).get("format_version")
    except (ValueError, AttributeError) as error:
        raise ArtifactDamagedError(f"{place}: {MANIFEST} is no JSON object: {error}; export the model again") from error
    if found != FORMAT_VERSION:
        raise ArtifactIncompatibleError(
            f"{place} has artifact format {found!r}, and this version of ml_project reads format {FORMAT_VERSION}; "
            "use the version of ml_project that exported it, or train and export again"
        )
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:5])
        raise ArtifactDamagedError(f"{place}: {MANIFEST} is not valid: {wrong}; export the model again") from error
