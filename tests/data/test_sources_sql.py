from __future__ import annotations

import builtins
import datetime as dt
import sqlite3
from contextlib import closing
from decimal import Decimal

import pandas as pd
import psycopg
import pytest

from ml_project.errors import DataSourceError

from .conftest import PASSWORD

N_ROWS = 10


@pytest.fixture
def sqlite_file(tmp_path):
    path = tmp_path / "people.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute('CREATE TABLE "People of 1912" (id INTEGER PRIMARY KEY, name TEXT, "Order" REAL)')
        rows = [(i, None if i % 3 else f"n{i}", i / 2) for i in reversed(range(N_ROWS))]
        connection.executemany('INSERT INTO "People of 1912" VALUES (?, ?, ?)', rows)
        connection.execute('CREATE VIEW some_people AS SELECT * FROM "People of 1912" WHERE id < 3')
        connection.execute("CREATE TABLE nobody (id INTEGER)")
        connection.commit()
    return path


@pytest.fixture(scope="session")
def postgres_tables(postgres_address):
    with psycopg.connect(postgres_address) as connection:
        connection.execute('CREATE SCHEMA "Sales 24"')
        columns = "id bigint PRIMARY KEY, price numeric, at timestamptz, paid boolean, note text"
        connection.execute(f'CREATE TABLE "Sales 24".orders ({columns})')
        values = "i, i / 4.0, '2024-01-01T00:00:00Z', i % 2 = 0, nullif('n' || i, 'n3')"
        connection.execute(f'INSERT INTO "Sales 24".orders SELECT {values} FROM generate_series(1000, 1, -1) AS i')
        connection.execute('CREATE TABLE "Mixed" (a int)')
        connection.execute("CREATE SEQUENCE numbers")
        connection.execute('INSERT INTO "Mixed" VALUES (1), (NULL)')
    return postgres_address


def test_read_sqlite_table_gives_the_drivers_values_in_key_order(sqlite_file, opened):
    frame = opened(f"sqlite:///{sqlite_file}", table="People of 1912").read()
    assert frame["id"].tolist() == list(range(N_ROWS))
    assert frame["name"].tolist()[:4] == ["n0", None, None, "n3"]
    assert list(frame.columns) == ["id", "name", "Order"]


def test_read_chunks_sqlite_any_size_gives_the_rows_of_read(sqlite_file, opened):
    source = opened(f"sqlite:///{sqlite_file}", table="People of 1912")
    chunks = list(source.read_chunks(4))
    assert [len(chunk) for chunk in chunks] == [4, 4, 2]
    pd.testing.assert_frame_equal(pd.concat(chunks, ignore_index=True), source.read())
    assert source.count_rows() == N_ROWS


def test_read_chunks_sqlite_skipped_rows_and_columns_left_out_gives_the_others(sqlite_file, opened):
    source = opened(f"sqlite:///{sqlite_file}", table="People of 1912")
    chunks = list(source.read_chunks(4, skip_rows=6, select=lambda names: names[:1]))
    assert [chunk.to_dict("list") for chunk in chunks] == [{"id": [6, 7]}, {"id": [8, 9]}]
    assert source.state() is None


def test_read_sqlite_view_and_query_work(sqlite_file, opened):
    assert len(opened(f"sqlite:///{sqlite_file}", table="some_people").read()) == 3
    query = "SELECT id, '10:30%' AS t FROM \"People of 1912\" WHERE name LIKE 'n%' ORDER BY id DESC;\n"
    source = opened(f"sqlite:///{sqlite_file}", query=query)
    assert source.read().to_dict("list") == {"id": [9, 6, 3, 0], "t": ["10:30%"] * 4}
    assert source.count_rows() is None


def test_read_sqlite_missing_file_is_named_and_not_created(sqlite_file, opened):
    with pytest.raises(DataSourceError, match=r"people.dbb' does not exist; did you mean 'people.db'"):
        opened(f"sqlite:///{sqlite_file}b", table="t").read()
    assert [path.name for path in sqlite_file.parent.iterdir()] == ["people.db"]


def test_read_sqlite_empty_or_other_file_is_refused(sqlite_file, opened):
    sqlite_file.write_bytes(b"")
    with pytest.raises(DataSourceError, match=r"empty"):
        opened(f"sqlite:///{sqlite_file}", table="t").read()
    sqlite_file.write_bytes(b"a,b\n1,2\n" * 100)
    with pytest.raises(DataSourceError, match=r"no SQLite file"):
        opened(f"sqlite:///{sqlite_file}", table="t").read()


def test_read_sqlite_locked_file_says_so_after_the_timeout(sqlite_file, opened):
    with closing(sqlite3.connect(sqlite_file)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DataSourceError, match=r"database is locked\); another program"):
            opened(f"sqlite:///{sqlite_file}?timeout=0.05", table="some_people").read()


def test_read_sqlite_unknown_table_lists_the_known(sqlite_file, opened):
    with pytest.raises(DataSourceError, match=r"did you mean 'some_people'.*People of 1912, nobody, some_people"):
        opened(f"sqlite:///{sqlite_file}", table="somepeople").read()


def test_read_sqlite_table_name_with_a_statement_runs_nothing(sqlite_file, opened):
    with pytest.raises(DataSourceError, match=r"There is no table"):
        opened(f"sqlite:///{sqlite_file}", table='nobody"; DROP TABLE nobody; --').read()


