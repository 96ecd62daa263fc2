"""Raw data as arrays by column name."""

import numpy as np
import pandas as pd

from ml_project.data.columns import to_array, to_columns
from ml_project.data.raw_schema import ColumnRule, RawSchema


def test_to_array_numeric_kinds_become_floats():
    assert to_array(pd.Series([1, 2]), "integer").tolist() == [1.0, 2.0]
    booleans = to_array(pd.Series([True, None], dtype="boolean"), "boolean")
    assert booleans.dtype == np.float64
    assert booleans[0] == 1.0
    assert np.isnan(booleans[1])


def test_to_array_texts_have_none_for_missing():
    assert to_array(pd.Series(["a", None], dtype="str"), "category").tolist() == ["a", None]


def test_to_array_moments_keep_microseconds():
    moments = to_array(pd.Series([pd.Timestamp("2024-05-17"), pd.NaT], dtype="datetime64[us]"), "datetime")
    assert moments.dtype == np.dtype("datetime64[us]")
    assert np.isnat(moments[1])


def test_to_columns_takes_schema_columns_of_empty_frame():
    schema = RawSchema(columns=(ColumnRule(name="a", kind="number"),))
    columns = to_columns(pd.DataFrame({"b": [], "a": np.empty(0)}), schema)
    assert list(columns) == ["a"]
    assert columns["a"].shape == (0,)
