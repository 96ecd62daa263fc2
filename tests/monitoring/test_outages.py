"""Databases that are locked, full, gone, broken or not the right ones."""

import logging
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from ml_project.monitoring.storage import Feedback
from tests.monitoring.batches import make_batch, stored_ids, wait_until
from tests.monitoring.postgres import PASSWORD
from tests.monitoring.proxy import Proxy


@pytest.fixture
def log_lines(caplog):
    """A function that returns the messages logged so far."""
    caplog.set_level(logging.INFO, "ml_project.monitoring")
    return lambda: [record.getMessage() for record in caplog.records]


@pytest.fixture
def open_locked(sqlite_url, open_storage):
    """A function that returns a storage whose SQLite file another connection has locked, and that connection."""
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as other:

        def open_with(**fields):
            storage = open_storage(sqlite_url, **fields)
            storage.add(make_batch(["before"]))
            wait_until(lambda: storage.n_pending == 0)
            other.execute("BEGIN EXCLUSIVE")
            return storage, other

        yield open_with


def test_add_locked_keeps_up_to_the_limit_and_writes_them_once_unlocked(open_locked, sqlite_url, losses, log_lines):
    storage, other = open_locked(max_pending=100)
    for number in range(103):
        storage.add(make_batch([f"{number:03d}"]))
    storage.add(Feedback("000", 1, 1.0))
    assert (storage.n_pending, storage.n_lost) == (100, 4)
    wait_until(lambda: len(log_lines()) == 2)
    other.execute("COMMIT")
    wait_until(lambda: storage.n_pending == 0)
    assert stored_ids(sqlite_url) == [*(f"{number:03d}" for number in range(100)), "before"]
    assert losses == [(1, "full")] * 4
    storage.add(make_batch(["after"]))
    storage.close()
    assert "after" in stored_ids(sqlite_url)
    overflow, outage, recovery = log_lines()
    assert "Predictions are lost from now on" in overflow
    assert "database is locked" in outage
    assert "4 were lost" in recovery


def test_add_batch_larger_than_the_limit_is_stored_alone_and_the_next_lost_as_a_whole(open_locked, losses, sqlite_url):
    storage, other = open_locked(max_pending=2)
    storage.add(make_batch(["a", "b", "c"]))
    storage.add(make_batch(["d", "e"]))
    other.execute("COMMIT")
    storage.close()
    assert stored_ids(sqlite_url) == ["a", "b", "before", "c"]
    assert losses == [(2, "full")]


def test_close_locked_gives_up_in_time_and_counts(open_locked, losses, log_lines):
    storage, other = open_locked(timeout_seconds=0.5)
    storage.add(make_batch(["a", "b"]))
    storage.close()
    other.execute("COMMIT")
    assert losses == [(2, "closed")]
    assert any("2 predictions were not yet stored" in line for line in log_lines())


def test_close_unlocked_in_time_writes_everything(open_locked, sqlite_url, losses, log_lines):
    storage, other = open_locked(timeout_seconds=30)
    storage.add(make_batch(["a", "b"]))
    closing_thread = threading.Thread(target=storage.close)
    closing_thread.start()
    wait_until(log_lines)
    other.execute("COMMIT")
    closing_thread.join()
    assert stored_ids(sqlite_url) == ["a", "b", "before"]
    assert losses == []


def test_add_durable_locked_waits_once_and_then_no_more(open_locked, sqlite_url, log_lines):
    storage, other = open_locked(durable=True, timeout_seconds=1)
    storage.add(make_batch(["a"])).result(timeout=30)
    assert storage.add(make_batch(["b"])).done()
    assert storage.n_pending == 2
    other.execute("COMMIT")
    later = []

    def waits_again():
        later.append(storage.add(make_batch([f"c{len(later):04}"])))
        return not later[-1].done()

    wait_until(waits_again)
    later[-1].result(timeout=30)
    wait_until(lambda: storage.n_pending == 0)
    assert stored_ids(sqlite_url) == ["a", "b", "before", *(f"c{number:04}" for number in range(len(later)))]
    assert any("answers do not wait" in line for line in log_lines())


def test_add_folder_that_cannot_be_made_writes_when_it_can(tmp_path, open_storage, log_lines):
    (tmp_path / "folder").write_text("a file where a folder should be")
    url = f"sqlite:///{tmp_path}/folder/predictions.db"
    storage = open_storage(url)
    storage.add(make_batch(["a"]))
    wait_until(log_lines)
    (tmp_path / "folder").unlink()
    wait_until(lambda: storage.n_pending == 0)
    assert stored_ids(url) == ["a"]


