"""Pipelines of both engines for all tests of this package."""

from pathlib import Path

import pytest

from ml_project.artifacts.loading import LoadedArtifact, load_artifact
from ml_project.prediction.pipeline import PredictionPipeline
from tests.artifacts.fitted import Fitted, fit
from tests.example.features import FEATURE_PROCESSES


@pytest.fixture(scope="session")
def forest() -> Fitted:
    return fit("random_forest")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("artifacts")


@pytest.fixture(scope="session")
def artifact(forest: Fitted, folder: Path) -> LoadedArtifact:
    path = forest.export(folder / "scored.zip", config=forest.with_engine("onnx"))
    return load_artifact(path, FEATURE_PROCESSES)


def load(path: Path) -> PredictionPipeline:
    return load_artifact(path, FEATURE_PROCESSES).pipeline


@pytest.fixture(scope="session")
def native(forest: Fitted, folder: Path) -> PredictionPipeline:
    return load(forest.export(folder / "native.zip", config=forest.with_engine("native")))


@pytest.fixture(scope="session")
def onnx(forest: Fitted, folder: Path) -> PredictionPipeline:
    return load(forest.export(folder / "onnx.zip", config=forest.with_engine("onnx")))


@pytest.fixture(scope="session")
def regression(folder: Path) -> PredictionPipeline:
    return load(fit("linear", "fare").export(folder / "regression.zip"))


@pytest.fixture(scope="session")
def multiclass(folder: Path) -> PredictionPipeline:
    return load(fit("xgboost", "embarked").export(folder / "multiclass.zip"))
