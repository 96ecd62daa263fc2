"""The flat list of the config's fields."""

import pytest

from ml_project.config_fields import config_fields


def test_every_field_has_a_one_line_description():
    assert [name for name, field in config_fields().items() if len(field.description) < 10] == []


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("splits.n_folds", "whole number >= 2"),
        ("splits.holdout_share", "number > 0 and < 1"),
        ("preprocessing.encoding.max_categories", "whole number >= 2 or null"),
        ("data.format", "auto | csv | parquet | sql"),
        ("features.columns", "list, separated by commas"),
        ("artifacts.path", "path"),
    ],
)
def test_allowed_says_type_and_range(name, allowed):
    assert config_fields()[name].allowed == allowed


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("features.columns", "a, b,,c", ["a", "b", "c"]),
        ("features.columns", "[a, b]", ["a", "b"]),
        ("preprocessing.scaling", "null", None),
        ("preprocessing.outlier_removal", "null", None),
        ("preprocessing.outlier_removal", "{method: elliptic_envelope}", {"method": "elliptic_envelope"}),
        ("data.positive_class", "1", 1),
        ("data.positive_class", "yes please", "yes please"),
        ("data.storage_options", '{"anon": true}', {"anon": True}),
        ("data.source", "none.csv", "none.csv"),
    ],
)
def test_parse_reads_text(name, text, value):
    assert config_fields()[name].parse(text) == value
