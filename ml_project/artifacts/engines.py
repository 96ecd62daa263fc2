"""The engines that an artifact can predict with: scikit-learn's own pipeline, or ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.data.columns import Columns, FeatureKind
from ml_project.errors import ArtifactDamagedError
from ml_project.feature_engineering.engineered import engineered_frame, fill_missing_categories


class NativeEngine:
    """Predicts with the fitted scikit-learn pipeline of preprocessing and model.

    Parameters
    ----------
    model
        Fitted pipeline that takes engineered frames.
    kinds
        ``number`` or ``category`` by engineered column.
    classification
        Whether probabilities are wanted.
    """

    name = "native"

    def __init__(self, model: Any, kinds: Mapping[str, FeatureKind], *, classification: bool) -> None:
        self.model = model
        self.kinds = dict(kinds)
        self._predict = model.predict_proba if classification else model.predict

    def compute(self, engineered: Columns) -> npt.NDArray[np.floating[Any]]:
        """Return probabilities of shape ``(n_rows, n_classes)``, or values of shape ``(n_rows,)`` in a regression."""
        return np.asarray(self._predict(engineered_frame(engineered, self.kinds)), dtype=np.float64)


class OnnxEngine:
    """Predicts with ONNX Runtime, on one thread: for single rows the fastest, and repeatable to the last bit.

    Parameters
    ----------
    content
        ONNX model with one input of shape ``(n_rows, 1)`` per engineered column and one output.
    kinds
        ``number`` or ``category`` by engineered column.

    Raises
    ------
    ArtifactDamagedError
        When the content is no ONNX model that the installed ONNX Runtime can read.
    """

    name = "onnx"

    def __init__(self, content: bytes, kinds: Mapping[str, FeatureKind]) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise ArtifactDamagedError(f"ONNX Runtime cannot read the model: {error}; export it again") from error
        used = {entry.name for entry in self._session.get_inputs()}
        self._kinds = {name: kind for name, kind in kinds.items() if name in used}
        self._output = [self._session.get_outputs()[-1].name]

    def compute(self, engineered: Columns) -> npt.NDArray[np.floating[Any]]:
        """Return probabilities of shape ``(n_rows, n_classes)``, or values of shape ``(n_rows,)`` in a regression."""
        inputs = {name: onnx_input(engineered[name], kind) for name, kind in self._kinds.items()}
        outputs: npt.NDArray[np.floating[Any]] = self._session.run(self._output, inputs)[0]
        return outputs


def onnx_input(values: npt.NDArray[Any], kind: str) -> npt.NDArray[Any]:
    """Return one engineered column as an ONNX model takes it, of shape ``(n_rows, 1)``."""
    if kind == "number":
        return np.asarray(values, dtype=np.float64).reshape(-1, 1)
    return fill_missing_categories(values).reshape(-1, 1)
