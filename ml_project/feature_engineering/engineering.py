"""All features of a model in one scikit-learn transformer: raw columns as they are, and feature processes."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ml_project.data.columns import FeatureKind, to_columns
from ml_project.data.raw_schema import RawSchema
from ml_project.errors import FeatureError, Problem
from ml_project.feature_engineering.declaration import check_declaration
from ml_project.feature_engineering.engineered import engineered_frame
from ml_project.feature_engineering.fitted_features import FittedFeatures, kinds_of, required_columns_of
from ml_project.feature_engineering.process import FeatureProcess, fit_state
from ml_project.suggestions import suggest


class FeatureEngineering(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Turns raw data into engineered data; the only part of a pipeline that sees raw columns.

    Parameters
    ----------
    processes
        Feature processes, whose results follow the raw columns in their order.
    schema
        The raw data's schema; columns that no feature needs are ignored.
    columns
        Raw columns that are features as they are.
    target
        Name of the target, which no feature may read.

    Attributes
    ----------
    fitted_ : FittedFeatures
        The features with what each process learned in :meth:`fit`.

    Examples
    --------
    >>> from ml_project.data.raw_schema import ColumnRule
    >>> from ml_project.feature_engineering.ready_made import Sum
    >>> schema = RawSchema(columns=(ColumnRule(name="sibsp", kind="integer"), ColumnRule(name="parch", kind="integer")))
    >>> features = FeatureEngineering((Sum("relatives", columns=("sibsp", "parch")),), schema, columns=("parch",))
    >>> features.fit_transform(pd.DataFrame({"sibsp": [1, 0], "parch": [2, 0]}))
       parch  relatives
    0    2.0        3.0
    1    0.0        0.0
    """

    def __init__(
        self,
        processes: tuple[FeatureProcess, ...],
        schema: RawSchema,
        columns: tuple[str, ...] = (),
        target: str | None = None,
    ) -> None:
        self.processes = processes
        self.schema = schema
        self.columns = columns
        self.target = target

    @property
    def kinds(self) -> dict[str, FeatureKind]:
        """Return the kind of each engineered column, in order."""
        return kinds_of(self.processes, self.schema, self.columns)

    @property
    def required_columns(self) -> tuple[str, ...]:
        """Return the raw columns that are needed, in the order of the schema."""
        return required_columns_of(self.processes, self.schema, self.columns)

    def fit(self, raw: pd.DataFrame, y: Any = None) -> Self:
        """Let every process learn its state from the training rows.

        Parameters
        ----------
        raw
            Raw data of shape ``(n_rows, n_columns)``, coerced; it is not changed.
        y
            Ignored: no feature sees the target.

        Raises
        ------
        FeatureError
            When the declaration is wrong, a column is missing or a state cannot be written as JSON.
        """
        check_declaration(self.processes, self.schema, self.columns, self.target)
        columns = self._to_columns(raw)
        states = {
            process.name: fit_state(process, {name: columns[name] for name in process.inputs})
            for process in self.processes
        }
        self.fitted_ = FittedFeatures(self.processes, self.schema, self.columns, self.target, states)
        return self

    def transform(self, raw: pd.DataFrame) -> pd.DataFrame:
        """Return the engineered data of shape ``(n_rows, n_features)``, with the index of ``raw``.

        Raises
        ------
        FeatureError
            When a column is missing or a process returns something unusable.
        """
        check_is_fitted(self)
        engineered = self.fitted_.compute(self._to_columns(raw))
        return engineered_frame(engineered, self.fitted_.kinds, index=raw.index)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the names of the engineered columns, as scikit-learn asks for them."""
        return np.array(list(self.kinds), dtype=object)

    def _to_columns(self, raw: pd.DataFrame) -> dict[str, npt.NDArray[Any]]:
        required = self.required_columns
        absent = [name for name in required if name not in raw.columns]
        if absent:
            known = [str(column) for column in raw.columns]
            problems = [Problem(f"is not among the raw columns{suggest(name, known)}", name) for name in absent]
            raise FeatureError("columns that the features need are missing:", problems)
        return to_columns(raw, self.schema.select(required))
