"""What the model relies on: importances of the engineered features, as the model sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import pandas as pd

from ml_project.data.columns import to_columns
from ml_project.evaluation.permutation import permutation_importance
from ml_project.evaluation.scorers import Scorer
from ml_project.evaluation.shapley import ShapValues, shap_values
from ml_project.prediction.pipeline import PredictionPipeline


@dataclass(frozen=True)
class Explanations:
    """Permutation and SHAP importances; ``None`` where the rows do not allow one.

    Attributes
    ----------
    permutation
        Columns ``feature``, ``mean`` and ``std`` (over repetitions) of the loss of score, most important first.
    shap
        SHAP values of some rows.
    """

    permutation: pd.DataFrame | None
    shap: ShapValues | None

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return ``permutation_importance`` and ``shap_importance``, those that there are."""
        tables = {} if self.permutation is None else {"permutation_importance": self.permutation}
        return tables if self.shap is None else {**tables, "shap_importance": self.shap.importance()}


def explain(
    pipeline: PredictionPipeline,
    raw: pd.DataFrame,
    y_true: npt.NDArray[Any],
    *,
    scorer: Scorer,
    n_rows: int,
    seed: int,
    background_raw: pd.DataFrame | None = None,
) -> Explanations:
    """Return the importances of a pipeline's features.

    Parameters
    ----------
    pipeline
        What predicts.
    raw
        Coerced raw data of the rows to explain.
    y_true
        Their targets: codes of classes, or numbers.
    scorer
        What ranks the candidates; permutation importance is its loss.
    n_rows
        Most rows that SHAP explains.
    seed
        Start of the random sequences.
    background_raw
        Rows that stand for a feature left out, training rows for instance; by default ``raw``.
    """
    around = raw if background_raw is None or background_raw.empty else background_raw
    engineered, background = (
        pipeline.features.compute(to_columns(frame, pipeline.input_schema)) for frame in (raw, around)
    )
    compute = pipeline.engine.compute
    permutation = permutation_importance(compute, engineered, y_true, task=pipeline.task, scorer=scorer, seed=seed)
    names = _output_names(pipeline)
    shap = shap_values(compute, engineered, outputs=names, n_rows=n_rows, seed=seed, background=background)
    return Explanations(permutation, shap)


def _output_names(pipeline: PredictionPipeline) -> tuple[str, ...]:
    if pipeline.classes is None:
        return (pipeline.target_column,)
    if pipeline.task == "binary":
        return (f"probability of {pipeline.target_column} = {pipeline.classes[1]}",)
    return tuple(str(value) for value in pipeline.classes)
