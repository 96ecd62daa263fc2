"""The engines that an artifact can predict with: ONNX Runtime, scikit-learn's own pipeline, or a mix of both."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.artifacts.packing import PACKING, Packing
from ml_project.data.columns import Columns, FeatureKind
from ml_project.errors import ArtifactDamagedError, InvalidDataError
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
        self.classification = classification
        self._predict = model.predict_proba if classification else model.predict

    def compute(self, engineered: Columns) -> npt.NDArray[np.floating[Any]]:
        """Return probabilities of shape ``(n_rows, n_classes)``, or values of shape ``(n_rows,)`` in a regression.

        Raises
        ------
        InvalidDataError
            When the model refuses the rows, for instance a missing number for which it was not made.
        """
        frame = engineered_frame(engineered, self.kinds)
        try:
            return np.asarray(self._predict(frame), dtype=np.float64)
        except ValueError as error:
            raise _refusal(error) from error


class OnnxGraph:
    """An ONNX model of engineered columns, run on one thread: for single rows the fastest.

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

    def __init__(self, content: bytes) -> None:
        # Else it reports its use, and the hash of each model, to its makers; this counts up to its first import only.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
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
        """Return the model's output."""
        outputs: npt.NDArray[np.floating[Any]] = self._session.run(self._output, {self._input: self._pack(engineered)})[
            0
        ]
        return outputs


class OnnxEngine(OnnxGraph):
    """Predicts with ONNX Runtime alone, repeatable to the last bit; parameters as in :class:`OnnxGraph`."""

    name = "onnx"


class MixedEngine:
    """Preprocesses with ONNX Runtime and predicts with the model itself, on a plain array: for models without ONNX.

    Parameters
    ----------
    preprocessing
        ONNX model of the preprocessing.
    model
        Fitted model that takes preprocessed arrays.
    classification
        Whether probabilities are wanted.
    """

    name = "mixed"

    def __init__(self, preprocessing: bytes, model: Any, *, classification: bool) -> None:
        from ml_project.artifacts.array_models import array_predictor

        self._preprocess = OnnxGraph(preprocessing).compute
        self._predict = array_predictor(model, classification=classification)

    def compute(self, engineered: Columns) -> npt.NDArray[np.floating[Any]]:
        """Return probabilities of shape ``(n_rows, n_classes)``, or values of shape ``(n_rows,)`` in a regression.

        Raises
        ------
        InvalidDataError
            When the model refuses the rows.
        """
        preprocessed = self._preprocess(engineered)
        try:
            return np.asarray(self._predict(preprocessed), dtype=np.float64)
        except ValueError as error:
            raise _refusal(error) from error


def _refusal(error: ValueError) -> InvalidDataError:
    """Return what a model's own message says of rows that it cannot take."""
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    return InvalidDataError(f"The model refuses these rows: {reason}; give it values like those of the training")
