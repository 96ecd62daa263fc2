"""A small builder of ONNX graphs: one call per node, names by themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

OPSET, ML_OPSET, IR_VERSION = 18, 3, 9


class CannotConvertError(Exception):
    """A step or model for which there is no conversion to ONNX; its text is the reason."""


LANES = 8
"""Numbers that the widest processors compute at once."""


class GraphBuilder:
    """Collects the nodes of a graph; every method returns the name of the value that its node computes."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._inputs: dict[str, Any] = {}

    def input(self, name: str, element_type: int) -> str:
        """Add an input of shape ``(n_rows, 1)``, unless it is there already."""
        from onnx import helper

        self._inputs[name] = helper.make_tensor_value_info(name, element_type, [None, 1])
        return name

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

    def concatenate(self, matrices: list[str]) -> str:
        """Put matrices side by side."""
        return matrices[0] if len(matrices) == 1 else self.node("Concat", *matrices, axis=1)

    def exponential(self, matrix: str, n_columns: int) -> str:
        """Return e to the power of each number, the same to the last bit for one row as for many.

        ONNX Runtime computes several numbers at once and those left over one by one, which differs in the last bit.
        Columns repeated to a multiple of :data:`LANES` leave none over.
        """
        repeated = np.resize(np.arange(n_columns), -(-n_columns // LANES) * LANES)
        return self.take_columns(self.node("Exp", self.take_columns(matrix, repeated)), np.arange(n_columns))

    def finish(self, output: str, n_classes: int | None) -> bytes:
        """Return the checked model with one ``float64`` output: a row of classes, or a value, per input row."""
        import onnx
        from onnx import TensorProto, helper

        result = self.node("Identity", output)
        outputs = [
            helper.make_tensor_value_info(
                result, TensorProto.DOUBLE, [None] if n_classes is None else [None, n_classes]
            )
        ]
        graph = helper.make_graph(self._nodes, "model", list(self._inputs.values()), outputs, self._constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        content: bytes = model.SerializeToString()
        return content
