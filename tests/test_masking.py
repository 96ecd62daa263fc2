"""Values without their secrets."""

from pathlib import Path

import pytest

from ml_project import masking


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql+psycopg://me:se/cret@db:5432/x", "postgresql+psycopg://***@db:5432/x"),
        ("https://token@host/path", "https://***@host/path"),
        ("https://host:8080/a?token=abc&b=1", "https://host:8080/a?token=***&b=1"),
        ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
        ("data/titanic.parquet", "data/titanic.parquet"),
        ("postgresql://anna:p%40w@host:5432/db", "postgresql://***@host:5432/db"),
        ("postgresql://host/db?user=anna&password=pw&ssl=on", "postgresql://host/db?user=anna&password=***&ssl=on"),
        ("two http://a:b@c and http://d:e@f", "two http://***@c and http://***@f"),
    ],
)
def test_mask_credentials_address_keeps_everything_else(text: str, expected: str) -> None:
    assert masking.mask_credentials(text) == expected


def test_mask_secrets_nested_values_masks_names_and_addresses_without_changing_the_input() -> None:
    values = {"a": {"password": "x", "aws_secret_access_key": "y", "region": "eu"}, "b": ["s3://k:v@h"], "p": Path("x")}
    masked = masking.mask_secrets(values)
    assert masked == {
        "a": {"password": "***", "aws_secret_access_key": "***", "region": "eu"},
        "b": ["s3://***@h"],
        "p": "x",
    }
    assert values["a"]["password"] == "x"


def test_mask_secrets_unset_secret_stays_unset() -> None:
    assert masking.mask_secrets({"token": None, "n": 1.5, "yes": True}) == {"token": None, "n": 1.5, "yes": True}
