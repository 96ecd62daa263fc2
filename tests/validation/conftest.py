"""A schema with a column of every kind, and the Titanic data."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from ml_project.config import DataConfig
from ml_project.data.raw_schema import ColumnRule, RawSchema
from ml_project.data.retrieval import read_historic
from ml_project.data.schema_reader import read_schema
from tests.example.schema import RawData
from tests.workspace import TITANIC

MISSING_VALUES = DataConfig(source="x.csv", target_column="y").missing_values

EVERY_KIND = RawSchema(
    columns=(
        ColumnRule(name="whole", kind="integer", minimum=-2, exclusive_maximum=1000),
        ColumnRule(name="whole_or_none", kind="integer", nullable=True),
        ColumnRule(name="level", kind="integer", allowed=(0, 1, 3), maximum=2),
        ColumnRule(name="size", kind="number", exclusive_minimum=-1.5, maximum=1e6),
        ColumnRule(name="size_or_none", kind="number", nullable=True),
        ColumnRule(name="step", kind="number", allowed=(0.5, 3.0), nullable=True),
        ColumnRule(name="flag", kind="boolean"),
        ColumnRule(name="flag_or_none", kind="boolean", nullable=True),
        ColumnRule(name="only_true", kind="boolean", allowed=(True,), nullable=True),
        ColumnRule(name="group", kind="category", allowed=("a", "NA", "12")),
        ColumnRule(name="group_or_none", kind="category", allowed=("a", " b"), nullable=True),
        ColumnRule(name="word", kind="text", min_length=1, max_length=6),
        ColumnRule(name="code_or_none", kind="text", pattern=r"[a-z\d]+", nullable=True),
        ColumnRule(name="moment", kind="datetime", earliest=dt.datetime(2000, 1, 1)),
        ColumnRule(name="moment_or_none", kind="datetime", nullable=True),
    )
)


@pytest.fixture(scope="session")
def titanic_schema() -> RawSchema:
    return read_schema(RawData)


@pytest.fixture(scope="session")
def titanic(titanic_schema: RawSchema) -> pd.DataFrame:
    return read_historic(DataConfig(source=str(TITANIC), target_column="survived"), titanic_schema)
