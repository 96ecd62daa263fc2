"""What is handed over is read back, from every kind of database."""

import asyncio
import datetime as dt
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from ml_project.monitoring.storage import Feedback, read_predictions
from tests.monitoring.batches import make_batch, stored_ids, wait_until

SPECIAL_TEXT = "Zoë 漢字 \U0001f6a2 ' \" \\ % :x ?"
LONG_TEXT = "x" * 1_000_000


def test_add_one_prediction_is_read_back_with_everything(any_url, open_storage):
    storage = open_storage(any_url)
    moment = dt.datetime(2026, 5, 17, 8, 30, 0, 123456, tzinfo=dt.UTC)
    storage.add(make_batch(["a"], created_at=moment.timestamp(), outliers=[["age"]]))
    storage.close()
    row = read_predictions(any_url).iloc[0].to_dict()
    assert row.pop("created_at") == moment
    assert np.isnan(row.pop("label"))
    assert row == {
        "prediction_id": "a",
        "request_id": "r1",
        "model_version": "v1",
        "latency_seconds": 0.001,
        "outliers": ["age"],
        "record.age": 30.0,
        "record.name": "Ann",
        "features.age": 30.0,
        "features.title": "Mrs",
        "output.label": "yes",
        "output.probas.no": 0.25,
        "output.probas.yes": 0.75,
    }
    assert (storage.n_written, storage.n_pending, storage.n_lost) == (1, 0, 0)


def test_add_batch_of_10000_is_read_back_in_order(any_url, open_storage):
    ids = [f"{number:05d}" for number in range(10_000)]
    storage = open_storage(any_url)
    features = {"number": np.arange(10_000.0)}
    storage.add(make_batch(ids, engineered=features, records=[{"number": number} for number in range(10_000)]))
    storage.close()
    stored = read_predictions(any_url)
    assert stored["prediction_id"].tolist() == ids
    assert stored["features.number"].tolist() == stored["record.number"].tolist() == list(range(10_000))


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        pytest.param({"age": None}, None, id="missing"),
        pytest.param({"age": float("nan")}, None, id="not a number"),
        pytest.param({"at": dt.datetime(1912, 4, 10, 12, 30)}, "1912-04-10T12:30:00", id="time"),
        pytest.param({"name": SPECIAL_TEXT}, SPECIAL_TEXT, id="unicode"),
        pytest.param({"name": "nul \0 in it"}, "nul \0 in it", id="NUL"),
        pytest.param({"name": "half \ud800 pair"}, "half ? pair", id="surrogate"),
        pytest.param({"name": LONG_TEXT}, LONG_TEXT, id="long"),
        pytest.param({"number": 2**53}, 2**53, id="large number"),
        pytest.param({"flag": True}, True, id="boolean"),
        pytest.param({"value": np.float64(0.1)}, 0.1, id="numpy"),
        pytest.param({"": "no name"}, "no name", id="empty name"),
    ],
)
def test_add_value_of_a_record_is_read_back(any_url, open_storage, record, expected):
    storage = open_storage(any_url)
    storage.add(make_batch(["a"], records=[record]))
    storage.close()
    value = read_predictions(any_url)[f"record.{next(iter(record))}"].iloc[0]
    assert (pd.isna(value) and expected is None) or value == expected
    assert (storage.n_written, storage.n_lost) == (1, 0)


def test_add_features_of_every_kind_are_read_back(any_url, open_storage):
    features = {
        "missing": np.array([np.nan, np.nan]),
        "sometimes": np.array([1.5, np.nan]),
        "infinite": np.array([np.inf, 1.0]),
        "text": np.array(["a", None], dtype=object),
        "at": np.array(["2026-01-02T03:04:05", "NaT"], dtype="datetime64[us]"),
        "single": np.array([0.5, 1], dtype=np.float32),
    }
    storage = open_storage(any_url)
    storage.add(make_batch(["a", "b"], engineered=features))
    storage.close()
    stored = read_predictions(any_url).filter(like="features.").astype(object)
    assert stored.where(stored.notna(), None).to_numpy().tolist() == [
        [None, 1.5, None, "a", "2026-01-02T03:04:05", 0.5],
        [None, None, 1.0, None, None, 1.0],
    ]


