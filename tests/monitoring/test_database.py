"""Rows inserted by the ways that databases differ in."""

import datetime as dt

import pytest
import sqlalchemy as sa

from ml_project.monitoring import database
from ml_project.monitoring.address import explain, parse_url
from ml_project.monitoring.database import Database
from ml_project.monitoring.rows import LabelRow, to_prediction_rows
from ml_project.monitoring.tables import labels_table, predictions_table
from tests.monitoring.batches import make_batch, stored_ids


def rows_of(ids):
    return to_prediction_rows(make_batch(ids, created_at=1.5), 0, len(ids))


def test_write_again_with_others_adds_only_those(any_url):
    opened = Database(any_url, durable=False, timeout_seconds=5)
    opened.write([*rows_of(["a", "b"]), LabelRow("1", "a", "1", dt.datetime.now(dt.UTC))])
    opened.write([*rows_of(["b", "c"]), LabelRow("1", "a", "1", dt.datetime.now(dt.UTC))])
    opened.close()
    assert stored_ids(any_url) == ["a", "b", "c"]


def test_write_to_a_database_without_a_way_of_its_own_looks_for_what_is_there(any_url, monkeypatch):
    monkeypatch.setattr(database, "INSERTS", {})
    test_write_again_with_others_adds_only_those(any_url)


def test_write_times_are_those_that_sqlalchemy_reads(any_url):
    opened = Database(any_url, durable=False, timeout_seconds=5)
    opened.write(rows_of(["a"]))
    opened.close()
    with sa.create_engine(any_url, poolclass=sa.pool.NullPool).connect() as connection:
        created_at = connection.scalar(sa.select(predictions_table().c.created_at))
    assert created_at.replace(tzinfo=dt.UTC) == dt.datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=dt.UTC)


@pytest.mark.parametrize(("durable", "expected"), [(False, 1), (True, 2)])
def test_open_sqlite_durable_decides_what_a_commit_waits_for(sqlite_url, durable, expected):
    opened = Database(sqlite_url, durable=durable, timeout_seconds=5)
    read = opened._connection.exec_driver_sql
    assert read("PRAGMA synchronous").scalar() == expected
    assert read("PRAGMA journal_mode").scalar() == "wal"
    opened.close()


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        ("mysql", "label LONGTEXT NOT NULL, received_at DATETIME(6) NOT NULL"),
        ("mariadb", "label LONGTEXT NOT NULL, received_at DATETIME(6) NOT NULL"),
        ("oracle", "label CLOB NOT NULL, received_at TIMESTAMP WITH TIME ZONE NOT NULL"),
        ("mssql", "label NTEXT NOT NULL, received_at DATETIMEOFFSET NOT NULL"),
    ],
)
def test_tables_of_other_databases_have_types_for_long_texts_and_exact_times(dialect, expected):
    made = sa.schema.CreateTable(labels_table()).compile(dialect=sa.create_mock_engine(f"{dialect}://", None).dialect)
    assert expected in " ".join(str(made).split())


@pytest.mark.parametrize("url", ["", "output/predictions.db", "postgresql://me:p@ss:word@/x:y:z"])
def test_parse_url_that_is_none_is_refused_without_its_password(url):
    with pytest.raises(Exception, match="is no SQLAlchemy URL") as caught:
        parse_url(url)
    assert "p@ss" not in str(caught.value)


def test_explain_shows_the_first_line_without_rows_and_password():
    error = ValueError("refused for me:secret-word\nDETAIL: Failing row contains (Ann, 30)")
    assert explain(error, "postgresql://me:secret-word@host/db") == "ValueError: refused for me:***"
