"""Raw data as arrays by column name: the form in which features are computed, for one row as for a million."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from ml_project.data.raw_schema import NUMERIC_KINDS, ColumnKind, RawSchema

if TYPE_CHECKING:
    import pandas as pd

FeatureKind = Literal["number", "category"]
"""What a feature is to a model."""

MISSING_CATEGORY = ""
"""A missing category in an engineered frame. A text, because ONNX has no missing texts, and because scikit-learn's
encoders sort categories, which texts and NaN together cannot be."""

Columns = Mapping[str, npt.NDArray[Any]]
"""Arrays of shape ``(n_rows,)`` by column name.

Integers, numbers and booleans are ``float64`` with NaN for missing; categories and texts are ``object`` holding ``str``
with ``None`` for missing; datetimes are ``datetime64[us]`` with NaT.
"""


def to_array(values: pd.Series[Any], kind: ColumnKind) -> npt.NDArray[Any]:
    """Return one raw column as an array.

    Parameters
    ----------
    values
        Raw column of shape ``(n_rows,)``.
    kind
        The column's kind in the raw schema.

    Returns
    -------
    numpy.ndarray
        Array of shape ``(n_rows,)`` in the form that :data:`Columns` describes.

    Examples
    --------
    >>> import pandas as pd
    >>> to_array(pd.Series(["a", None]), "text").tolist()
    ['a', None]
    """
    if kind in NUMERIC_KINDS:
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    if kind == "datetime":
        return values.to_numpy(dtype="datetime64[us]")
    texts = values.to_numpy(dtype=object, copy=True)
    texts[values.isna().to_numpy()] = None
    return texts


def to_columns(raw: pd.DataFrame, schema: RawSchema) -> dict[str, npt.NDArray[Any]]:
    """Return raw data as arrays by column name.

    Parameters
    ----------
    raw
        Raw data of shape ``(n_rows, n_columns)`` with at least the schema's columns; it is not changed.
    schema
        The columns wanted, with their kinds.
    """
    return {rule.name: to_array(raw[rule.name], rule.kind) for rule in schema.columns}
