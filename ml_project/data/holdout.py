"""The four ways of holding out rows."""

from __future__ import annotations

import math
import warnings
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml_project.config import SplitsConfig, Task
from ml_project.data.split_checks import IndexArray, check_classes, class_codes, group_codes, time_codes

MAX_PARTS = 20
"""A stratified holdout of groups is made of equal parts of the rows, at most this many."""


def random_holdout(n_rows: int, share: float, seed: int) -> tuple[IndexArray, IndexArray]:
    """Hold out rows by chance."""
    from sklearn.model_selection import ShuffleSplit

    splitter = ShuffleSplit(n_splits=1, test_size=_n_held_out(n_rows, share), random_state=seed)
    train, holdout = next(splitter.split(np.empty(n_rows)))
    return train, holdout


def stratified_holdout(
    target: pd.Series[Any] | npt.NDArray[Any], share: float, seed: int
) -> tuple[IndexArray, IndexArray]:
    """Hold out the same share of every class, at least one row of each."""
    from sklearn.model_selection import StratifiedShuffleSplit

    check_classes(target, least=2, why="a row in training and one in the holdout")
    codes = class_codes(target)
    n_rows, n_classes = len(codes), int(codes.max()) + 1
    # Both sides have room for every class; with two rows of each, that is always possible.
    n_held_out = min(max(_n_held_out(n_rows, share), n_classes), n_rows - n_classes)
    splitter = StratifiedShuffleSplit(n_splits=1, test_size=n_held_out, random_state=seed)
    train, holdout = next(splitter.split(np.empty(n_rows), codes))
    return train, holdout


def grouped_holdout(
    raw: pd.DataFrame, target: pd.Series[Any] | npt.NDArray[Any], config: SplitsConfig, task: Task, seed: int
) -> tuple[IndexArray, IndexArray]:
    """Hold out whole groups, of a classification with about the shares of the classes."""
    from sklearn.model_selection import GroupShuffleSplit, StratifiedGroupKFold

    groups = group_codes(raw, config.group_column, least=2)
    n_groups = int(groups.max()) + 1
    share = Fraction(config.holdout_share).limit_denominator(min(n_groups, MAX_PARTS))
    largest_class = n_groups if task == "regression" else int(np.bincount(class_codes(target)).max())
    if task == "regression" or not 0 < share < 1 or share.denominator > largest_class:
        n_held_out = min(_n_held_out(n_groups, config.holdout_share), n_groups - 1)
        splitter = GroupShuffleSplit(n_splits=1, test_size=n_held_out, random_state=seed)
        train, holdout = next(splitter.split(groups, groups=groups))
        return train, holdout
    parts = StratifiedGroupKFold(n_splits=share.denominator, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A class of few rows cannot be in every part; the holdout needs no more than to come close.
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        dealt = [part for _, part in parts.split(groups, class_codes(target), groups)]
    holdout = np.concatenate(dealt[: share.numerator])
    return np.setdiff1d(np.arange(len(raw)), holdout), holdout


def chronological_holdout(raw: pd.DataFrame, config: SplitsConfig) -> tuple[IndexArray, IndexArray]:
    """Cut between two different times, as near as possible to the wanted share of rows."""
    times = time_codes(raw, config.time_column, least=2, why="a later holdout")
    n_before = np.cumsum(np.bincount(times))[:-1]
    wanted = len(raw) - _n_held_out(len(raw), config.holdout_share)
    cut = int(np.argmin(np.abs(n_before - wanted)))
    return np.flatnonzero(times <= cut), np.flatnonzero(times > cut)


def _n_held_out(n_rows: int, share: float) -> int:
    return min(max(1, math.ceil(round(n_rows * share, 9))), n_rows - 1)
