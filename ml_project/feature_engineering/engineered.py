"""Engineered data: what a process may return, and the frame that scikit-learn and ONNX both understand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ml_project.data.columns import MISSING_CATEGORY, Columns, FeatureKind
from ml_project.data.distinct import RepeatingTexts
from ml_project.errors import FeatureError
from ml_project.feature_engineering.process import FeatureProcess

if TYPE_CHECKING:
    import pandas as pd

_INFINITE = frozenset({math.inf, -math.inf})
_CATEGORY_TYPES = frozenset({str, type(None)})
_FEW_ROWS = 64
_ONE_ROW = (1,)


def engineered_frame(
    columns: Columns, kinds: Mapping[str, FeatureKind], index: pd.Index[Any] | None = None
) -> pd.DataFrame:
    """Return engineered columns as a frame.

    Parameters
    ----------
    columns
        Arrays of shape ``(n_rows,)`` by name.
    kinds
        Kind of each column wanted, in the order of the frame.
    index
        Index of the frame; by default 0 to ``n_rows - 1``.

    Returns
    -------
    pandas.DataFrame
        Frame of shape ``(n_rows, n_features)``: numbers ``float64`` with NaN for missing, categories ``object``
        holding ``str``, with :data:`MISSING_CATEGORY` (the empty text) for missing.

    Examples
    --------
    >>> deck = np.array(["C", None], dtype=object)
    >>> engineered_frame({"deck": deck}, {"deck": "category"})["deck"].tolist()
    ['C', '']
    """
    import pandas as pd

    series = {
        name: (
            pd.Series(fill_missing_categories(columns[name]), index=index, dtype=object)
            if kind == "category"
            else pd.Series(columns[name], index=index, dtype=np.float64, copy=True)
        )
        for name, kind in kinds.items()
    }
    return pd.DataFrame(series, index=index, columns=list(kinds))


def fill_missing_categories(values: npt.NDArray[Any]) -> npt.NDArray[np.object_]:
    """Return categories of shape ``(n_rows,)`` with :data:`MISSING_CATEGORY` in place of ``None``.

    Examples
    --------
    >>> fill_missing_categories(np.array(["C", None], dtype=object)).tolist()
    ['C', '']
    """
    filled = np.empty(len(values), dtype=object)
    filled[:] = [MISSING_CATEGORY if value is None else value for value in values.tolist()]
    return filled


class ResultCheck:
    """Refuses a process's result as :func:`check_result` does; for a single row in a fraction of the time.

    Parameters
    ----------
    process
        The process whose results are checked.
    """

    def __init__(self, process: FeatureProcess) -> None:
        self._process = process
        self._of_numbers = process.kind == "number"
        self._dtype = np.dtype(np.float64 if self._of_numbers else object)

    def __call__(self, result: Any, columns: Columns) -> None:
        """Refuse a wrong result; see :func:`check_result`."""
        if isinstance(result, np.ndarray) and result.dtype is self._dtype and result.shape == _ONE_ROW:
            value = result.item()
            usable = not math.isinf(value) if self._of_numbers else type(value) in _CATEGORY_TYPES
            if usable and len(columns[self._process.inputs[0]]) == 1:
                return
        check_result(self._process, result, columns)


def check_result(process: FeatureProcess, result: Any, columns: Columns) -> None:
    """Refuse a process's result of wrong type, length or with infinite values.

    Raises
    ------
    FeatureError
        Naming the process, what is wrong and the inputs of the first wrong row.
    """
    n_rows = len(columns[process.inputs[0]])
    dtype = np.dtype(np.float64 if process.kind == "number" else object)
    if not isinstance(result, np.ndarray) or result.dtype != dtype:
        found = result.dtype if isinstance(result, np.ndarray) else type(result).__name__
        raise FeatureError(
            f"feature {process.name!r} is a {process.kind} and must return a {dtype} array, but returned {found}"
        )
    if result.shape != (n_rows,):
        raise FeatureError(f"feature {process.name!r} must return shape ({n_rows},), but returned {result.shape}")
    if process.kind == "number":
        _check_finite(process, result, columns)
    elif not _CATEGORY_TYPES.issuperset(map(type, _distinct(result).tolist())):
        values = result.tolist()
        row = next(row for row, value in enumerate(values) if type(value) not in _CATEGORY_TYPES)
        raise FeatureError(
            f"feature {process.name!r} is a category and must return texts or None, but returned {values[row]!r} "
            f"for {_inputs_of(process, columns, row)}"
        )


def _distinct(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return at least every value that occurs, fewer times where the array knows that values repeat."""
    return values.distinct if isinstance(values, RepeatingTexts) and values.distinct is not None else values


def _check_finite(process: FeatureProcess, result: npt.NDArray[np.float64], columns: Columns) -> None:
    # On few rows a set is faster than numpy, which matters for single records.
    finite = _INFINITE.isdisjoint(result.tolist()) if len(result) <= _FEW_ROWS else not np.isinf(result).any()
    if finite:
        return
    row = int(np.flatnonzero(np.isinf(result))[0])
    raise FeatureError(
        f"feature {process.name!r} is {result[row]} for {_inputs_of(process, columns, row)}; "
        "return NaN (missing) where there is no finite result"
    )


def _inputs_of(process: FeatureProcess, columns: Columns, row: int) -> str:
    return ", ".join(f"{name} = {columns[name][row : row + 1].tolist()[0]!r}" for name in process.inputs)
