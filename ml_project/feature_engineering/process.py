"""One feature process: declared inputs, an optional fit on training data, one result per row.

A process is immutable and knows nothing of the rows it was fitted on: what it learned is its *state*, a mapping that
JSON can hold, kept by :class:`ml_project.feature_engineering.fitted_features.FittedFeatures`.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ml_project.data.columns import Columns, FeatureKind
from ml_project.errors import FeatureError

MissingRule = Literal["propagates", "never", "may"]
State = Mapping[str, Any]


class FeatureProcess(ABC):
    """Computes one feature from some raw columns, row by row.

    The same code runs for one row and for a million: arrays of shape ``(n_rows,)`` come in, as
    :data:`ml_project.data.columns.Columns` describes them, and one array of shape ``(n_rows,)`` goes out. For most
    features a plain function is enough, see :func:`ml_project.feature_engineering.row_function.row_feature`.

    Attributes
    ----------
    name
        Name of the feature, and of its column in the engineered data.
    inputs
        Raw columns that the process reads; it is given no others.
    kind
        ``"number"``: the result is ``float64`` with NaN for missing; ``"category"``: it is ``object`` holding ``str``
        with ``None`` for missing.
    missing
        ``"propagates"``: where any input is missing, the result is missing; ``"never"``: the result is never missing;
        ``"may"``: nothing is promised.

    Examples
    --------
    >>> class Doubled(FeatureProcess):
    ...     name, inputs, kind, missing = "doubled", ("age",), "number", "propagates"
    ...
    ...     def compute(self, columns, state):
    ...         return 2 * columns["age"]
    >>> Doubled().compute({"age": np.array([4.0, np.nan])}, {}).tolist()
    [8.0, nan]
    """

    name: str
    kind: FeatureKind
    missing: MissingRule

    @property
    @abstractmethod
    def inputs(self) -> tuple[str, ...]:
        """Return the names of the raw columns that the process reads."""

    def fit(self, columns: Columns) -> State:
        """Return what is learned from the training rows; nothing unless a process says otherwise.

        Parameters
        ----------
        columns
            The inputs of the training rows, arrays of shape ``(n_rows,)``.

        Returns
        -------
        Mapping
            The state, of values that JSON can hold.
        """
        return {}

    @abstractmethod
    def compute(self, columns: Columns, state: State) -> npt.NDArray[Any]:
        """Return the feature, each row from that row's inputs and the state alone.

        Parameters
        ----------
        columns
            At least the inputs, arrays of shape ``(n_rows,)``; they must not be changed.
        state
            What :meth:`fit` returned.

        Returns
        -------
        numpy.ndarray
            Array of shape ``(n_rows,)``.
        """

    def parameters(self) -> dict[str, Any]:
        """Return what distinguishes this process from others of its class, as plain values."""
        return dict(vars(self))


def is_missing(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return where a column is missing: NaN, NaT or ``None``.

    Parameters
    ----------
    values
        Column of shape ``(n_rows,)``.

    Examples
    --------
    >>> is_missing(np.array(["a", None], dtype=object)).tolist()
    [False, True]
    """
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind == "M":
        return np.isnat(values)
    return np.fromiter((value is None for value in values.tolist()), dtype=np.bool_, count=len(values))


def all_missing(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a column of the same shape and type in which every value is missing.

    Examples
    --------
    >>> all_missing(np.array([1.0, 2.0])).tolist()
    [nan, nan]
    """
    if values.dtype.kind == "M":
        return np.full(len(values), "NaT", dtype=values.dtype)
    return np.full(len(values), np.nan if values.dtype.kind == "f" else None, dtype=values.dtype)


def fit_state(process: FeatureProcess, columns: Columns) -> State:
    """Return what a process learns, as it is after a round trip through JSON, so that exporting changes no result.

    Raises
    ------
    FeatureError
        When JSON cannot hold it.
    """
    state = process.fit(columns)
    try:
        restored: State = json.loads(json.dumps(dict(state), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise FeatureError(
            f"the state that feature {process.name!r} learned cannot be written as JSON ({error}); "
            "return texts, finite numbers, None, lists and dicts only"
        ) from error
    return restored
