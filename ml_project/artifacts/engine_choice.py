"""Which engine an artifact predicts with, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ml_project.artifacts.manifest import EngineChoice
from ml_project.artifacts.onnx_graph import CannotConvertError
from ml_project.config import Task
from ml_project.errors import ArtifactError

if TYPE_CHECKING:
    import pandas as pd

    from ml_project.feature_engineering.fitted_features import FittedFeatures


def choose_engine(
    wanted: Literal["auto", "onnx", "native"],
    model: Any,
    features: FittedFeatures,
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
    choice, content = _try_onnx(model, features, comparison_raw, task)
    if wanted == "onnx" and content is None:
        raise ArtifactError(
            f"artifacts.engine is 'onnx', but {choice.reason}; choose 'auto' or 'native', or another candidate"
        )
    return choice, content


def _try_onnx(
    model: Any, features: FittedFeatures, comparison_raw: pd.DataFrame, task: Task
) -> tuple[EngineChoice, bytes | None]:
    """Return ONNX as the engine where it can stand in for the native one, and otherwise the native one and why."""
    from ml_project.artifacts.engines import NativeEngine, OnnxEngine
    from ml_project.artifacts.onnx_conversion import N_EDGE_ROWS, compare, convert
    from ml_project.data.columns import to_columns

    classification = task != "regression"
    raw = to_columns(comparison_raw, features.schema.select(features.required_columns))
    try:
        content = convert(model, features.kinds, len(model.classes_) if classification else None)
        native = NativeEngine(model, features.kinds, classification=classification)
        onnx = OnnxEngine(content)
        difference, reason = compare(native, onnx, features.compute(raw), classification=classification)
    except Exception as error:  # noqa: BLE001  whatever fails here is a reason to stay native, not to end the run
        kind = "" if isinstance(error, CannotConvertError) else f"{type(error).__name__}: "
        text = " ".join(str(error).split())[:300]
        return EngineChoice(name="native", reason=f"conversion to ONNX failed: {kind}{text}"), None
    if reason is not None:
        return EngineChoice(name="native", reason=reason, max_difference=difference), None
    n_rows = len(comparison_raw)
    reason = f"reproduces the model on {n_rows} rows of the holdout and {N_EDGE_ROWS} rows with unusual values"
    return EngineChoice(name="onnx", reason=reason, max_difference=difference), content
