"""Permutation importance: what the ranking metric loses without one feature, for every kind of model."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml_project.config import Task
from ml_project.data.columns import Columns
from ml_project.evaluation.model_rows import Compute, choose_rows, show_progress
from ml_project.evaluation.scorers import Scorer, score_outputs

_N_REPEATS = 5
_MOST_PERMUTED_ROWS = 2000


def permutation_importance(
    compute: Compute,
    engineered: Columns,
    y_true: npt.NDArray[Any],
    *,
    task: Task,
    scorer: Scorer,
    seed: int,
) -> pd.DataFrame | None:
    """Return how much of the score is lost when the values of one feature are dealt to other rows.

    At most 2,000 rows are used, five times per feature. (L. Breiman, Random Forests, 2001; in the form of
    A. Fisher et al., All Models are Wrong, but Many are Useful, 2019.)

    Parameters
    ----------
    compute
        The model, from engineered columns to outputs.
    engineered
        Engineered columns of shape ``(n_rows,)``; they are not changed.
    y_true
        Codes of classes, or numbers, of shape ``(n_rows,)``.
    task
        Kind of target.
    scorer
        What ranks the candidates.
    seed
        Start of the random sequence.

    Returns
    -------
    pandas.DataFrame or None
        Columns ``feature``, ``mean`` and ``std``; ``None`` where the rows do not define the score.
    """
    generator = np.random.default_rng(seed)
    rows = choose_rows(len(y_true), _MOST_PERMUTED_ROWS, generator)
    columns, truths = {name: values[rows] for name, values in engineered.items()}, y_true[rows]
    score = score_outputs(scorer, task, truths, compute(columns)) if len(rows) else float("nan")
    if not np.isfinite(score):
        return None
    losses = {
        name: [
            score - score_outputs(scorer, task, truths, compute(columns | {name: generator.permutation(columns[name])}))
            for _ in range(_N_REPEATS)
        ]
        for name in show_progress(list(columns), "Permutation importance")
    }
    frame = pd.DataFrame(
        {"feature": list(losses), "mean": np.mean(list(losses.values()), 1), "std": np.std(list(losses.values()), 1)}
    )
    return frame.sort_values("mean", ascending=False, kind="stable", ignore_index=True)
