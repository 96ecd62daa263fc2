"""Trees of any library in one form, and that form in ONNX.

Thresholds and leaves keep double precision. Models that see their input in single precision (scikit-learn's trees and
forests, XGBoost, CatBoost) get it rounded to that first, so every row reaches the same leaf as in the library itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from ml_project.artifacts.onnx_graph import CannotConvertError, GraphBuilder

MAX_NODES = 1_000_000
"""Most nodes of all trees; beyond, the conversion takes minutes and the file hundreds of megabytes."""

Comparison = Literal["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GT"]


@dataclass
class Tree:
    """One tree; a node that is a leaf has feature -1.

    Attributes
    ----------
    feature, threshold, yes, no, missing_yes
        Per node: column compared, number compared with, nodes to go to where the comparison holds and where not, and
        whether missing values go to the former.
    leaves
        Values of shape ``(n_nodes, n_targets)`` or ``(n_nodes,)``, of which those of leaves count.
    target
        The target that a tree of shape ``(n_nodes,)`` adds to.
    """

    feature: npt.NDArray[np.int64]
    threshold: npt.NDArray[np.float64]
    yes: npt.NDArray[np.int64]
    no: npt.NDArray[np.int64]
    missing_yes: npt.NDArray[np.bool_]
    leaves: npt.NDArray[np.float64]
    target: int = 0


def add_trees(
    graph: GraphBuilder, matrix: str, trees: list[Tree], *, n_targets: int, comparison: Comparison, single: bool
) -> str:
    """Return the sum of all trees' leaves, of shape ``(n_rows, n_targets)``.

    Parameters
    ----------
    graph, matrix
        Graph to add to, and the preprocessed columns in it.
    trees
        The trees.
    n_targets
        Number of sums.
    comparison
        How a value is compared with the threshold.
    single
        Whether the library rounds its input to single precision.
    """
    from onnx import TensorProto, helper

    if single:
        matrix = graph.cast(graph.cast(matrix, TensorProto.FLOAT), TensorProto.DOUBLE)
    n_nodes = sum(len(tree.feature) for tree in trees)
    if n_nodes > MAX_NODES:
        raise CannotConvertError(f"its trees have {n_nodes:,} nodes, more than {MAX_NODES:,}")
    table = _Attributes()
    for number, tree in enumerate(trees):
        table.add(number, tree, comparison)
    doubles = {
        name: helper.make_tensor(name, TensorProto.DOUBLE, [len(values)], values)
        for name, values in (("nodes_values_as_tensor", table.thresholds), ("target_weights_as_tensor", table.weights))
    }
    total = graph.node(
        "TreeEnsembleRegressor", matrix, domain="ai.onnx.ml", n_targets=n_targets, **table.integers, **doubles,
        nodes_modes=table.modes, aggregate_function="SUM", post_transform="NONE",
    )  # fmt: skip
    return graph.cast(total, TensorProto.DOUBLE)


_INTEGERS: tuple[str, ...] = (
    "nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_truenodeids", "nodes_falsenodeids",
    "nodes_missing_value_tracks_true", "target_treeids", "target_nodeids", "target_ids",
)  # fmt: skip


@dataclass
class _Attributes:
    """The attributes of a TreeEnsembleRegressor node."""

    integers: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in _INTEGERS})
    modes: list[str] = field(default_factory=list)
    thresholds: list[float] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def add(self, number: int, tree: Tree, comparison: Comparison) -> None:
        """Append one tree."""
        leaf = tree.feature < 0
        n_nodes = len(leaf)
        columns = {
            "nodes_treeids": np.full(n_nodes, number),
            "nodes_nodeids": np.arange(n_nodes),
            "nodes_featureids": np.where(leaf, 0, tree.feature),
            "nodes_truenodeids": np.where(leaf, 0, tree.yes),
            "nodes_falsenodeids": np.where(leaf, 0, tree.no),
            "nodes_missing_value_tracks_true": np.where(leaf, False, tree.missing_yes).astype(int),
        }
        values = tree.leaves.reshape(n_nodes, -1)
        n_values = values.shape[1]
        leaves = np.flatnonzero(leaf)
        columns["target_treeids"] = np.full(len(leaves) * n_values, number)
        columns["target_nodeids"] = np.repeat(leaves, n_values)
        columns["target_ids"] = np.tile(np.arange(n_values) + tree.target, len(leaves))
        for name, column in columns.items():
            self.integers[name].extend(column.tolist())
        self.modes.extend(np.where(leaf, "LEAF", comparison).tolist())
        self.thresholds.extend(np.where(leaf, 0.0, tree.threshold).tolist())
        self.weights.extend(values[leaves].ravel().tolist())
