"""Single records are checked with every problem named, and described as JSON Schema."""

import subprocess
import sys
import types

import jsonschema
import pandas as pd
import pytest

from ml_project.data.columns import to_columns
from ml_project.data.raw_schema import ColumnRule, RawSchema
from ml_project.errors import InvalidDataError
from ml_project.validation.records import RecordColumns, RecordValidator

from .conftest import EVERY_KIND, MISSING_VALUES


@pytest.fixture(scope="module")
def validator(titanic_schema):
    return RecordValidator(titanic_schema, missing_values=MISSING_VALUES)


@pytest.fixture(scope="module")
def passenger(validator):
    return validator.example()


def problems_of(validator, *records):
    with pytest.raises(InvalidDataError, match="does not fit") as caught:
        validator.validate_many(records)
    return [(problem.row, problem.field, problem.problem) for problem in caught.value.problems]


def test_validator_all_problems_of_all_records_are_reported(validator, passenger):
    bad = passenger | {"pclass": 7, "age": -4, "sibsp": 1.5, "sex": None, "name": ""}

    assert problems_of(validator, passenger, bad, 3) == [
        (1, "pclass", "must be one of 1, 2, 3"),
        (1, "name", "is required"),
        (1, "sex", "is required"),
        (1, "age", "must be at least 0"),
        (1, "sibsp", "is not a whole number"),
        (2, None, "is not a JSON object with one value per field"),
    ]


def test_validator_absent_nullable_is_missing_and_unknown_is_ignored(validator, passenger):
    record = {name: value for name, value in passenger.items() if name != "cabin"}

    assert validator.validate(record)["cabin"] is None
    assert validator.validate(record | {"colour": "red"})["cabin"] is None
    assert list(validator.validate(record)) == list(passenger)


def test_validator_absent_required_and_misspelt_are_problems(validator, passenger):
    renamed = {{"cabin": "Cabin ", "sex": "gender"}.get(name, name): value for name, value in passenger.items()}

    assert problems_of(validator, renamed) == [
        (0, "sex", "is required"),
        (0, "cabin", "is absent; did you mean the field 'Cabin '? Rename it"),
    ]


def test_validator_mapping_that_is_no_dict_is_accepted(validator, passenger):
    assert validator.validate(types.MappingProxyType(passenger)) == validator.validate(passenger)


def test_validator_does_not_change_the_record(validator, passenger):
    record = passenger | {"age": " 29 "}
    validator.validate(record)
    assert record["age"] == " 29 "


def test_validator_titanic_rows_equal_the_frame(validator, titanic, titanic_schema):
    records = titanic.astype(object).where(titanic.notna(), None).to_dict("records")
    of_records = RecordColumns(titanic_schema)(validator.validate_many(records))
    for name, array in to_columns(titanic, titanic_schema).items():
        assert array.dtype == of_records[name].dtype
        pd.testing.assert_series_equal(pd.Series(array), pd.Series(of_records[name]))


def test_record_columns_one_record_has_the_bits_of_the_batch():
    records = [RecordValidator(EVERY_KIND, missing_values=MISSING_VALUES).example(), dict.fromkeys(EVERY_KIND.names)]
    to_arrays = RecordColumns(EVERY_KIND)
    batch = to_arrays(records)
    for row, record in enumerate(records):
        alone = to_arrays([record])
        assert set(alone) == set(batch)
        for name, array in alone.items():
            assert array.shape == (1,)
            assert array.dtype == batch[name].dtype
            pd.testing.assert_series_equal(pd.Series(array), pd.Series(batch[name][row : row + 1]))


def test_record_columns_no_records_gives_empty_arrays():
    assert {array.shape for array in RecordColumns(EVERY_KIND)([]).values()} == {(0,)}


@pytest.mark.parametrize("schema", ["titanic_schema", EVERY_KIND], ids=["titanic", "every kind"])
def test_json_schema_is_valid_and_its_example_fits_both(schema, request):
    schema = request.getfixturevalue(schema) if isinstance(schema, str) else schema
    validator = RecordValidator(schema, missing_values=MISSING_VALUES)
    described = validator.json_schema()

    jsonschema.Draft202012Validator.check_schema(described)
    jsonschema.Draft202012Validator(described).validate(described["examples"][0])
    validator.validate(described["examples"][0])


def test_json_schema_states_rules(validator):
    described = validator.json_schema()

    assert described["properties"]["age"] == {
        "type": ["number", "null"],
        "description": "Age in years.",
        "minimum": 0,
        "maximum": 120,
    }
    assert described["properties"]["embarked"]["enum"] == ["C", "Q", "S", None]
    assert "cabin" not in described["required"]


def test_example_of_pattern_comes_from_schema():
    rule = ColumnRule(name="plate", kind="text", pattern=r"[A-Z]{2}-\d{4}$", example="UL-1234")
    assert RecordValidator(RawSchema(columns=(rule,)), missing_values=()).example() == {"plate": "UL-1234"}


def test_records_module_needs_no_pandas():
    code = "import sys, ml_project.validation.records; assert not {'pandas', 'pandera', 'sklearn'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
