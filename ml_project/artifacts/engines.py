"""The engines that an artifact can predict with: scikit-learn's own pipeline, or ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.artifacts.packing import PACKING, Packing
from ml_project.data.columns import Columns, FeatureKind
from ml_project.errors import ArtifactDamagedError
from ml_project.feature_engineering.engineered import engineered_frame


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
        ONNX model with one matrix as input and one output, as :class:`ml_project.artifacts.onnx_graph.GraphBuilder`
        makes it, with the description of the matrix in its metadata.

    Raises
    ------
    ArtifactDamagedError
        When the content is no such model, or none that the installed ONNX Runtime can read.
    """

    name = "onnx"

    def __init__(self, content: bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
            self._pack = Packing.from_json(self._session.get_modelmeta().custom_metadata_map[PACKING]).pack
        except Exception as error:
            raise ArtifactDamagedError(f"ONNX Runtime cannot read the model: {error}; export it again") from error
        self._input = self._session.get_inputs()[0].name
        self._output = [self._session.get_outputs()[0].name]

    def compute(self, engineered: Columns) -> npt.NDArray[np.floating[Any]]:
        """Return probabilities of shape ``(n_rows, n_classes)``, or values of shape ``(n_rows,)`` in a regression."""
        outputs: npt.NDArray[np.floating[Any]] = self._session.run(self._output, {self._input: self._pack(engineered)})[
            0
        ]
        return outputs