def test_add_outputs_of_several_classes_and_of_a_regression_are_read_back(any_url, open_storage):
    storage = open_storage(any_url)
    probas = {"1": 0.1, "2": 0.2, "3": 0.7}
    storage.add(make_batch(["a"], created_at=1.0, outputs=[{"label": 3, "probas": probas}]))
    storage.add(make_batch(["b"], created_at=2.0, outputs=[{"value": -1.5e-300}], request_id=None))
    storage.close()
    stored = read_predictions(any_url).set_index("prediction_id")
    assert stored.filter(regex="^output.(label|probas)").loc["a"].tolist() == [3, 0.1, 0.2, 0.7]
    assert stored.loc["b", "output.value"] == -1.5e-300
    assert pd.isna(stored.loc["b", "request_id"])


def test_add_feedback_latest_label_counts_even_if_it_came_before_the_prediction(any_url, open_storage):
    storage = open_storage(any_url)
    storage.add(Feedback("a", "late", 30.0))
    storage.add(Feedback("a", "early", 10.0))
    storage.add(Feedback("b", "first", 20.0))
    storage.add(Feedback("b", "second", 20.0))
    storage.add(Feedback("unknown", True, 20.0))
    storage.add(make_batch(["a", "b", "c"]))
    storage.close()
    labels = read_predictions(any_url).set_index("prediction_id")["label"]
    assert labels.loc[["a", "b"]].tolist() == ["late", "second"]
    assert labels.isna().loc["c"]
    late = open_storage(any_url)
    late.add(make_batch(["unknown"]))
    late.close()
    assert read_predictions(any_url).set_index("prediction_id").loc["unknown", "label"] is True


def test_add_without_closing_becomes_visible_to_others(any_url, open_storage):
    storage = open_storage(any_url)
    storage.add(make_batch(["a"]))
    wait_until(lambda: stored_ids(any_url) == ["a"])


def test_add_same_id_twice_keeps_the_first(any_url, open_storage):
    storage = open_storage(any_url)
    storage.add(make_batch(["a", "a"], records=[{"x": 1}, {"x": 2}]))
    storage.add(make_batch(["a"], records=[{"x": 3}]))
    storage.close()
    assert read_predictions(any_url)["record.x"].tolist() == [1]
    assert storage.n_pending == 0


def test_add_durable_is_stored_when_its_future_ends(any_url, open_storage):
    storage = open_storage(any_url, durable=True, timeout_seconds=30)
    for number in range(20):
        storage.add(make_batch([f"{number:02d}"])).result(timeout=30)
        assert len(stored_ids(any_url)) == number + 1


def test_add_durable_many_at_once_share_a_commit(sqlite_url, open_storage):
    storage = open_storage(sqlite_url, durable=True, timeout_seconds=30)
    futures = [storage.add(make_batch([f"{number:03d}"])) for number in range(500)]
    for future in futures:
        future.result(timeout=30)
    assert len(stored_ids(sqlite_url)) == 500
    assert len({id(future) for future in futures}) < 500


def test_add_durable_client_that_goes_away_does_not_end_the_waiting_of_others(sqlite_url, open_storage):
    storage = open_storage(sqlite_url, durable=True, timeout_seconds=30)

    async def answer_two():
        gone = asyncio.wrap_future(storage.add(make_batch(["a"])))
        waiting = asyncio.wrap_future(storage.add(make_batch(["b"])))
        gone.cancel()
        await waiting
        return stored_ids(sqlite_url)

    assert asyncio.run(answer_two()) == ["a", "b"]


def test_close_twice_and_add_after_it_is_counted_as_lost(sqlite_url, open_storage, losses):
    storage = open_storage(sqlite_url)
    storage.add(make_batch(["a"]))
    storage.close()
    storage.close()
    assert storage.add(make_batch(["b", "c"])) is None
    assert losses == [(2, "closed")]
    assert stored_ids(sqlite_url) == ["a"]


def test_close_of_unused_storage_touches_no_database(sqlite_url, open_storage, tmp_path):
    open_storage(sqlite_url).close()
    assert list(tmp_path.iterdir()) == []


def test_start_opens_the_database_before_the_first_prediction(tmp_path, open_storage):
    storage = open_storage(f"sqlite:///{tmp_path}/new/folder/predictions.db")
    storage.start()
    storage.start()
    wait_until((tmp_path / "new/folder/predictions.db").exists)


