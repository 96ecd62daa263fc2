"""Trees of any library in one form, and that form in ONNX.

Thresholds and leaves keep double precision. Models that see their input in single precision (scikit-learn's trees and
forests, XGBoost, CatBoost) get it rounded to that first, so every row reaches the same leaf as in the library itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Self

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

    @classmethod
    def of_sklearn(cls, tree: Any, leaves: npt.NDArray[np.float64], target: int = 0) -> Self:
        """Return a tree of scikit-learn with other values of its leaves."""
        return cls(
            feature=tree.feature.astype(np.int64),
            threshold=tree.threshold,
            yes=tree.children_left,
            no=tree.children_right,
            missing_yes=tree.missing_go_to_left.astype(bool),
            leaves=leaves,
            target=target,
        )


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
    from onnx import TensorProto

    n_nodes = sum(len(tree.feature) for tree in trees)
    if n_nodes > MAX_NODES:
        raise CannotConvertError(f"its trees have {n_nodes:,} nodes, more than {MAX_NODES:,}")
    if single:
        matrix = graph.cast(graph.cast(matrix, TensorProto.FLOAT), TensorProto.DOUBLE)
    if all(tree.leaves.ndim == 1 for tree in trees):
        return _add_single_leaves(graph, matrix, trees, n_targets, comparison)
    return _add_several_leaves(graph, matrix, trees, n_targets, comparison)


def _add_single_leaves(
    graph: GraphBuilder, matrix: str, trees: list[Tree], n_targets: int, comparison: Comparison
) -> str:
    """Add trees that add to one target each, with sums in double precision."""
    from onnx import TensorProto, helper

    graph.ml_opset = 5
    table = _SingleLeaves()
    for tree in trees:
        table.add(tree)
    n_splits = len(table.integers["nodes_featureids"])
    tensors = {
        "nodes_splits": helper.make_tensor("splits", TensorProto.DOUBLE, [n_splits], table.thresholds),
        "nodes_modes": helper.make_tensor("modes", TensorProto.UINT8, [n_splits], [_MODES[comparison]] * n_splits),
        "leaf_weights": helper.make_tensor("weights", TensorProto.DOUBLE, [len(table.weights)], table.weights),
    }
    return graph.node(
        "TreeEnsemble", matrix, domain="ai.onnx.ml", n_targets=n_targets, **table.integers, **tensors,
        aggregate_function=1, post_transform=0,
    )  # fmt: skip


def _add_several_leaves(
    graph: GraphBuilder, matrix: str, trees: list[Tree], n_targets: int, comparison: Comparison
) -> str:
    """Add trees whose leaves add to several targets; their sums come in single precision."""
    from onnx import TensorProto, helper

    table = _SeveralLeaves()
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


_MODES: dict[Comparison, int] = {"BRANCH_LEQ": 0, "BRANCH_LT": 1, "BRANCH_GT": 3}
_SPLIT_INTEGERS: tuple[str, ...] = (
    "tree_roots", "nodes_featureids", "nodes_truenodeids", "nodes_falsenodeids", "nodes_trueleafs", "nodes_falseleafs",
    "nodes_missing_value_tracks_true", "leaf_targetids",
)  # fmt: skip


@dataclass
class _SingleLeaves:
    """The attributes of a TreeEnsemble node: splits and leaves in lists of their own."""

    integers: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in _SPLIT_INTEGERS})
    thresholds: list[float] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def add(self, tree: Tree) -> None:
        """Append one tree."""
        if tree.feature[0] < 0:
            tree = _with_a_split(tree)
        leaf = tree.feature < 0
        splits, leaves = np.flatnonzero(~leaf), np.flatnonzero(leaf)
        places = np.empty(len(leaf), dtype=np.int64)
        places[splits] = np.arange(len(splits)) + len(self.thresholds)
        places[leaves] = np.arange(len(leaves)) + len(self.weights)
        columns = {
            "tree_roots": places[:1],
            "nodes_featureids": tree.feature[splits],
            "nodes_truenodeids": places[tree.yes[splits]],
            "nodes_falsenodeids": places[tree.no[splits]],
            "nodes_trueleafs": leaf[tree.yes[splits]].astype(int),
            "nodes_falseleafs": leaf[tree.no[splits]].astype(int),
            "nodes_missing_value_tracks_true": tree.missing_yes[splits].astype(int),
            "leaf_targetids": np.full(len(leaves), tree.target),
        }
        for name, column in columns.items():
            self.integers[name].extend(column.tolist())
        self.thresholds.extend(tree.threshold[splits].tolist())
        self.weights.extend(tree.leaves[leaves].tolist())


def _with_a_split(tree: Tree) -> Tree:
    """Return a tree that is one leaf as a split with that leaf on both sides."""
    both = np.array([1, 2, 0], dtype=np.int64)
    return Tree(
        feature=np.array([0, -1, -1], dtype=np.int64),
        threshold=np.zeros(3),
        yes=both[[0, 2, 2]],
        no=both[[1, 2, 2]],
        missing_yes=np.zeros(3, dtype=np.bool_),
        leaves=np.repeat(tree.leaves[:1], 3),
        target=tree.target,
    )


_INTEGERS: tuple[str, ...] = (
    "nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_truenodeids", "nodes_falsenodeids",
    "nodes_missing_value_tracks_true", "target_treeids", "target_nodeids", "target_ids",
)  # fmt: skip


@dataclass
class _SeveralLeaves:
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