def test_read_sqlite_bad_or_writing_query_is_refused(sqlite_file, opened):
    address = f"sqlite:///{sqlite_file}"
    with pytest.raises(DataSourceError, match=r"no such column: nam.*check data.query"):
        opened(address, query="SELECT nam FROM some_people").read()
    with pytest.raises(DataSourceError, match=r"readonly database"):
        opened(address, query="DELETE FROM nobody").read()
    with pytest.raises(DataSourceError, match=r"must be a SELECT statement"):
        opened(address, query="BEGIN").read()
    with pytest.raises(DataSourceError, match=r"id: appears 2 times"):
        opened(address, query="SELECT a.id, b.id FROM some_people a, some_people b").read()


def test_read_sqlite_no_rows_is_refused(sqlite_file, opened):
    with pytest.raises(DataSourceError, match=r"table 'nobody' of sqlite.* has no rows"):
        opened(f"sqlite:///{sqlite_file}", table="nobody").read()


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgres"])
def test_read_postgres_table_of_a_schema_gives_typed_values(postgres_tables, opened, scheme):
    source = opened(postgres_tables.replace("postgresql", scheme, 1), table="Sales 24.orders")
    frame = source.read()
    assert frame["id"].tolist() == list(range(1, 1001))
    assert frame.loc[2].tolist() == [3, Decimal("0.75"), dt.datetime(2024, 1, 1, tzinfo=dt.UTC), False, None]
    assert source.count_rows() == 1000
    assert PASSWORD not in source.describe() + repr(source)


def test_read_chunks_postgres_streams_through_a_server_cursor(postgres_tables, opened):
    chunks = opened(postgres_tables, table="Sales 24.orders").read_chunks(300)
    next(chunks)
    with psycopg.connect(postgres_tables) as connection:
        fetching = connection.execute("SELECT query FROM pg_stat_activity WHERE query LIKE 'FETCH FORWARD%'").fetchall()
    assert len(fetching) == 1
    assert [len(chunk) for chunk in chunks] == [300, 300, 100]


def test_read_chunks_postgres_abandoned_closes_its_connection(postgres_tables, opened):
    chunks = opened(postgres_tables, table="Sales 24.orders").read_chunks(300)
    next(chunks)
    chunks.close()
    with psycopg.connect(postgres_tables, autocommit=True) as connection:
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
        assert connection.execute(waiting).fetchone() == (0,)


def test_read_postgres_mixed_case_name_and_nulls_stay_whole(postgres_tables, opened):
    assert opened(postgres_tables, table="Mixed").read()["a"].tolist() == [1, None]


def test_read_postgres_query_with_casts_and_percent_is_sent_as_written(postgres_tables, opened):
    query = "SELECT id::text AS id, '%s:x' AS t FROM \"Sales 24\".orders WHERE note LIKE 'n99%' ORDER BY 1 LIMIT 2"
    assert opened(postgres_tables, query=query).read().to_dict("list") == {"id": ["99", "990"], "t": ["%s:x"] * 2}


def test_read_postgres_unknown_table_lists_near_ones(postgres_tables, opened):
    with pytest.raises(DataSourceError, match=r"did you mean 'Sales 24.orders'") as caught:
        opened(postgres_tables, table="Sales 24.order").read()
    assert PASSWORD not in str(caught.value)
    with pytest.raises(DataSourceError, match=r"Tables found: Mixed"):
        opened(postgres_tables, table="nowhere.orders").read()


def test_read_postgres_writing_query_is_refused(postgres_tables, opened):
    with pytest.raises(DataSourceError, match=r"syntax error at or near"):
        opened(postgres_tables, query='DELETE FROM "Mixed" RETURNING a').read()
    with pytest.raises(DataSourceError, match=r"in a read-only transaction"):
        opened(postgres_tables, query="SELECT nextval('numbers')").read()
    with pytest.raises(DataSourceError, match=r"syntax error.*check data.query"):
        opened(postgres_tables, query="SELEC 1").read()


def test_read_postgres_wrong_password_or_unreachable_hides_the_password(postgres_tables, opened):
    wrong = postgres_tables.replace(PASSWORD, "wrong-word")
    with pytest.raises(
        DataSourceError, match=r"password authentication failed.*host, port, name, user and password"
    ) as caught:
        opened(wrong, table="Mixed").read()
    assert "wrong-word" not in str(caught.value)
    with pytest.raises(DataSourceError, match=r"check that the database runs") as caught:
        opened(f"postgresql://reader:{PASSWORD}@127.0.0.1:9/postgres", table="Mixed").read()
    assert PASSWORD not in str(caught.value)


def test_read_unknown_database_or_unusable_address_is_refused(opened):
    with pytest.raises(DataSourceError, match=r"'nosql', which is neither object storage"):
        opened("nosql://host/db", table="t").read()
    for address in (
        "postgresql://me:pa@ss/word@host/db",
        "postgresql://me:pa@ss@host/db",
        "postgresql://me:ss/pa@host:port/db",
    ):
        with pytest.raises(DataSourceError, match=r"is no SQLAlchemy URL") as caught:
            opened(address, table="t")
        assert "ss" not in str(caught.value).replace("password", "")
    with pytest.raises(DataSourceError, match=r"is no SQLAlchemy URL.*sqlite:///"):
        opened("people.db", table="t", format="sql")


def test_read_without_the_driver_names_the_package(opened, monkeypatch):
    real_import = builtins.__import__

    def import_without(name, *args, **kwargs):
        if name == "MySQLdb":
            raise ModuleNotFoundError("No module named 'MySQLdb'", name=name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", import_without)
    with pytest.raises(
        DataSourceError, match=r"'mysqlclient', which is not installed; install it with: pipenv install 'mysqlclient'"
    ):
        opened("mysql://me:pw@host/db", table="t").read()
