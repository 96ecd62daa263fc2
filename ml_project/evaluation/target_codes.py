"""True values of a target in the form that metrics need, refused with a clear reason where they are unusable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml_project.data.target import WHAT_TO_DO_WITHOUT_TARGET
from ml_project.errors import MAX_SAMPLES_PER_PROBLEM, Problem, TargetError


def encode_target(raw: pd.DataFrame, column: str, classes: Sequence[Any] | None) -> npt.NDArray[Any]:
    """Return the target of rows to evaluate: codes of known classes, or numbers.

    Parameters
    ----------
    raw
        Raw data of shape ``(n_rows, n_columns)`` with the target column.
    column
        Name of the target.
    classes
        Classes that the model knows, in the order of their codes; ``None`` in a regression.

    Returns
    -------
    numpy.ndarray
        Shape ``(n_rows,)``, ``int64`` codes or ``float64`` numbers.

    Raises
    ------
    TargetError
        When there is no row, the target is missing, or it has a value that the model does not know.

    Examples
    --------
    >>> encode_target(pd.DataFrame({"churn": ["yes", "no"]}), "churn", ("no", "yes")).tolist()
    [1, 0]
    """
    if column not in raw.columns:
        raise TargetError(f"The target column {column!r} is not in the data, so nothing can be evaluated; add it.")
    if len(raw) == 0:
        raise TargetError(f"There are no rows to evaluate the target {column!r} with; give at least one.")
    values = raw[column]
    _refuse(values.isna().to_numpy(), values, WHAT_TO_DO_WITHOUT_TARGET)
    if classes is None:
        if not pd.api.types.is_numeric_dtype(values):
            found = f"{values.dtype} such as {values.iloc[0]!r}"
            raise TargetError(f"The target {column!r} must be a number, but holds {found}.")
        return values.to_numpy(dtype=np.float64)
    codes = {value: code for code, value in enumerate(classes)}
    unknown = np.array([value not in codes for value in values.tolist()])
    known = ", ".join(map(repr, classes))
    _refuse(unknown, values, f"the class is unknown to the model, which knows {known}; train again or drop the row")
    return np.array([codes[value] for value in values.tolist()], dtype=np.int64)


def _refuse(wrong: npt.NDArray[np.bool_], values: pd.Series[Any], problem: str) -> None:
    rows = np.flatnonzero(wrong)
    if not len(rows):
        return
    samples = [
        Problem(problem, str(values.name), int(row), None if pd.isna(values.iloc[row]) else values.iloc[row])
        for row in rows[:MAX_SAMPLES_PER_PROBLEM]
    ]
    raise TargetError(f"The target {values.name!r} is unusable in {len(rows)} of {len(values)} rows.", samples)
