"""A small raw data set with every kind of column and missing values."""

import pandas as pd
import pytest

from ml_project.data.raw_schema import ColumnRule, RawSchema


@pytest.fixture
def schema() -> RawSchema:
    return RawSchema(
        columns=(
            ColumnRule(name="id", kind="integer"),
            ColumnRule(name="fare", kind="number", nullable=True),
            ColumnRule(name="sibsp", kind="integer"),
            ColumnRule(name="name", kind="text", nullable=True),
            ColumnRule(name="port", kind="category", nullable=True, allowed=("C", "S")),
            ColumnRule(name="born", kind="datetime", nullable=True),
            ColumnRule(name="survived", kind="integer"),
        )
    )


@pytest.fixture
def raw() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": [1, 2, 3, 4],
            "fare": [7.25, None, 0.0, 30.0],
            "sibsp": [1, 0, 2, 0],
            "name": pd.Series(["Ada", None, "Bo", "Cy"], dtype="str"),
            "port": pd.Series(["C", "S", None, "S"], dtype="str"),
            "born": pd.Series(["1890-01-31", None, "1900-02-28", "1912-04-15"], dtype="datetime64[us]"),
            "survived": [1, 0, 1, 0],
        }
    )
