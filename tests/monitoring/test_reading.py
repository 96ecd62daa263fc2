"""Stored predictions as a frame: filters, order, types, and what cannot be read."""

import datetime as dt
import sqlite3
from contextlib import closing

import numpy as np
import pandas as pd
import pytest

from ml_project.errors import DataSourceError
from ml_project.monitoring.storage import Feedback, read_predictions
from tests.monitoring.batches import make_batch
from tests.monitoring.postgres import free_port

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def stored_url(any_url, open_storage):
    """Predictions 0 to 9, one per hour, of two versions by turns, and labels of the first two."""
    storage = open_storage(any_url)
    for number in range(10):
        created_at = (START + dt.timedelta(hours=number)).timestamp()
        storage.add(make_batch([str(number)], created_at=created_at, model_version=f"v{number % 2}"))
    storage.add(Feedback("0", 1, 1.0))
    storage.add(Feedback("1", 0, 1.0))
    storage.close()
    return any_url


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, "0123456789"),
        ({"limit": 3}, "789"),
        ({"limit": 100}, "0123456789"),
        ({"since": START + dt.timedelta(hours=8)}, "89"),
        ({"since": "2026-01-01T08:00:00"}, "89"),
        ({"since": "2026-01-01T10:00:00+02:00"}, "89"),
        ({"until": pd.Timestamp("2026-01-01 02:00")}, "01"),
        ({"since": "2026-01-01 02:00", "until": "2026-01-01 05:00", "model_version": "v1"}, "3"),
        ({"model_version": "v0", "limit": 2}, "68"),
        ({"model_version": "unknown"}, ""),
    ],
)
def test_read_predictions_filters_give_the_newest_last(stored_url, filters, expected):
    assert "".join(read_predictions(stored_url, **filters)["prediction_id"]) == expected


def test_read_predictions_types_are_those_of_the_values(stored_url):
    stored = read_predictions(stored_url)
    assert stored["created_at"].dtype == "datetime64[us, UTC]"
    assert stored["created_at"].iloc[0] == START
    assert stored["label"].to_numpy()[:3].tolist()[:2] == [1.0, 0.0]
    assert stored["label"].dtype == np.float64
    assert stored["outliers"].tolist() == [[]] * 10
    assert stored.index.tolist() == list(range(10))


def test_read_predictions_nothing_found_has_the_plain_columns(stored_url):
    stored = read_predictions(stored_url, since=dt.datetime(2050, 1, 1))
    assert stored.empty
    assert {"prediction_id", "created_at", "model_version", "outliers", "label"} <= set(stored.columns)
    assert stored["created_at"].dtype == "datetime64[us, UTC]"


def test_read_predictions_of_models_with_other_columns_are_missing_there(sqlite_url, open_storage):
    storage = open_storage(sqlite_url)
    storage.add(make_batch(["a"], created_at=1.0, records=[{"old": 1}], engineered={}))
    storage.add(make_batch(["b"], created_at=2.0, records=[{"new": 2}], engineered={"new": np.array([np.nan])}))
    storage.close()
    stored = read_predictions(sqlite_url)
    assert stored[["record.old", "record.new"]].isna().to_numpy().tolist() == [[False, True], [True, False]]
    assert stored["features.new"].dtype == np.float64


def test_read_predictions_missing_file_is_not_made(tmp_path):
    with pytest.raises(DataSourceError, match=r"There is no file .*missing\.db"):
        read_predictions(f"sqlite:///{tmp_path}/missing.db")
    assert list(tmp_path.iterdir()) == []


def test_read_predictions_without_tables_says_so(any_url):
    if any_url.startswith("sqlite"):
        with closing(sqlite3.connect(any_url.removeprefix("sqlite:///"))) as connection:
            connection.execute("CREATE TABLE other (x)")
    with pytest.raises(DataSourceError, match="has no table of predictions"):
        read_predictions(any_url)


def test_read_predictions_database_that_is_gone_says_so_without_the_password():
    with pytest.raises(DataSourceError, match="cannot be read") as caught:
        read_predictions(f"postgresql://me:s3cret-word@127.0.0.1:{free_port()}/db")
    assert "s3cret-word" not in str(caught.value)


def test_read_predictions_leaves_no_files_beside_the_database(sqlite_url, open_storage, tmp_path):
    storage = open_storage(sqlite_url)
    storage.add(make_batch(["a"]))
    storage.close()
    assert len(read_predictions(sqlite_url)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["predictions.db"]
