"""All features of a model in one scikit-learn transformer: raw columns as they are, and feature processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ml_project.data.columns import Columns, FeatureKind, to_columns
from ml_project.data.raw_schema import NUMERIC_KINDS, RawSchema
from ml_project.errors import FeatureError, Problem
from ml_project.feature_engineering.declaration import check_declaration
from ml_project.feature_engineering.engineered import check_result, engineered_frame
from ml_project.feature_engineering.fingerprint import source_fingerprint
from ml_project.feature_engineering.process import FeatureProcess, State, fit_state
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
    states_ : dict
        What each process learned in :meth:`fit`, by its name.

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
        raw: dict[str, FeatureKind] = {
            column: "number" if self.schema.rule(column).kind in NUMERIC_KINDS else "category"
            for column in self.columns
        }
        return raw | {process.name: process.kind for process in self.processes}

    @property
    def required_columns(self) -> tuple[str, ...]:
        """Return the raw columns that are needed, in the order of the schema."""
        needed = set(self.columns).union(*(process.inputs for process in self.processes))
        return tuple(name for name in self.schema.names if name in needed)

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
        self.states_ = {
            process.name: fit_state(process, {name: columns[name] for name in process.inputs})
            for process in self.processes
        }
        return self

    def transform(self, raw: pd.DataFrame) -> pd.DataFrame:
        """Return the engineered data of shape ``(n_rows, n_features)``, with the index of ``raw``.

        Raises
        ------
        FeatureError
            When a column is missing or a process returns something unusable.
        """
        check_is_fitted(self)
        engineered = self.compute(self._to_columns(raw))
        return engineered_frame(engineered, self.kinds, index=raw.index)

    def compute(self, columns: Columns) -> dict[str, npt.NDArray[Any]]:
        """Return the engineered columns by name, without pandas: the path of single records.

        Parameters
        ----------
        columns
            At least the required columns, arrays of shape ``(n_rows,)``.
        """
        try:
            engineered = {name: columns[name] for name in self.columns}
            for process in self.processes:
                result = _computed(process, columns, self.states_[process.name])
                check_result(process, result, columns)
                engineered[process.name] = result
        except KeyError as error:
            raise FeatureError(
                f"column {error.args[0]!r} is needed by a feature but is not among the columns "
                f"{', '.join(columns)}; a process must declare every column it reads in inputs"
            ) from error
        return engineered

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the names of the engineered columns, as scikit-learn asks for them."""
        return np.array(list(self.kinds), dtype=object)

    def to_state(self) -> dict[str, Any]:
        """Return everything that :meth:`from_state` needs beside code and schema, as JSON can hold it."""
        processes = [
            {"name": process.name, "fingerprint": source_fingerprint(process), "state": self.states_[process.name]}
            for process in self.processes
        ]
        return {"columns": list(self.columns), "target": self.target, "processes": processes}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], processes: Sequence[FeatureProcess], schema: RawSchema) -> Self:
        """Return the fitted object that :meth:`to_state` described.

        Parameters
        ----------
        state
            What :meth:`to_state` returned, also after a round trip through JSON.
        processes
            The project's processes; those not named in the state are left out.
        schema
            The raw data's schema at training.

        Raises
        ------
        FeatureError
            When a process is missing, or its code is not that of the training.
        """
        by_name = {process.name: process for process in processes}
        problems = []
        for entry in state["processes"]:
            if entry["name"] not in by_name:
                problems.append(Problem(f"is gone{suggest(entry['name'], by_name)}", entry["name"]))
            elif source_fingerprint(by_name[entry["name"]]) != entry["fingerprint"]:
                problems.append(Problem("its code or parameters have changed", entry["name"]))
        if problems:
            raise FeatureError("the feature processes are not those of the training; train again:", problems)
        chosen = tuple(by_name[entry["name"]] for entry in state["processes"])
        features = cls(chosen, schema, tuple(state["columns"]), state["target"])
        check_declaration(features.processes, schema, features.columns, features.target)
        features.states_ = {entry["name"]: entry["state"] for entry in state["processes"]}
        return features

    def _to_columns(self, raw: pd.DataFrame) -> dict[str, npt.NDArray[Any]]:
        required = self.required_columns
        absent = [name for name in required if name not in raw.columns]
        if absent:
            known = [str(column) for column in raw.columns]
            problems = [Problem(f"is not among the raw columns{suggest(name, known)}", name) for name in absent]
            raise FeatureError("columns that the features need are missing:", problems)
        return to_columns(raw, self.schema.select(required))


def _computed(process: FeatureProcess, columns: Columns, state: State) -> npt.NDArray[Any]:
    try:
        return process.compute(columns, state)
    except (FeatureError, KeyError):
        raise
    except Exception as error:
        raise FeatureError(f"feature {process.name!r} raised {type(error).__name__}: {error}; correct it") from error
