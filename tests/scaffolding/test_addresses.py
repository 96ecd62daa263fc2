"""Tests of scaffolding.addresses: no secret reaches a file or the terminal."""

import pytest

from ml_project.config import DataConfig
from ml_project.errors import ConfigError
from scaffolding.addresses import refuse_secrets, without_secrets
from scaffolding.command_line import main
from scaffolding.writing.config_source import data_fields

ODBC = "mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BUID%3Dme%3BPWD%3DS3cret"
ADDRESSES = (
    "postgresql://me:S3cret@127.0.0.1:1/crm",
    "postgresql://127.0.0.1:1/crm?user=me&pass=S3cret",
    "postgres://127.0.0.1:1/crm?PassPhrase=S3cret&sslmode=require",
    "mysql+pymysql://me@127.0.0.1:1/crm?ssl_key_data=S3cret",
    "sqlite+pysqlcipher://:S3cret@/crm.db?cipher=S3cret",
    "s3://me:S3cret@bucket/crm.csv",
    "s3://bucket/crm.parquet?X-Amz-Signature=S3cret",
    "gs://S3cret@bucket/crm.csv",
    "https://me:S3cret@host.example/crm.csv",
    "https://host.example/crm.csv?sig=S3cret",
)


@pytest.mark.parametrize("address", ADDRESSES)
def test_without_secrets_address_that_is_written_down_holds_none(address):
    config = DataConfig(source=address, target_column="y")

    assert "S3cret" not in without_secrets(address)
    assert "S3cret" not in str(data_fields(config))


@pytest.mark.parametrize(
    "address",
    [
        "data/a?b=c@d.csv",
        "s3://bucket/folder/crm.csv",
        "s3://bucket/crm.csv?versionId=3",
        "sqlite:///crm.db?mode=ro&uri=true",
        "postgresql://me@host:5432/crm?sslmode=require",
        "mssql+pyodbc://me@host/crm?driver=ODBC+Driver+18+for+SQL+Server",
    ],
)
def test_without_secrets_address_without_any_stays_as_it_is(address):
    assert without_secrets(address) == address
    refuse_secrets(address)


def test_refuse_secrets_address_that_only_works_with_them_is_refused():
    with pytest.raises(ConfigError, match=r"write it as mssql\+pyodbc://user:password@host"):
        refuse_secrets(ODBC)
    with pytest.raises(ConfigError, match=r"'s3://bucket/crm\.csv' is given with credentials.*AWS_ACCESS_KEY_ID"):
        refuse_secrets("s3://me:S3cret@bucket/crm.csv")


@pytest.mark.parametrize("address", [*ADDRESSES, ODBC])
@pytest.mark.parametrize("what", ["make", "refresh"])
def test_main_address_with_a_secret_is_never_shown(address, what, tmp_path, capsys):
    making = ["--name", "crm", "--target", "y", "--dest", str(tmp_path / "new")]
    options = ["--data", address, *(making if what == "make" else ["--refresh"])]
    tables = ["--table", "people"] if address.partition(":")[0] not in ("s3", "gs", "https") else []

    assert main([*options, *tables]) == 2
    said = "".join(capsys.readouterr())
    assert "S3cret" not in said
    assert "unexpected" not in said
