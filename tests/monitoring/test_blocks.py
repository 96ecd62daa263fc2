"""Large batches, which SQLite takes as text: stored just as single predictions are."""

import json
import sqlite3
import time

import numpy as np
import pytest

from ml_project.config_service import StorageConfig
from ml_project.errors import DataSourceError
from ml_project.monitoring import delivery, writer
from ml_project.monitoring.blocks import ROWS_PER_BLOCK, BatchOfBlocks, to_block
from ml_project.monitoring.database import Database
from ml_project.monitoring.items import PredictionBatch
from ml_project.monitoring.storage import PredictionStorage, read_predictions
from tests.monitoring.batches import make_batch, stored_ids, wait_until

N = 2 * ROWS_PER_BLOCK + 3
VALUES = (None, float("nan"), 1e-300, 2**53, True, "nul \0 in it", "Zoë 漢字 \U0001f6a2 ' \" \\ %", "", 0.1 + 0.2)


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/predictions.db"


@pytest.fixture
def open_connected(open_storage):
    """Open a storage and wait until its database takes predictions."""

    def connect(url, **settings):
        storage = open_storage(url, **settings)
        storage.add(make_batch(["the first"]))
        wait_until(lambda: storage.n_written == 1)
        return storage

    return connect


def batch_of_all_values(ids):
    records = [{"value": VALUES[number % len(VALUES)]} for number in range(len(ids))]
    engineered = {
        "number": np.array([np.nan if number % 3 else number for number in range(len(ids))]),
        "text": np.array([None if number % 2 else f"t{number}" for number in range(len(ids))], dtype=object),
    }
    outliers = [("value",) if number % 5 == 0 else () for number in range(len(ids))]
    return make_batch(ids, records=records, engineered=engineered, outliers=outliers)


def part(batch, position):
    """One prediction of a batch as a batch."""
    return PredictionBatch(
        ids=[f"single-{batch.ids[position]}"],
        created_at=batch.created_at,
        request_id=batch.request_id,
        model_version=batch.model_version,
        records=[batch.records[position]],
        engineered={name: values[position : position + 1] for name, values in batch.engineered.items()},
        outputs=[batch.outputs[position]],
        outliers=[batch.outliers[position]],
        latency_seconds=batch.latency_seconds,
    )


def test_large_batch_is_stored_character_by_character_like_single_predictions(url, open_connected):
    storage = open_connected(url)
    batch = batch_of_all_values([f"{number:04d}" for number in range(N)])
    storage.add(batch)
    for position in range(N):
        storage.add(part(batch, position))
    storage.close()
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        rows = connection.execute("SELECT * FROM predictions ORDER BY prediction_id").fetchall()
    assert rows.pop()[0] == "the first"
    assert len(rows) == 2 * N
    assert [row[1:] for row in rows[:N]] == [row[1:] for row in rows[N:]]
    assert (storage.n_written, storage.n_lost, storage.n_pending) == (2 * N + 1, 0, 0)


def test_large_batch_with_a_value_that_is_no_unicode_is_stored_all_the_same(url, open_connected):
    storage = open_connected(url)
    names = [*["Ann"] * (N - 1), "\ud800"]
    batch = make_batch([f"{number:04d}" for number in range(N)], records=[{"name": name} for name in names])
    assert to_block(batch, N - 1, N) is None
    storage.add(batch)
    storage.close()
    assert len(read_predictions(url)) == N + 1
    assert (storage.n_written, storage.n_lost) == (N + 1, 0)


def test_large_batch_of_which_a_part_is_there_already_is_stored_once(url, open_connected):
    storage = open_connected(url)
    ids = [f"{number:04d}" for number in range(N)]
    storage.add(make_batch(ids[:20]))
    wait_until(lambda: storage.n_written == 21)
    storage.add(make_batch(ids))
    storage.close()
    assert stored_ids(url) == [*ids, "the first"]


def test_large_batches_while_the_database_is_locked_are_stored_when_it_is_not(url, open_connected, caplog):
    storage = open_connected(url)
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=30)
    other.execute("BEGIN IMMEDIATE")
    for start in range(0, 3 * N, N):
        storage.add(make_batch([f"{number:04d}" for number in range(start, start + N)]))
    wait_until(lambda: "Predictions cannot be stored in" in caplog.text)
    other.execute("ROLLBACK")
    other.close()
    wait_until(lambda: storage.n_pending == 0)
    storage.close()
    assert len(stored_ids(url)) == 3 * N + 1
    assert storage.n_lost == 0


