"""A small builder of ONNX graphs: one call per node, names by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

OPSET, ML_OPSET, IR_VERSION = 18, 3, 10

INPUT = "engineered"
"""Name of the one input of every graph, a ``float64`` matrix of one row per row."""

LANES = 8
"""Numbers that the widest processors compute at once."""


class CannotConvertError(Exception):
    """A step or model for which there is no conversion to ONNX; its text is the reason."""


class GraphBuilder:
    """Collects the nodes of a graph; every method returns the name of the value that its node computes.

    Parameters
    ----------
    n_columns
        Columns of the input :data:`INPUT`.

    Attributes
    ----------
    ml_opset : int
        Version of the machine learning operators; raise it where a node needs a newer one.
    """

    def __init__(self, n_columns: int) -> None:
        self.ml_opset = ML_OPSET
        self._n_columns = n_columns
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, values: npt.ArrayLike, dtype: npt.DTypeLike = np.float64) -> str:
        """Add an array."""
        from onnx import numpy_helper

        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype=dtype), name))
        return name

    def node(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output."""
        from onnx import helper

        output = f"{operator}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [output], output, domain=domain, **attributes))
        return output

    def cast(self, value: str, element_type: int) -> str:
        """Convert a value to another element type."""
        return self.node("Cast", value, to=element_type)

    def take_columns(self, matrix: str, positions: npt.ArrayLike) -> str:
        """Take columns of a matrix by their positions."""
        return self.node("Gather", matrix, self.constant(positions, np.int64), axis=1)

    def put_in_order(self, matrix: str, places: Sequence[int] | npt.NDArray[np.intp]) -> str:
        """Move each column of a matrix to its place, where it is not there already."""
        order = np.argsort(places)
        return matrix if np.array_equal(order, np.arange(len(order))) else self.take_columns(matrix, order)

    def split_columns(self, matrix: str, widths: Sequence[int]) -> list[str]:
        """Cut a matrix into matrices of the given numbers of columns."""
        from onnx import helper

        if len(widths) == 1:
            return [matrix]
        number = len(self._nodes)
        outputs = [f"Split_{number}_{part}" for part in range(len(widths))]
        inputs = [matrix, self.constant(widths, np.int64)]
        self._nodes.append(helper.make_node("Split", inputs, outputs, f"Split_{number}", axis=1))
        return outputs

    def concatenate(self, matrices: Sequence[str]) -> str:
        """Put matrices side by side."""
        return matrices[0] if len(matrices) == 1 else self.node("Concat", *matrices, axis=1)

    def exponential(self, matrix: str, n_columns: int) -> str:
        """Return e to the power of each number, the same to the last bit for one row as for many.

        ONNX Runtime computes several numbers at once and those left over one by one, which differs in the last bit.
        Columns repeated to a multiple of :data:`LANES` leave none over.
        """
        repeated = np.resize(np.arange(n_columns), -(-n_columns // LANES) * LANES)
        return self.take_columns(self.node("Exp", self.take_columns(matrix, repeated)), np.arange(n_columns))

    def finish(self, output: str, shape: tuple[int | None, ...], metadata: Mapping[str, str]) -> bytes:
        """Return the checked model with one ``float64`` output.

        Parameters
        ----------
        output
            Value that the model returns.
        shape
            Its shape, ``None`` for a length that is not known.
        metadata
            Texts that the model carries.
        """
        import onnx
        from onnx import TensorProto, helper

        result = self.node("Identity", output)
        inputs = [helper.make_tensor_value_info(INPUT, TensorProto.DOUBLE, [None, self._n_columns])]
        outputs = [helper.make_tensor_value_info(result, TensorProto.DOUBLE, shape)]
        graph = helper.make_graph(self._nodes, "model", inputs, outputs, self._constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", self.ml_opset)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        helper.set_model_props(model, dict(metadata))
        onnx.checker.check_model(model)
        content: bytes = model.SerializeToString()
        return content
