"""Historic and production data end in the same raw data."""

import json

import pandas as pd
import pytest

from ml_project.config import CsvConfig, DataConfig
from ml_project.data.raw_schema import ColumnRule, RawSchema
from ml_project.data.retrieval import parse_records, read_historic, records_to_frame
from ml_project.data.schema_reader import read_schema
from ml_project.errors import InvalidDataError
from tests.example.schema import RawData
from tests.workspace import TITANIC

SCHEMA = read_schema(RawData)
PEOPLE = RawSchema(
    columns=(ColumnRule(name="age", kind="number", nullable=True), ColumnRule(name="city", kind="text", nullable=True))
)


def config_of(path, **fields):
    return DataConfig(source=str(path), target_column="survived", **fields)


@pytest.fixture(scope="module")
def titanic():
    return read_historic(config_of(TITANIC), SCHEMA)


def test_read_historic_csv_and_records_give_the_frame_of_parquet(titanic, tmp_path):
    stored = pd.read_parquet(TITANIC)
    stored.to_csv(tmp_path / "titanic.csv", index=False)
    stored.to_csv(tmp_path / "german.csv", index=False, sep=";", decimal=",")
    body = json.dumps(json.loads(stored.to_json(orient="records", double_precision=15)))
    german = config_of(tmp_path / "german.csv", csv=CsvConfig(delimiter=";", decimal=","))

    missing_values = config_of(TITANIC).missing_values
    assert len(titanic) == 1309
    pd.testing.assert_frame_equal(read_historic(config_of(tmp_path / "titanic.csv"), SCHEMA), titanic)
    pd.testing.assert_frame_equal(read_historic(german, SCHEMA), titanic)
    pd.testing.assert_frame_equal(records_to_frame(parse_records(body), SCHEMA, missing_values=missing_values), titanic)


def test_records_to_frame_absent_fields_are_missing():
    frame = records_to_frame({"age": "3"}, PEOPLE, missing_values=("",))

    pd.testing.assert_frame_equal(frame, pd.DataFrame({"age": [3.0], "city": pd.Series([None], dtype="str")}))
    assert records_to_frame([], PEOPLE, missing_values=("",)).dtypes.astype(str).tolist() == ["float64", "str"]


def test_records_to_frame_misspelt_field_or_no_record_is_refused():
    with pytest.raises(InvalidDataError, match="row 1, age: is absent; did you mean the field 'Age'"):
        records_to_frame([{"age": 1}, {"Age": 1}], PEOPLE, missing_values=())
    with pytest.raises(InvalidDataError, match=r"row 0.*: is not a JSON object"):
        records_to_frame([3], PEOPLE, missing_values=())


@pytest.mark.parametrize("body", ['{"age": 3}', b'[{"age": 3}]', b'\xef\xbb\xbf{"age": 3}'])
def test_parse_records_one_or_many_give_list(body):
    assert parse_records(body) == [{"age": 3}]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        (b"\xff\xfe\xfd", "not JSON"),
        ("1" * 5000, "not JSON"),
        ("3", "one record or a list"),
        ('"text"', "one record or a list"),
        ('[{"a": 1}, 2]', "row 1"),
        ('{"a": 1, "a": 2}', "a: the field is given twice"),
        ("[" * 200_000, "nested too deeply|not JSON"),
    ],
)
def test_parse_records_other_input_is_refused(body, message):
    with pytest.raises(InvalidDataError, match=message):
        parse_records(body)
