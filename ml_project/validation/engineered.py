"""Check engineered data before it is learned from or predicted on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api import types

from ml_project.data.columns import MISSING_CATEGORY, FeatureKind
from ml_project.errors import FeatureError, Problem

if TYPE_CHECKING:
    from pandera.pandas import DataFrameSchema


def check_engineered(engineered: pd.DataFrame, kinds: Mapping[str, FeatureKind], *, training: bool = False) -> None:
    """Refuse engineered data that no model can use.

    Parameters
    ----------
    engineered
        Data of shape ``(n_rows, n_features)``: numbers as floats, finite or missing; categories as texts or missing.
    kinds
        The kind of each feature by name, in order.
    training
        Whether to also refuse features without any value, from which nothing can be learned.

    Raises
    ------
    FeatureError
        With every feature that is missing, repeated, of a wrong dtype, infinite or, in training, all missing.
    """
    problems = [*_column_problems(engineered, kinds)]
    if not problems:
        problems = _value_problems(engineered, kinds)
    if training and not problems:
        empty = [
            name for name in kinds if bool((engineered[name].isna() | (engineered[name] == MISSING_CATEGORY)).all())
        ]
        text = "all values are missing, so nothing can be learned from it; leave the feature out"
        problems = [Problem(text, name) for name in empty]
    if problems:
        raise FeatureError("The engineered data cannot be used.", problems)


def _column_problems(engineered: pd.DataFrame, kinds: Mapping[str, FeatureKind]) -> list[Problem]:
    found = [str(name) for name in engineered.columns]
    counts = Counter(found)
    repeated = [Problem(f"appears {count} times", name) for name, count in counts.items() if count > 1]
    missing = [Problem("the feature is missing", name) for name in kinds if name not in found]
    unknown = [Problem("the feature is not declared", name) for name in counts if name not in kinds]
    return [*repeated, *missing, *unknown]


def to_pandera(kinds: Mapping[str, FeatureKind]) -> DataFrameSchema:
    """Return the pandera schema of engineered data."""
    from pandera.pandas import Check, Column, DataFrameSchema

    number = [
        Check(lambda values: bool(types.is_float_dtype(values.dtype)), name="must be floats", error="must be floats"),
        Check(_is_finite, name="must be finite or missing", error="must be finite or missing"),
    ]
    category = [Check(_is_text, name="must be text or missing", error="must be text or missing")]
    checks = {"number": number, "category": category}
    return DataFrameSchema({name: Column(None, checks[kind], nullable=True) for name, kind in kinds.items()})


def _is_finite(values: pd.Series[Any]) -> pd.Series[bool]:
    finite = np.isfinite(values) if types.is_float_dtype(values.dtype) else np.ones(len(values), dtype=bool)
    return pd.Series(finite, index=values.index)


def _is_text(values: pd.Series[Any]) -> pd.Series[bool]:
    if isinstance(values.dtype, pd.StringDtype):
        return pd.Series(True, index=values.index)
    return values.map(lambda value: isinstance(value, str)).astype(bool)


def _value_problems(engineered: pd.DataFrame, kinds: Mapping[str, FeatureKind]) -> list[Problem]:
    from pandera.errors import SchemaErrors

    try:
        to_pandera(kinds).validate(engineered.reset_index(drop=True), lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases
        return [_describe(group) for _, group in cases.groupby(["column", "check"], sort=False)]
    return []


def _describe(group: pd.DataFrame) -> Problem:
    first = group.iloc[0]
    if pd.isna(first["index"]):
        return Problem(str(first["check"]), field=str(first["column"]))
    count = f" ({len(group)} rows in all)" if len(group) > 1 else ""
    text = f"{first['check']}{count}"
    return Problem(text, field=str(first["column"]), row=int(first["index"]), value=first["failure_case"])