@pytest.fixture
def left_over(url):
    """A file with a batch that a process left as blocks when it was killed; gives the ids."""
    ids = [f"{number:04d}" for number in range(N)]
    batch = batch_of_all_values(ids)
    database = Database(url, durable=False, timeout_seconds=5)
    database.write_blocks([to_block(batch, 0, ROWS_PER_BLOCK), to_block(batch, ROWS_PER_BLOCK, N)])
    database.close()
    return ids


def test_blocks_left_over_are_read_with_the_rows(url, left_over):
    stored = read_predictions(url)
    assert stored["prediction_id"].tolist() == left_over
    assert stored["features.text"].fillna("missing").tolist()[:3] == ["t0", "missing", "t2"]
    assert read_predictions(url, limit=2)["prediction_id"].tolist() == left_over[-2:]
    assert read_predictions(url, model_version="another").empty


def test_blocks_left_over_become_rows_and_are_read_once(url, left_over, open_connected):
    before = read_predictions(url)
    storage = open_connected(url)
    wait_until(lambda: stored_ids(url) == [*left_over, "the first"])
    storage.close()
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        assert connection.execute("SELECT count(*) FROM predictions_waiting").fetchone() == (0,)
    after = read_predictions(url)
    assert after.loc[after["prediction_id"] != "the first", before.columns].equals(before)


def test_more_large_batches_than_fit_are_all_stored_when_their_senders_wait(url):
    storage = PredictionStorage(StorageConfig(url=url, max_pending=2000))
    storage.add(make_batch(["the first"]))
    wait_until(lambda: storage.n_written == 1)
    for start in range(0, 20_000, 500):
        wait_until(lambda: storage.has_room(500))
        storage.add(make_batch([f"{number:05d}" for number in range(start, start + 500)]))
    storage.close()
    assert (storage.n_lost, len(read_predictions(url))) == (0, 20_001)


def test_batch_larger_than_the_inbox_is_stored_when_nothing_else_waits(url, open_storage):
    storage = open_storage(url, max_pending=100)
    storage.add(make_batch([f"{number:04d}" for number in range(N)]))
    assert not storage.has_room(1000) or storage.n_pending == 0
    storage.close()
    assert (storage.n_lost, len(read_predictions(url))) == (0, N)


def test_large_batches_that_wait_together_are_committed_together(url, open_connected):
    storage = open_connected(url, durable=True)
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=30)
    other.execute("BEGIN IMMEDIATE")
    futures = [storage.add(make_batch([f"{number}-{k:04d}" for k in range(ROWS_PER_BLOCK)])) for number in range(4)]
    assert not any(future.done() for future in futures)
    other.execute("ROLLBACK")
    other.close()
    for future in futures:
        future.result(timeout=30)
    assert len(read_predictions(url)) == 4 * ROWS_PER_BLOCK + 1
    storage.close()


def test_blocks_that_cannot_become_rows_are_read_and_the_log_says_so(url, left_over, open_storage, caplog):
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute(
            "CREATE TRIGGER no_more BEFORE INSERT ON predictions BEGIN SELECT RAISE(ABORT, 'not today'); END"
        )
    storage = open_storage(url)
    storage.start()
    wait_until(lambda: "cannot become rows" in caplog.text)
    assert read_predictions(url)["prediction_id"].tolist() == left_over
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("DROP TRIGGER no_more")
    wait_until(lambda: stored_ids(url) == left_over)
    storage.close()
    assert caplog.text.count("cannot become rows") == 1


def test_deeply_nested_identifier_is_stored_and_read(url, open_connected):
    nested = "[" * 199 + "]" * 199
    records = [{"id": json.loads(nested)}] * N
    storage = open_connected(url)
    item = storage.prepare(make_batch([f"{number:04d}" for number in range(N)], records=records))
    assert isinstance(item, BatchOfBlocks)
    storage.add(item)
    wait_until(lambda: storage.n_pending == 0)
    assert len(read_predictions(url)) == N + 1
    wait_until(lambda: len(stored_ids(url)) == N + 1)
    storage.close()
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        (record,) = connection.execute("SELECT record FROM predictions WHERE prediction_id = '0000'").fetchone()
    assert record == f'{{"id":{nested}}}'