def test_add_file_that_was_moved_away_goes_on_in_a_new_one(tmp_path, sqlite_url, open_storage):
    storage = open_storage(sqlite_url)
    storage.add(make_batch(["a"]))
    wait_until(lambda: stored_ids(sqlite_url) == ["a"])
    (tmp_path / "predictions.db").rename(tmp_path / "old.db")
    for suffix in ("-wal", "-shm"):
        (tmp_path / f"predictions.db{suffix}").rename(tmp_path / f"old.db{suffix}")
    storage.add(make_batch(["b"]))
    storage.close()
    assert stored_ids(sqlite_url) == ["b"]
    assert stored_ids(f"sqlite:///{tmp_path}/old.db") == ["a"]


def test_add_damaged_file_loses_and_says_why(tmp_path, sqlite_url, open_storage, losses, log_lines):
    (tmp_path / "predictions.db").write_bytes(b"no database at all" * 100)
    storage = open_storage(sqlite_url, timeout_seconds=0.5)
    storage.add(make_batch(["a"]))
    storage.close()
    assert losses == [(1, "closed")]
    assert "file is not a database" in log_lines()[0]


def test_add_table_with_other_columns_loses_and_says_which(sqlite_url, open_storage, losses, log_lines):
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as other:
        other.execute("CREATE TABLE predictions (prediction_id TEXT, score REAL)")
    storage = open_storage(sqlite_url, timeout_seconds=0.5)
    storage.add(make_batch(["a"]))
    storage.close()
    assert losses == [(1, "closed")]
    assert "'predictions' is another one: it has no column created_at" in log_lines()[0]
    assert "score" in log_lines()[0]


FULL = """
import json, logging, resource, sys
from ml_project.config_service import StorageConfig
from ml_project.monitoring.storage import PredictionStorage
from tests.monitoring.batches import make_batch, stored_ids, wait_until

url = sys.argv[1]
lines = []
logging.getLogger("ml_project.monitoring").addHandler(handler := logging.Handler())
handler.emit = lambda record: lines.append(record.getMessage())
storage = PredictionStorage(StorageConfig(url=url, window_milliseconds=20))
storage.add(make_batch(["before"]))
wait_until(lambda: storage.n_pending == 0)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
large = [{"text": "x" * 1_000_000}]
storage.add(make_batch(["huge"], records=large))
wait_until(lambda: lines)
"""
MORE_SPACE = """
assert storage.n_pending == 1
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
wait_until(lambda: storage.n_pending == 0)
storage.close()
assert stored_ids(url) == ["before", "huge"], stored_ids(url)
assert len(lines) == 2 and "0 were lost" in lines[1], lines
"""
OTHERS = """
for number in range(30):
    storage.add(make_batch([f"small{number:02d}"]))
wait_until(lambda: storage.n_pending <= 1)
for number in range(30, 60):
    wait_until(lambda: storage.n_pending <= 1)
    if storage.n_lost:
        break
    storage.add(make_batch([f"small{number:02d}"]))
assert (storage.n_lost, storage.n_pending) == (1, 0), (storage.n_lost, storage.n_pending)
storage.close()
assert stored_ids(url)[:31] == ["before", *(f"small{number:02d}" for number in range(30))], stored_ids(url)
"""


@pytest.mark.parametrize("then", [pytest.param(MORE_SPACE, id="more space"), pytest.param(OTHERS, id="small ones fit")])
def test_add_too_large_for_the_disk_waits_for_space_but_holds_up_no_others(sqlite_url, then):
    subprocess.run([sys.executable, "-c", FULL + then, sqlite_url], check=True)


def test_add_postgres_stopped_and_started_writes_each_once(postgres_server, postgres_url, open_storage, log_lines):
    storage = open_storage(postgres_url)
    storage.add(make_batch(["a"]))
    wait_until(lambda: storage.n_pending == 0)
    postgres_server.stop()
    try:
        storage.add(make_batch(["b"]))
        wait_until(log_lines)
        storage.add(make_batch(["c"]))
        assert storage.n_pending == 2
    finally:
        postgres_server.start()
    wait_until(lambda: storage.n_pending == 0)
    assert stored_ids(postgres_url) == ["a", "b", "c"]
    assert storage.n_written == 3
    assert len(log_lines()) == 2
    assert PASSWORD not in "".join(log_lines())


def test_add_postgres_restarted_while_idle_is_no_outage(postgres_server, postgres_url, open_storage, log_lines):
    storage = open_storage(postgres_url)
    storage.add(make_batch(["a"]))
    wait_until(lambda: storage.n_pending == 0)
    postgres_server.stop()
    postgres_server.start()
    storage.add(make_batch(["b"]))
    wait_until(lambda: stored_ids(postgres_url) == ["a", "b"])
    assert log_lines() == []


