"""Loading an exported model, or saying what is wrong with it."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_project.artifacts.compatibility import refuse_incompatible
from ml_project.artifacts.container import read_content, unpack
from ml_project.artifacts.engines import MixedEngine, NativeEngine, OnnxEngine
from ml_project.artifacts.manifest import (
    ENGINE_MEMBERS,
    EXAMPLE,
    MANIFEST,
    MODEL,
    ONNX_MODEL,
    OPTIONAL_MEMBERS,
    PREPROCESSING,
    REFERENCE,
    REQUIRED_MEMBERS,
    Manifest,
    find_manifest,
)
from ml_project.artifacts.trust import load_model
from ml_project.errors import ArtifactDamagedError, ArtifactIncompatibleError, FeatureError, Problem
from ml_project.prediction.engine import InferenceEngine
from ml_project.prediction.pipeline import PredictionPipeline
from ml_project.validation.outliers import OutlierCheck

if TYPE_CHECKING:
    import pandas as pd

    from ml_project.feature_engineering.fitted_features import FittedFeatures
    from ml_project.feature_engineering.process import FeatureProcess


@dataclass(frozen=True)
class LoadedArtifact:
    """An artifact that has passed every check.

    Attributes
    ----------
    manifest
        What the artifact says about itself.
    pipeline
        What predicts.
    outlier_check
        What finds fields of validated records that lie outside of the training's values.
    path
        Where it was loaded from.
    sha256
        Hash of the file, in hexadecimal digits.
    notes
        Harmless differences between where it was exported and here.
    members
        Content by member name.
    """

    manifest: Manifest
    pipeline: PredictionPipeline
    outlier_check: OutlierCheck
    path: Path
    sha256: str
    notes: tuple[str, ...]
    members: Mapping[str, bytes]

    @property
    def model_version(self) -> str:
        """Return the short hash of everything that decides predictions."""
        return self.manifest.version

    @property
    def example(self) -> dict[str, Any]:
        """Return an example record."""
        record: dict[str, Any] = json.loads(self.members[EXAMPLE])
        return record

    def read_reference(self) -> pd.DataFrame:
        """Return the sample of raw training rows that drift is measured against."""
        import pandas as pd

        return pd.read_parquet(io.BytesIO(self.members[REFERENCE]))


def load_artifact(path: Path, processes: Sequence[FeatureProcess]) -> LoadedArtifact:
    """Return an exported model, ready to predict.

    Parameters
    ----------
    path
        File that :func:`ml_project.artifacts.export.export_artifact` wrote.
    processes
        The feature processes of this code, among which the model's are looked up by name.

    Raises
    ------
    ArtifactError
        When there is no artifact, or its model has types that are not trusted.
    ArtifactDamagedError
        When its content is not what was written.
    ArtifactIncompatibleError
        When its format, library versions or feature code differ from those here.
    """
    path = Path(path)
    content = read_content(path)
    members = unpack(content, str(path))
    manifest = find_manifest(members, str(path))
    del members[MANIFEST]
    _refuse_other_members(manifest, members, path)
    notes = refuse_incompatible(manifest, str(path))
    features = _restore_features(manifest, processes, path)
    pipeline = PredictionPipeline(
        raw_schema=manifest.raw_schema,
        features=features,
        engine=_restore_engine(manifest, members, features),
        task=manifest.task,
        classes=manifest.classes,
        target_column=manifest.target_column,
        id_column=manifest.id_column,
        missing_values=manifest.missing_values,
    )
    outlier_check = OutlierCheck(manifest.training_ranges, pipeline.input_schema)
    sha256 = hashlib.sha256(content).hexdigest()
    return LoadedArtifact(manifest, pipeline, outlier_check, path, sha256, notes, members)


def _refuse_other_members(manifest: Manifest, members: Mapping[str, bytes], path: Path) -> None:
    """Refuse members that are missing, unknown or changed, naming all of them."""
    needed = {*REQUIRED_MEMBERS, *ENGINE_MEMBERS[manifest.engine.name]}
    listed, known = set(manifest.members), {*REQUIRED_MEMBERS, *OPTIONAL_MEMBERS}
    problems = [Problem("the member is missing", name) for name in sorted((needed | listed) - set(members))]
    problems += [Problem("no such member is expected", name) for name in sorted(set(members) - (listed & known))]
    for name in sorted(listed & known & set(members)):
        found = hashlib.sha256(members[name]).hexdigest()
        if found != manifest.members[name]:
            problems.append(Problem(f"the member's sha256 is not {manifest.members[name]}", name, value=found))
    if problems:
        raise ArtifactDamagedError(f"{path} is not what was exported; copy it or export the model again", problems)


def _restore_features(manifest: Manifest, processes: Sequence[FeatureProcess], path: Path) -> FittedFeatures:
    """Return the fitted feature engineering, made of the processes of this code."""
    from ml_project.feature_engineering.fitted_features import FittedFeatures

    try:
        return FittedFeatures.from_state(manifest.features, processes, manifest.raw_schema)
    except FeatureError as error:
        raise ArtifactIncompatibleError(
            f"{path} cannot be used with FEATURE_PROCESSES as they stand in ml_project/project/features.py; restore "
            f"{_code_words(manifest.git_commit)}, or train and export again",
            error.problems or [Problem(error.message)],
        ) from error


def _code_words(git_commit: str | None) -> str:
    if git_commit is None:
        return "the code of the training"
    commit, dirty, _ = git_commit.partition("-dirty")
    return f"the code of commit {commit}" + (" with the changes that were not committed then" if dirty else "")


def _restore_engine(manifest: Manifest, members: Mapping[str, bytes], features: FittedFeatures) -> InferenceEngine:
    classification = manifest.task != "regression"
    if manifest.engine.name == "onnx":
        return OnnxEngine(members[ONNX_MODEL])
    model = load_model(members[MODEL])
    if manifest.engine.name == "mixed":
        return MixedEngine(members[PREPROCESSING], model.steps[-1][1], classification=classification)
    return NativeEngine(model, features.kinds, classification=classification)