def test_block_that_cannot_be_read_holds_up_no_other(url, left_over, open_connected, caplog):
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE predictions_waiting SET predictions = '[damaged' WHERE number = 1")
    kept = left_over[ROWS_PER_BLOCK:]
    assert read_predictions(url)["prediction_id"].tolist() == kept
    storage = open_connected(url)
    wait_until(lambda: stored_ids(url) == [*kept, "the first"])
    storage.close()
    assert caplog.text.count("is passed over and stays where it is") == 1
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        assert connection.execute("SELECT number FROM predictions_waiting").fetchall() == [(1,)]


def fill_with_blocks(url, n_blocks):
    database = Database(url, durable=False, timeout_seconds=5)
    for block in range(n_blocks):
        ids = [f"{block:04d}-{number:04d}" for number in range(ROWS_PER_BLOCK)]
        database.write_blocks([to_block(batch_of_all_values(ids), 0, ROWS_PER_BLOCK)])
    database.close()


def n_waiting(url):
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        return connection.execute("SELECT count(*) FROM predictions_waiting").fetchone()[0]


def test_many_blocks_left_over_hold_up_no_prediction_and_no_end(url, open_storage):
    fill_with_blocks(url, 300)
    storage = open_storage(url)
    storage.add(make_batch(["a"]))
    wait_until(lambda: storage.n_written == 1)
    assert n_waiting(url) > 200
    wait_until(lambda: n_waiting(url) < 290)
    storage.add(make_batch(["b"]))
    started = time.monotonic()
    storage.close()
    assert time.monotonic() - started < 4
    assert storage.n_lost == 0
    assert len(read_predictions(url)) == 300 * ROWS_PER_BLOCK + 2


def test_large_batches_become_rows_at_once_while_too_many_blocks_wait(url, open_connected, monkeypatch):
    monkeypatch.setattr(writer, "MOST_WAITING_BLOCKS", 2)
    monkeypatch.setattr(writer, "QUIET_SECONDS", 60)
    storage = open_connected(url)
    for start in range(0, 6 * ROWS_PER_BLOCK, ROWS_PER_BLOCK):
        ids = [f"{number:05d}" for number in range(start, start + ROWS_PER_BLOCK)]
        storage.add(storage.prepare(make_batch(ids)))
        wait_until(lambda: storage.n_pending == 0)
    assert n_waiting(url) == 2
    assert len(stored_ids(url)) == 4 * ROWS_PER_BLOCK + 1
    storage.close()
    assert len(stored_ids(url)) == 6 * ROWS_PER_BLOCK + 1


def test_two_storages_with_many_blocks_left_over_do_not_keep_each_other_from_writing(url, open_storage, caplog):
    fill_with_blocks(url, 100)
    storages = [open_storage(url, durable=True) for _ in range(2)]
    end = time.monotonic() + 3
    n_added = 0
    while time.monotonic() < end:
        for storage in storages:
            storage.add(make_batch([f"single-{n_added:05d}"])).result(timeout=30)
            n_added += 1
    wait_until(lambda: n_waiting(url) == 0)
    for storage in storages:
        storage.close()
    assert len(stored_ids(url)) == 100 * ROWS_PER_BLOCK + n_added
    assert caplog.text == ""


def test_file_that_is_moved_away_is_no_failure_of_the_blocks(url, open_connected, monkeypatch, caplog, tmp_path):
    monkeypatch.setattr(delivery, "SECONDS_BETWEEN_LOOKS", 0.05)
    storage = open_connected(url)
    (tmp_path / "predictions.db").rename(tmp_path / "archive.db")
    time.sleep(0.5)  # several looks for blocks
    assert caplog.text == ""
    storage.close()


def test_waiting_table_of_another_kind_is_refused(url):
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("CREATE TABLE predictions_waiting (something TEXT)")
    with pytest.raises(DataSourceError, match=r"predictions_waiting.*has no column number"):
        Database(url, durable=False, timeout_seconds=5)