def test_add_postgres_frozen_gives_up_durable_answers_and_writes_later(
    postgres_server, postgres_url, open_storage, log_lines
):
    storage = open_storage(postgres_url, durable=True, timeout_seconds=1)
    storage.add(make_batch(["a"])).result(timeout=30)
    postgres_server.freeze()
    try:
        storage.add(make_batch(["b"])).result(timeout=30)
        assert storage.add(make_batch(["c"])).done()
        assert any("answers do not wait" in line for line in log_lines())
    finally:
        postgres_server.thaw()
    wait_until(lambda: stored_ids(postgres_url) == ["a", "b", "c"])


def test_add_postgres_locked_table_writes_after_the_lock(postgres_url, open_storage, log_lines):
    import psycopg

    storage = open_storage(postgres_url, timeout_seconds=0.5)
    storage.add(make_batch(["a"]))
    wait_until(lambda: storage.n_pending == 0)
    with psycopg.connect(postgres_url) as other:
        other.execute("LOCK TABLE predictions IN ACCESS EXCLUSIVE MODE")
        storage.add(make_batch(["b"]))
        wait_until(log_lines)
        other.rollback()
    wait_until(lambda: stored_ids(postgres_url) == ["a", "b"])
    assert "lock timeout" in log_lines()[0]


def test_add_postgres_dropped_table_is_made_again(postgres_url, open_storage):
    import psycopg

    storage = open_storage(postgres_url)
    storage.add(make_batch(["a"]))
    wait_until(lambda: storage.n_pending == 0)
    with psycopg.connect(postgres_url) as other:
        other.execute("DROP TABLE predictions")
    storage.add(make_batch(["b"]))
    wait_until(lambda: storage.n_pending == 0)
    assert stored_ids(postgres_url) == ["b"]


@pytest.mark.parametrize("n_cut", [1, 3])
def test_add_connection_cut_after_the_commit_writes_each_once(postgres_server, postgres_url, open_storage, n_cut):
    proxy = Proxy(postgres_server.port)
    storage = open_storage(postgres_url.replace(str(postgres_server.port), str(proxy.port)))
    storage.add(make_batch(["a"]))
    wait_until(lambda: storage.n_pending == 0)
    proxy.n_commits_to_cut = n_cut
    storage.add(make_batch(["b", "c"]))
    storage.add(Feedback("b", 1, 1.0))
    wait_until(lambda: storage.n_pending == 0)
    assert proxy.n_cut == n_cut
    assert stored_ids(postgres_url) == ["a", "b", "c"]
    assert n_labels(postgres_url) == 1
    storage.close()
    proxy.close()


def n_labels(url):
    import sqlalchemy as sa

    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        return connection.scalar(sa.text("SELECT count(*) FROM labels"))


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://me:{PASSWORD}@database.invalid/db",
        f"postgresql://me:{PASSWORD}@127.0.0.1:1/db",
        f"postgresql://me:{PASSWORD}@127.0.0.1:no-port/db",
        f"oracle+unknown://me:{PASSWORD}@127.0.0.1/db",
        f"mssql+pyodbc://me:{PASSWORD}@127.0.0.1/db",
        "output/predictions.db",
    ],
)
def test_add_address_without_a_database_loses_and_says_why_without_the_password(url, open_storage, losses, log_lines):
    storage = open_storage(url, timeout_seconds=0.5)
    storage.add(make_batch(["a"]))
    wait_until(log_lines)
    storage.add(make_batch(["b"]))
    storage.close()
    assert losses == [(2, "closed")]
    assert PASSWORD not in "".join(log_lines())
    assert "Predictions cannot be stored" in log_lines()[0]


def test_add_failing_loss_counter_does_not_reach_the_request(open_locked, sqlite_url, log_lines):
    storage, other = open_locked(max_pending=1)
    storage._outage_log._on_loss = None
    storage.add(make_batch(["a"]))
    storage.add(make_batch(["b", "c"]))
    assert storage.n_lost == 2
    assert any("Counting 2 lost predictions failed" in line for line in log_lines())
    other.execute("COMMIT")
    storage.close()
    assert stored_ids(sqlite_url) == ["a", "before"]


def test_start_without_a_further_thread_tries_again(sqlite_url, open_storage, monkeypatch, log_lines):
    storage = open_storage(sqlite_url)
    with monkeypatch.context() as patch:
        patch.setattr("threading.Thread.start", _refuse)
        storage.add(make_batch(["a"]))
    assert "can't start new thread" in log_lines()[0]
    storage.add(make_batch(["b"]))
    storage.close()
    assert stored_ids(sqlite_url) == ["a", "b"]


def _refuse(_thread):
    raise RuntimeError("can't start new thread")
