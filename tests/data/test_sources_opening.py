from __future__ import annotations

import subprocess
import sys

import pytest

from ml_project.errors import ConfigError, DataSourceError


@pytest.mark.parametrize(
    ("source", "fields", "described"),
    [
        ("people.CSV", {}, "CSV file 'people.CSV'"),
        ("s3://bucket/people.tsv", {}, "CSV file 's3://bucket/people.tsv'"),
        ("gs://bucket/people.parquet", {}, "Parquet data 'gs://bucket/people.parquet'"),
        ("gs://bucket/people", {"format": "parquet"}, "Parquet data 'gs://bucket/people'"),
        ("sqlite:///people.db", {"table": "people"}, "table 'people' of sqlite:///people.db"),
        ("postgres://me:pw@host/db", {"query": "SELECT 1"}, r"query 'SELECT 1' of postgresql://me:\*\*\*@host/db"),
        ("mysql://host/db?password=pw", {"table": "t"}, r"table 't' of mysql://host/db\?password=\*\*\*"),
    ],
)
def test_open_source_address_decides_the_kind(opened, source, fields, described):
    with pytest.raises(AssertionError, match=described):
        raise AssertionError(opened(source, **fields).describe())


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("https://example.org/people.csv", "web address; download the file"),
        ("people.db", "write it as 'sqlite:///people.db'"),
        ("people", "'people' does not exist"),
    ],
)
def test_open_source_unusable_address_is_refused(opened, source, message):
    with pytest.raises(DataSourceError, match=message):
        opened(source)


def test_open_source_unknown_ending_lists_the_known(tmp_path, opened):
    (tmp_path / "people.xlsx").write_text("x")
    with pytest.raises(DataSourceError, match=r"ending '.xlsx'.*is unknown; known are .csv, .*data.format"):
        opened(tmp_path / "people.xlsx")


def test_open_source_table_of_a_file_or_none_of_a_database_is_refused(opened):
    with pytest.raises(ConfigError, match=r"data.table is set, but data.source is no database"):
        opened("people.csv", table="people")
    with pytest.raises(ConfigError, match=r"neither data.table nor data.query is set"):
        opened("sqlite:///people.db")


def test_open_source_import_does_not_load_databases_or_clouds():
    heavy = ("sqlalchemy", "fsspec", "boto3")
    code = f"import sys, ml_project.data.sources; sys.exit(any(name in sys.modules for name in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
