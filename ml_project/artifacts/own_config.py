"""What a config can take from an artifact, for a process that has nothing else: no use case, no YAML file."""

from __future__ import annotations

from pathlib import Path

from ml_project.artifacts.manifest import Manifest, read_manifest
from ml_project.config import LOCAL_PRODUCTION
from ml_project.config_sources import Layer


def read_artifact_layer(path: Path) -> Layer:
    """Return the values of a config that serves an artifact and knows nothing else.

    Parameters
    ----------
    path
        File of the artifact.

    Raises
    ------
    ArtifactError
        When there is no artifact, or it is damaged or of another format.
    """
    return artifact_layer(read_manifest(path), path)


def artifact_layer(manifest: Manifest, path: Path) -> Layer:
    """Return the values of a config that serves an artifact and knows nothing else.

    Only what a config has to have is taken: settings of the machine that trained the model suit no other one, and the
    fields of its config may be those of another version. Predictions are not stored, because nobody said where to.

    Parameters
    ----------
    manifest
        The artifact's manifest.
    path
        File of the artifact.
    """
    values = {
        **LOCAL_PRODUCTION._asdict(),
        "data": {"source": "the training's, which is not here", "target_column": manifest.target_column},
        "features": {name: manifest.config["features"][name] for name in ("columns", "processes")},
        "monitoring": {"storage": None},
    }
    return Layer(f"the artifact {path}", values)
