"""``python -m ml_project.check_artifact FILE``: load a model and predict with it, as releases do before they go live.

Exit codes: 0 when it predicts its own example, 1 when it does not, 2 for wrong usage.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ml_project.artifacts.loading import load_artifact
from ml_project.errors import MlProjectError
from ml_project.project_package import load_feature_processes

SOUND, UNSOUND, WRONG_USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the artifact that the command line names and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if len(words) != 1:
        print("usage: python -m ml_project.check_artifact FILE", file=sys.stderr)
        return WRONG_USAGE
    try:
        print(check_artifact(Path(words[0])))
    except MlProjectError as error:
        print(f"check_artifact: {error}", file=sys.stderr)
        return UNSOUND
    return SOUND


def check_artifact(path: Path) -> str:
    """Return what an artifact is, once it has predicted its own example.

    Parameters
    ----------
    path
        File of the artifact.

    Raises
    ------
    ArtifactError
        When there is no artifact, or it cannot be used here.
    InvalidDataError
        When it refuses its own example.
    """
    artifact = load_artifact(path, load_feature_processes())
    artifact.pipeline.predict_records([artifact.example])
    manifest = artifact.manifest
    return f"{path}: {manifest.name} {manifest.version}, engine {manifest.engine.name}, predicts its example"


if __name__ == "__main__":
    sys.exit(main())
