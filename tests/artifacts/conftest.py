"""One small fitted model and its artifact for all tests of this package."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

from tests.artifacts.fitted import Fitted, fit


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Threads that wait for one another make small fits slow on a busy machine."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def forest() -> Fitted:
    return fit("random_forest")


@pytest.fixture(scope="session")
def linear() -> Fitted:
    return fit("linear")


@pytest.fixture(scope="session")
def native_artifact(linear: Fitted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small artifact with the native engine."""
    path = tmp_path_factory.mktemp("native") / "model.zip"
    return linear.export(path, config=linear.with_engine("native"))


@pytest.fixture(scope="session")
def onnx_artifact(linear: Fitted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small artifact with the ONNX engine."""
    return linear.export(tmp_path_factory.mktemp("onnx") / "model.zip")
