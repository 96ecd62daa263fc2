"""Forests as ONNX graphs, where their sums of shares could leave the range of probabilities."""

from pathlib import Path

import pandas as pd

from ml_project.artifacts.loading import load_artifact
from tests.artifacts.fitted import fit
from tests.example.features import FEATURE_PROCESSES


def test_random_forest_every_row_gets_probabilities_from_zero_to_one(tmp_path: Path, titanic_raw: pd.DataFrame) -> None:
    path = fit("random_forest").export(tmp_path / "model.zip")
    artifact = load_artifact(path, FEATURE_PROCESSES)
    assert artifact.manifest.engine.name == "onnx"
    probabilities = artifact.pipeline.predict(titanic_raw)[["proba_0", "proba_1"]].to_numpy()
    assert probabilities.min() >= 0
    assert probabilities.max() <= 1
    assert (probabilities == 1).any()  # else nothing would have been cut off
