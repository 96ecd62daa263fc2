"""What of a pandera model becomes a rule, and what is refused."""

import datetime as dt
import json

import pandas as pd
import pandera.pandas as pa
import pytest
from pandera.typing.pandas import Series

from ml_project.data.raw_schema import BatchExpectations, ColumnRule, RawSchema
from ml_project.data.schema_reader import read_schema
from ml_project.errors import ConfigError
from tests.example.schema import RawData


def test_read_schema_of_project_keeps_order_and_survives_json():
    schema = read_schema(RawData)

    assert schema.names[:3] == ("passenger_id", "survived", "pclass")
    assert schema.rule("survived").allowed == (0, 1)
    assert schema.rule("sex").kind == "category"
    assert schema.rule("age").expectations == BatchExpectations(max_missing_rate=0.4, mean_between=(20, 45))
    assert RawSchema.model_validate(json.loads(schema.model_dump_json())) == schema


def test_read_schema_every_type_and_check_becomes_rule():
    class Model(pa.DataFrameModel):
        whole: Series[pd.Int64Dtype] = pa.Field(
            nullable=True, in_range={"min_value": 0, "max_value": 3, "include_min": False}
        )
        flag: Series[pd.BooleanDtype] = pa.Field(nullable=True, eq=True)
        size: Series[pd.Float64Dtype] = pa.Field(gt=0.5, lt=2, isin=[1, 1.5])
        since: Series[pd.Timestamp] = pa.Field(gt=pd.Timestamp("2020-01-01"), le=pd.Timestamp("2021-01-01", tz="UTC"))
        code: Series[str] = pa.Field(
            alias="the code", unique=True, str_matches=r"A\d", str_length={"exact_value": 2}, metadata={"example": "A1"}
        )
        group: Series[pd.CategoricalDtype] = pa.Field(dtype_kwargs={"categories": ["x", "y"]}, description="Group.")

    assert read_schema(Model).columns == (
        ColumnRule(name="whole", kind="integer", nullable=True, exclusive_minimum=0, maximum=3),
        ColumnRule(name="flag", kind="boolean", nullable=True, allowed=(True,)),
        ColumnRule(name="size", kind="number", exclusive_minimum=0.5, exclusive_maximum=2, allowed=(1.0, 1.5)),
        ColumnRule(
            name="since",
            kind="datetime",
            earliest=dt.datetime(2020, 1, 1, 0, 0, 0, 1),
            latest=dt.datetime(2021, 1, 1),
        ),
        ColumnRule(
            name="the code", kind="text", unique=True, pattern=r"A\d", min_length=2, max_length=2, example="A1"
        ),
        ColumnRule(name="group", kind="category", allowed=("x", "y"), description="Group."),
    )


def test_read_schema_unsupported_parts_are_refused_together():
    class Model(pa.DataFrameModel):
        custom: Series[int]
        forbidden: Series[str] = pa.Field(notin=["a"])
        unsigned: Series[pd.UInt8Dtype]
        open_groups: Series[pd.CategoricalDtype]
        bounded_text: Series[str] = pa.Field(ge="a")
        wrong_member: Series[int] = pa.Field(isin=["1"])
        infinite: Series[float] = pa.Field(le=float("inf"))
        misspelt: Series[float] = pa.Field(metadata={"expectations": {"max_missing": 0.1}})
        foreign: Series[float] = pa.Field(metadata={"expectation": {}})
        nothing_left: Series[int] = pa.Field(eq=3, isin=[1, 2])
        warned: Series[int] = pa.Field(ge=0, raise_warning=True)

        @pa.check("custom")
        def is_even(cls, column):  # noqa: N805
            return column % 2 == 0

        @pa.dataframe_check
        def adds_up(cls, frame):  # noqa: N805
            return True

    with pytest.raises(ConfigError, match="parts that cannot be used") as caught:
        read_schema(Model)

    found = {problem.field: problem.problem for problem in caught.value.problems}
    assert set(found) == {None, *Model.to_schema().columns}
    assert "check 'is_even' cannot be made on single records; use ge" in found["custom"]
    assert "'notin'" in found["forbidden"]
    assert "whole frame" in found[None]
    assert "isin" in found["open_groups"]
    assert "max_missing_rate" in found["misspelt"]
    assert "'expectations' and 'example'" in found["foreign"]


def test_read_schema_type_unknown_to_pandera_is_refused():
    class Model(pa.DataFrameModel):
        code: Series["no_such_type"]  # noqa: F821

    with pytest.raises(ConfigError, match=r"no valid pandera model: .*no_such_type"):
        read_schema(Model)


def test_read_schema_without_columns_is_refused():
    class Model(pa.DataFrameModel):
        pass

    with pytest.raises(ConfigError, match="declares no column"):
        read_schema(Model)
