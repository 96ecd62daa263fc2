"""Fitted features on arrays alone: what a server computes, without pandas and scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy.typing as npt

from ml_project.data.columns import Columns, FeatureKind
from ml_project.data.raw_schema import NUMERIC_KINDS, RawSchema
from ml_project.errors import FeatureError, Problem
from ml_project.feature_engineering.declaration import check_declaration
from ml_project.feature_engineering.engineered import ResultCheck
from ml_project.feature_engineering.fingerprint import source_fingerprint
from ml_project.feature_engineering.process import FeatureProcess, State
from ml_project.suggestions import suggest


class FittedFeatures:
    """Computes engineered columns of raw ones, with what the processes learned in training.

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
    states
        What each process learned, by its name.

    Attributes
    ----------
    kinds : dict
        Kind of each engineered column, in order.
    required_columns : tuple of str
        Raw columns that are needed, in the order of the schema.

    Examples
    --------
    >>> import numpy as np
    >>> from ml_project.data.raw_schema import ColumnRule
    >>> from ml_project.feature_engineering.ready_made import Sum
    >>> schema = RawSchema(columns=(ColumnRule(name="sibsp", kind="integer"), ColumnRule(name="parch", kind="integer")))
    >>> relatives = Sum("relatives", columns=("sibsp", "parch"))
    >>> features = FittedFeatures((relatives,), schema, ("parch",), None, {"relatives": {}})
    >>> features.compute({"sibsp": np.array([1.0]), "parch": np.array([2.0])})
    {'parch': array([2.]), 'relatives': array([3.])}
    """

    def __init__(
        self,
        processes: Sequence[FeatureProcess],
        schema: RawSchema,
        columns: Sequence[str],
        target: str | None,
        states: Mapping[str, State],
    ) -> None:
        self.processes = tuple(processes)
        self.schema = schema
        self.columns = tuple(columns)
        self.target = target
        self.states = dict(states)
        self.kinds = kinds_of(self.processes, schema, self.columns)
        self.required_columns = required_columns_of(self.processes, schema, self.columns)
        self._steps = [(process, self.states[process.name], ResultCheck(process)) for process in self.processes]

    def compute(self, columns: Columns) -> dict[str, npt.NDArray[Any]]:
        """Return the engineered columns by name.

        Parameters
        ----------
        columns
            At least the required columns, arrays of shape ``(n_rows,)``.

        Raises
        ------
        FeatureError
            When a column is missing, or a process fails or returns something unusable.
        """
        try:
            engineered = {name: columns[name] for name in self.columns}
            for process, state, check in self._steps:
                try:
                    result = process.compute(columns, state)
                except (FeatureError, KeyError):
                    raise
                except Exception as error:
                    raise FeatureError(
                        f"feature {process.name!r} raised {type(error).__name__}: {error}; correct it"
                    ) from error
                check(result, columns)
                engineered[process.name] = result
        except KeyError as error:
            raise FeatureError(
                f"column {error.args[0]!r} is needed by a feature but is not among the columns "
                f"{', '.join(columns)}; a process must declare every column it reads in inputs"
            ) from error
        return engineered

    def to_state(self) -> dict[str, Any]:
        """Return everything that :meth:`from_state` needs beside code and schema, as JSON can hold it."""
        processes = [
            {"name": process.name, "fingerprint": source_fingerprint(process), "state": self.states[process.name]}
            for process in self.processes
        ]
        return {"columns": list(self.columns), "target": self.target, "processes": processes}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], processes: Sequence[FeatureProcess], schema: RawSchema) -> Self:
        """Return the object that :meth:`to_state` described.

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
        chosen = [by_name[entry["name"]] for entry in state["processes"]]
        check_declaration(chosen, schema, state["columns"], state["target"])
        states = {entry["name"]: entry["state"] for entry in state["processes"]}
        return cls(chosen, schema, state["columns"], state["target"], states)


def kinds_of(processes: Sequence[FeatureProcess], schema: RawSchema, columns: Sequence[str]) -> dict[str, FeatureKind]:
    """Return the kind of each engineered column, in order; parameters as in :class:`FittedFeatures`."""
    raw: dict[str, FeatureKind] = {
        column: "number" if schema.rule(column).kind in NUMERIC_KINDS else "category" for column in columns
    }
    return raw | {process.name: process.kind for process in processes}


def required_columns_of(
    processes: Sequence[FeatureProcess], schema: RawSchema, columns: Sequence[str]
) -> tuple[str, ...]:
    """Return the raw columns that are needed, in the order of the schema; parameters as in :class:`FittedFeatures`."""
    needed = set(columns).union(*(process.inputs for process in processes))
    return tuple(name for name in schema.names if name in needed)
