"""The trees of fitted scikit-learn, XGBoost, LightGBM and CatBoost models in one form."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.artifacts.onnx_graph import CannotConvertError
from ml_project.artifacts.onnx_trees import Tree


def read_trees(model: Any) -> list[Tree]:
    """Return the trees of a fitted model in the form of its library; none where it has none that can be read."""
    package = type(model).__module__.split(".")[0]
    try:
        if package == "xgboost":
            return xgboost_trees(json.loads(model.get_booster().save_raw("json")))
        if package == "lightgbm":
            return lightgbm_trees(model.booster_.dump_model())
        if package == "catboost":
            return catboost_trees(model)[0]
        if hasattr(model, "_predictors"):
            return histogram_trees(model)
        members = np.ravel(model.estimators_).tolist() if hasattr(model, "estimators_") else [model]
        trees = [sklearn_tree(member, 1.0) for member in members if hasattr(member, "tree_")]
        return see_columns(trees, getattr(model, "estimators_features_", ()))
    except (CannotConvertError, KeyError, TypeError, ValueError):
        return []


def sklearn_tree(estimator: Any, share: float) -> Tree:
    """Return a tree of scikit-learn whose leaves are multiplied by its share in the forest.

    The leaves hold the value of a regression, of two classes the probability of the second one, of more classes those
    of all.
    """
    tree = estimator.tree_
    values = tree.value[:, 0, :]
    if hasattr(estimator, "classes_"):
        values = values / values.sum(axis=1, keepdims=True)
        values = values[:, 1] if values.shape[1] == 2 else values
    else:
        values = values[:, 0]
    return Tree.of_sklearn(tree, values * share)


def see_columns(trees: list[Tree], columns: Sequence[Any]) -> list[Tree]:
    """Return trees that saw some columns only, with the numbers of these among all columns; others as they are."""
    if not len(columns):
        return trees
    places = [np.asarray(seen, dtype=np.int64) for seen in columns]
    return [
        replace(tree, feature=np.where(tree.feature < 0, -1, seen[tree.feature]))
        for tree, seen in zip(trees, places, strict=True)
    ]


def histogram_trees(model: Any) -> list[Tree]:
    """Return the trees of scikit-learn's histogram boosting."""
    trees = []
    for iteration in model._predictors:
        for target, predictor in enumerate(iteration):
            nodes = predictor.nodes
            if nodes["is_categorical"].any():
                raise CannotConvertError("there is no conversion of categorical splits")
            trees.append(
                Tree(
                    feature=np.where(nodes["is_leaf"], -1, nodes["feature_idx"].astype(np.int64)),
                    threshold=nodes["num_threshold"],
                    yes=nodes["left"].astype(np.int64),
                    no=nodes["right"].astype(np.int64),
                    missing_yes=nodes["missing_go_to_left"].astype(bool),
                    leaves=nodes["value"],
                    target=target,
                )
            )
    return trees


def xgboost_trees(document: Any) -> list[Tree]:
    """Return the trees of an XGBoost model's JSON document."""
    model = document["learner"]["gradient_booster"]["model"]
    trees = []
    for tree, target in zip(model["trees"], model["tree_info"], strict=True):
        left = np.array(tree["left_children"], dtype=np.int64)
        numbers = np.array(tree["split_conditions"], dtype=np.float32).astype(np.float64)
        if any(tree["split_type"]):
            raise CannotConvertError("there is no conversion of categorical splits")
        trees.append(
            Tree(
                feature=np.where(left < 0, -1, np.array(tree["split_indices"], dtype=np.int64)),
                threshold=numbers,
                yes=left,
                no=np.array(tree["right_children"], dtype=np.int64),
                missing_yes=np.array(tree["default_left"]).astype(bool),
                leaves=numbers,
                target=int(target),
            )
        )
    return trees


def lightgbm_trees(document: Any) -> list[Tree]:
    """Return the trees of a LightGBM model's dump."""
    n_targets = document["num_tree_per_iteration"]
    return [
        _flatten(list(_lightgbm_nodes(entry["tree_structure"])), number % n_targets)
        for number, entry in enumerate(document["tree_info"])
    ]


def _lightgbm_nodes(root: Any) -> Iterator[tuple[int, float, int, int, bool, float]]:
    """Yield feature, threshold, yes, no, missing_yes and leaf value of a nested tree's nodes, breadth first."""
    waiting, n_seen = [root], 1
    while waiting:
        node = waiting.pop(0)
        if "leaf_value" in node and "split_feature" not in node:
            yield -1, 0.0, 0, 0, False, node["leaf_value"]
            continue
        if node["decision_type"] != "<=" or node["missing_type"] == "Zero":
            raise CannotConvertError("there is no conversion of categorical splits, nor of zeros taken as missing")
        # Without missing values in training, LightGBM reads a missing value as 0.
        missing_yes = node["default_left"] if node["missing_type"] == "NaN" else node["threshold"] >= 0
        yield node["split_feature"], node["threshold"], n_seen, n_seen + 1, missing_yes, 0.0
        waiting.extend((node["left_child"], node["right_child"]))
        n_seen += 2


def catboost_trees(model: Any) -> tuple[list[Tree], npt.NDArray[np.float64]]:
    """Return the trees of a CatBoost model and what is added to their sum, of shape ``(n_targets,)``."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model.json")
        model.save_model(str(file), format="json")
        document = json.loads(file.read_text())
    if "oblivious_trees" not in document or document["features_info"].get("categorical_features"):
        raise CannotConvertError("only CatBoost's symmetric trees of numbers have a conversion")
    features = {entry["feature_index"]: entry for entry in document["features_info"]["float_features"]}
    scale, bias = document["scale_and_bias"]
    trees = [_symmetric_tree(entry, features, float(scale)) for entry in document["oblivious_trees"]]
    return trees, np.atleast_1d(np.asarray(bias, dtype=np.float64))


def _symmetric_tree(entry: Any, features: Any, scale: float) -> Tree:
    """Return a symmetric tree node by node, from the last split, which is the highest bit of the leaf's number."""
    splits = entry["splits"] or []
    depth = len(splits)
    leaves = np.array(entry["leaf_values"], dtype=np.float64).reshape(2**depth, -1) * scale
    if leaves.shape[1] == 1:
        leaves = leaves[:, 0]
    rows: list[tuple[int, float, int, int, bool, Any]] = []
    zero = np.zeros(leaves.shape[1:])
    for level in range(depth):
        split = splits[depth - 1 - level]
        column = features[split["float_feature_index"]]
        missing_yes = column.get("nan_value_treatment") == "AsTrue"
        for position in range(2**level):
            first = 2 ** (level + 1) - 1 + 2 * position
            rows.append((column["flat_feature_index"], split["border"], first + 1, first, missing_yes, zero))
    rows.extend((-1, 0.0, 0, 0, False, leaf) for leaf in leaves)
    return _flatten(rows, 0)


def _flatten(rows: list[tuple[int, float, int, int, bool, Any]], target: int) -> Tree:
    feature, threshold, yes, no, missing_yes, leaves = zip(*rows, strict=True)
    return Tree(
        feature=np.array(feature, dtype=np.int64),
        threshold=np.array(threshold, dtype=np.float64),
        yes=np.array(yes, dtype=np.int64),
        no=np.array(no, dtype=np.int64),
        missing_yes=np.array(missing_yes, dtype=bool),
        leaves=np.array(leaves, dtype=np.float64),
        target=target,
    )
