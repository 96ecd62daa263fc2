"""Deal rows to training and holdout, and training rows to folds: random, stratified, grouped or chronological."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml_project.config import SplitsConfig, Task
from ml_project.data.holdout import chronological_holdout, grouped_holdout, random_holdout, stratified_holdout
from ml_project.data.split_checks import (
    IndexArray,
    check_classes,
    check_n_rows,
    check_training_classes,
    class_codes,
    group_codes,
    refuse_one_sided,
    time_codes,
)

Split = tuple[IndexArray, IndexArray]


def holdout_split(
    raw: pd.DataFrame,
    target: pd.Series[Any] | npt.NDArray[Any],
    config: SplitsConfig,
    *,
    task: Task,
    seed: int,
) -> Split:
    """Return the positions of the training rows and of the holdout rows.

    Every row is in exactly one of them. Groups stay whole; a chronological holdout is strictly later than all training
    rows, so that its share may deviate where many rows share a time. A grouped holdout of a classification keeps the
    shares of the classes as well as the groups allow.

    Parameters
    ----------
    raw
        Raw data of shape ``(n_rows, n_columns)``.
    target
        Target of shape ``(n_rows,)`` without missing values, as labels or codes.
    config
        Strategy, share and columns.
    task
        Kind of target; ``stratified`` is random for a regression.
    seed
        Start of the random sequence.

    Returns
    -------
    tuple of numpy.ndarray
        Ascending positions (``intp``) of training and holdout.

    Raises
    ------
    ConfigError
        When the group or time column is not in the data.
    InvalidDataError
        When the group or time column has missing values or too few different ones.
    TargetError
        When there are too few rows, in all or of one class.

    Examples
    --------
    >>> raw = pd.DataFrame({"day": [3, 1, 2, 2]})
    >>> config = SplitsConfig(strategy="chronological", time_column="day", holdout_share=0.25)
    >>> train, holdout = holdout_split(raw, np.array([0.1, 0.2, 0.3, 0.4]), config, task="regression", seed=0)
    >>> train.tolist(), holdout.tolist()
    ([1, 2, 3], [0])
    """
    check_n_rows(len(raw), least=2, what="a holdout")
    if config.strategy == "chronological":
        train, holdout = chronological_holdout(raw, config)
    elif config.strategy == "grouped":
        train, holdout = grouped_holdout(raw, target, config, task, seed)
    elif config.strategy == "stratified" and task != "regression":
        train, holdout = stratified_holdout(target, config.holdout_share, seed)
    else:
        train, holdout = random_holdout(len(raw), config.holdout_share, seed)
    refuse_one_sided(train, holdout, config)
    return _ascending(train, holdout)


def make_folds(
    raw: pd.DataFrame,
    target: pd.Series[Any] | npt.NDArray[Any],
    config: SplitsConfig,
    *,
    task: Task,
    seed: int,
) -> list[Split]:
    """Return the positions of the training and validation rows of every fold, repeat after repeat.

    Within a repeat every row is in one validation part. Chronological folds instead grow: each validates on the next
    stretch of times and trains on all before it; the stretches hold equal numbers of different times.

    Parameters
    ----------
    raw, target, config, task, seed
        As for :func:`holdout_split`, with the training rows alone.

    Returns
    -------
    list of tuple of numpy.ndarray
        ``n_folds * n_repeats`` pairs of ascending positions (``intp``).

    Raises
    ------
    ConfigError, InvalidDataError, TargetError
        As for :func:`holdout_split`; also for fewer rows, groups, times or rows of a class than folds.

    Examples
    --------
    >>> raw = pd.DataFrame({"age": range(4)})
    >>> folds = make_folds(raw, np.array([0, 0, 1, 1]), SplitsConfig(n_folds=2, n_repeats=3), task="binary", seed=0)
    >>> len(folds), [len(validation) for _, validation in folds]
    (6, [2, 2, 2, 2, 2, 2])
    """
    check_n_rows(len(raw), least=config.n_folds, what=f"{config.n_folds} folds (splits.n_folds)")
    if config.strategy != "chronological" and task != "regression":
        check_classes(target, least=config.n_folds, why=f"{config.n_folds} folds (splits.n_folds)")
    with warnings.catch_warnings():
        # Fewer groups of a class than folds is no reason to warn once more: check_training_classes decides.
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        folds = [_ascending(train, validation) for train, validation in _deal(raw, target, config, task, seed)]
    if task != "regression":
        check_training_classes(target, folds)
    return folds


def _ascending(train: npt.NDArray[Any], rest: npt.NDArray[Any]) -> Split:
    return np.sort(train).astype(np.intp), np.sort(rest).astype(np.intp)


def _deal(
    raw: pd.DataFrame, target: pd.Series[Any] | npt.NDArray[Any], config: SplitsConfig, task: Task, seed: int
) -> Iterator[Split]:
    if config.strategy == "chronological":
        yield from _chronological_folds(raw, config)
        return
    rows = np.empty(len(raw))
    groups = group_codes(raw, config.group_column, least=config.n_folds) if config.strategy == "grouped" else None
    codes = None if task == "regression" else class_codes(target)
    for repeat in range(config.n_repeats):
        splitter = _fold_splitter(config, task, (seed + repeat) % 2**32)
        yield from splitter.split(rows, codes, groups)


def _fold_splitter(config: SplitsConfig, task: Task, seed: int) -> Any:
    from sklearn import model_selection

    kind = {
        ("grouped", True): model_selection.StratifiedGroupKFold,
        ("grouped", False): model_selection.GroupKFold,
        ("stratified", True): model_selection.StratifiedKFold,
    }.get((config.strategy, task != "regression"), model_selection.KFold)
    return kind(n_splits=config.n_folds, shuffle=True, random_state=seed)


def _chronological_folds(raw: pd.DataFrame, config: SplitsConfig) -> Iterator[Split]:
    from sklearn.model_selection import TimeSeriesSplit

    times = time_codes(
        raw,
        config.time_column,
        least=config.n_folds + 1,
        why=f"{config.n_folds} folds (splits.n_folds), each after earlier rows",
    )
    for before, after in TimeSeriesSplit(n_splits=config.n_folds).split(np.arange(times.max() + 1)):
        yield np.flatnonzero(times <= before[-1]), np.flatnonzero((times >= after[0]) & (times <= after[-1]))
