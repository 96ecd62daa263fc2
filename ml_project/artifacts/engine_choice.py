"""Which engine an artifact predicts with, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ml_project.artifacts.manifest import EngineChoice
from ml_project.config import Task
from ml_project.errors import ArtifactError

if TYPE_CHECKING:
    import pandas as pd

    from ml_project.feature_engineering.engineering import FeatureEngineering


def choose_engine(
    wanted: Literal["auto", "onnx", "native"],
    model: Any,
    features: FeatureEngineering,
    comparison_raw: pd.DataFrame,
    task: Task,
) -> tuple[EngineChoice, bytes | None]:
    """Return the engine to use, and the ONNX model where it is the ONNX engine.

    Parameters
    ----------
    wanted
        ``auto`` takes ONNX where it reproduces the model, ``onnx`` insists on it, ``native`` does not try.
    model
        Fitted pipeline of preprocessing and model.
    features
        Fitted feature engineering.
    comparison_raw
        Raw rows on which the engines are compared.
    task
        Kind of target.

    Raises
    ------
    ArtifactError
        When ``onnx`` is wanted and cannot be had.
    """
    if wanted == "native":
        return EngineChoice(name="native", reason="artifacts.engine is 'native'"), None
    reason = "conversion to ONNX is not available"
    if wanted == "onnx":
        raise ArtifactError(f"artifacts.engine is 'onnx', but {reason}; choose 'auto', 'native' or another candidate")
    return EngineChoice(name="native", reason=reason), None
