"""Which engine an artifact predicts with, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from ml_project.artifacts.manifest import ONNX_MODEL, PREPROCESSING, EngineChoice, RefusedEngine
from ml_project.artifacts.onnx_graph import CannotConvertError
from ml_project.config import Task
from ml_project.errors import ArtifactError

if TYPE_CHECKING:
    import pandas as pd

    from ml_project.feature_engineering.fitted_features import FittedFeatures
    from ml_project.prediction.engine import InferenceEngine

Members = dict[str, bytes]
_FASTEST_FIRST: tuple[Literal["onnx", "mixed"], ...] = ("onnx", "mixed")


def choose_engine(
    wanted: Literal["auto", "onnx", "native"],
    model: Any,
    features: FittedFeatures,
    comparison_raw: pd.DataFrame,
    task: Task,
) -> tuple[EngineChoice, Members]:
    """Return the engine to use, and the members of the artifact that it needs beside the stored model.

    The engines are tried from the fastest on, and the first one that reproduces the fitted pipeline is taken.

    Parameters
    ----------
    wanted
        ``auto`` takes the fastest engine that reproduces the model, ``onnx`` insists on ONNX, ``native`` does not try.
    model
        Fitted pipeline of preprocessing and model.
    features
        Fitted feature engineering.
    comparison_raw
        Raw rows on which the engines are compared, beside rows that are made of them.
    task
        Kind of target.

    Raises
    ------
    ArtifactError
        When ``onnx`` is wanted and cannot be had.
    """
    if wanted == "native":
        return EngineChoice(name="native", reason="artifacts.engine is 'native'"), {}
    choice, members = _choose(model, features, comparison_raw, task)
    if wanted == "onnx" and choice.name != "onnx":
        raise ArtifactError(
            f"artifacts.engine is 'onnx', but {choice.refused[0].reason}; choose 'auto' or 'native', or another "
            "candidate"
        )
    return choice, members


def _choose(
    model: Any, features: FittedFeatures, comparison_raw: pd.DataFrame, task: Task
) -> tuple[EngineChoice, Members]:
    refused: list[RefusedEngine] = []
    try:
        trial = _Trial(model, features, comparison_raw, task)
    except Exception as error:  # noqa: BLE001  whatever fails here is a reason for the model itself, not to end the run
        return _native([RefusedEngine(name=name, reason=_failure(error)) for name in _FASTEST_FIRST]), {}
    for name in _FASTEST_FIRST:
        try:
            engine, members = trial.build(name)
            found = trial.comparison.with_engine(engine)
        except Exception as error:  # noqa: BLE001  as above
            refused.append(RefusedEngine(name=name, reason=_failure(error)))
            continue
        if found.reason is None:
            n_made = found.n_rows - len(comparison_raw)
            reason = f"reproduces the model on {len(comparison_raw)} rows of the holdout and {n_made} made to differ"
            return EngineChoice(name=name, reason=reason, max_difference=found.largest, refused=tuple(refused)), members
        refused.append(RefusedEngine(name=name, reason=found.reason, max_difference=found.largest))
    return _native(refused), {}


def _native(refused: Sequence[RefusedEngine]) -> EngineChoice:
    reason = "; ".join(dict.fromkeys(f"{engine.name}: {engine.reason}" for engine in refused))
    return EngineChoice(name="native", reason=reason, refused=tuple(refused))


class _Trial:
    """The engines that a fitted pipeline could have, and the comparison with it."""

    def __init__(self, model: Any, features: FittedFeatures, comparison_raw: pd.DataFrame, task: Task) -> None:
        from ml_project.artifacts.edge_rows import edge_rows
        from ml_project.artifacts.engine_comparison import Comparison
        from ml_project.artifacts.engines import NativeEngine, OnnxGraph
        from ml_project.artifacts.onnx_conversion import convert_preprocessing
        from ml_project.data.columns import to_columns

        self._model, self._kinds, self._classification = model, features.kinds, task != "regression"
        self._preprocessing = convert_preprocessing(model, features.kinds)
        engineered = features.compute(to_columns(comparison_raw, features.schema.select(features.required_columns)))
        preprocess = OnnxGraph(self._preprocessing).compute
        made = edge_rows(model.steps[-1][1], preprocess, engineered, features.kinds)
        native = NativeEngine(model, features.kinds, classification=self._classification)
        self.comparison = Comparison(native, engineered, made, classification=self._classification)

    def build(self, name: Literal["onnx", "mixed"]) -> tuple[InferenceEngine, Members]:
        """Return an engine, and the members of the artifact that it is restored from."""
        from ml_project.artifacts.engines import MixedEngine, OnnxEngine
        from ml_project.artifacts.onnx_conversion import convert

        if name == "onnx":
            content = convert(self._model, self._kinds, len(self._model.classes_) if self._classification else None)
            return OnnxEngine(content), {ONNX_MODEL: content}
        engine = MixedEngine(self._preprocessing, self._model.steps[-1][1], classification=self._classification)
        return engine, {PREPROCESSING: self._preprocessing}


def _failure(error: Exception) -> str:
    kind = "" if isinstance(error, CannotConvertError) else f"{type(error).__name__}: "
    return f"it cannot be built: {kind}{' '.join(str(error).split())[:300]}"