@pytest.mark.parametrize("n", [3, 100])
def test_add_record_that_cannot_be_stored_costs_only_itself(sqlite_url, open_storage, losses, n):
    endless = []
    endless.append(endless)
    ids = [f"{number:03d}" for number in range(n)]
    storage = open_storage(sqlite_url)
    storage.add(make_batch(ids, records=[{"x": 1}, {"x": endless}, *[{"x": 3}] * (n - 2)]))
    storage.add(make_batch(["complete", "without record"], records=[{"x": 4}]))
    storage.close()
    assert stored_ids(sqlite_url) == [*(name for name in ids if name != "001"), "complete"]
    assert losses == [(1, "refused"), (1, "refused")]
    assert (storage.n_written, storage.n_lost, storage.n_pending) == (n, 2, 0)


@pytest.mark.parametrize("bad_id", ["nul\0", "half\ud800", "long" * 100])
def test_add_id_that_the_database_refuses_is_stored_escaped(any_url, open_storage, losses, bad_id):
    storage = open_storage(any_url)
    storage.add(make_batch(["a", bad_id, "z"], request_id="ä\0"))
    storage.add(Feedback(bad_id, 1, 1.0))
    storage.close()
    ids = stored_ids(any_url)
    assert len(ids) == 3
    assert {"a", "z"} < set(ids)
    assert any(stored.startswith(bad_id[:3]) for stored in ids)
    assert (storage.n_written, losses) == (4, [])


FORK = """
import os, sys
from ml_project.config_service import StorageConfig
from ml_project.monitoring.storage import PredictionStorage
from tests.monitoring.batches import make_batch, stored_ids, wait_until

url = sys.argv[1]
storage = PredictionStorage(StorageConfig(url=url, window_milliseconds=60_000, durable="durable" in sys.argv))
storage.add(make_batch(["first"]))
wait_until(lambda: storage.n_pending == 0)
storage.add(make_batch(["parent"]))
child = os.fork()
if child == 0:
    assert storage.n_pending == 0
    storage.add(make_batch(["child"]))
    storage.close()
    sys.exit()
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert "child" in stored_ids(url)
storage.add(make_batch(["parent again"]))
storage.close()
"""


FORK_AT_WORK = """
import os, sys
from ml_project.config_service import StorageConfig
from ml_project.monitoring.storage import PredictionStorage
from tests.monitoring.batches import make_batch, stored_ids

url, n_forks = sys.argv[1], 20
storage = PredictionStorage(StorageConfig(url=url, window_milliseconds=20))
for number in range(n_forks):
    storage.add(make_batch([f"parent {number} {row}" for row in range(300)]))
    child = os.fork()
    if child == 0:
        storage.add(make_batch([f"child {number}"]))
        storage.close()
        os._exit(storage.n_lost)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, number
storage.close()
assert len(stored_ids(url)) == n_forks * 301
"""


def test_add_process_forked_while_rows_are_written_loses_nothing(sqlite_url):
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORK_AT_WORK, sqlite_url], check=True)


@pytest.mark.parametrize(("kind", "words"), [("sqlite", ()), ("postgres", ("durable",))])
def test_add_in_forked_process_each_writes_its_own_once(kind, words, request):
    url = request.getfixturevalue(f"{kind}_url")
    subprocess.run([sys.executable, "-c", FORK, url, *words], check=True)
    assert stored_ids(url) == ["child", "first", "parent", "parent again"]


LEAVE = """
import sys
from ml_project.config_service import StorageConfig
from ml_project.monitoring.storage import PredictionStorage
from tests.monitoring.batches import make_batch

PredictionStorage(StorageConfig(url=sys.argv[1], window_milliseconds=60_000)).add(make_batch(["a"]))
"""


def test_exit_without_close_writes_what_waits(sqlite_url):
    subprocess.run([sys.executable, "-c", LEAVE, sqlite_url], check=True)
    assert stored_ids(sqlite_url) == ["a"]


def test_import_of_storage_needs_neither_sqlalchemy_nor_pandas():
    code = "import ml_project.monitoring.storage, sys; sys.exit(bool({'sqlalchemy', 'pandas'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)
