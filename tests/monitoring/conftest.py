"""Storages that are closed after the test, databases to store in, and predictions of every kind."""

import itertools
import shutil

import pytest
import sqlalchemy as sa

from ml_project.config_service import StorageConfig
from ml_project.monitoring.storage import PredictionStorage
from tests.monitoring.postgres import PostgresServer

numbers = itertools.count()


@pytest.fixture
def losses():
    """What was told to be lost, as (number, reason)."""
    return []


@pytest.fixture
def open_storage(losses):
    """A function that opens a storage, which the test's end closes."""
    opened = []

    def open_with(url, **fields):
        config = StorageConfig(url=url, **({"window_milliseconds": 20, "timeout_seconds": 5} | fields))
        opened.append(PredictionStorage(config, on_loss=lambda n, reason: losses.append((n, reason))))
        return opened[-1]

    yield open_with
    for storage in opened:
        storage.close()


@pytest.fixture
def sqlite_url(tmp_path):
    return f"sqlite:///{tmp_path}/predictions.db"


@pytest.fixture(scope="session")
def postgres_server():
    server = PostgresServer()
    try:
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(server.folder)


@pytest.fixture
def postgres_url(postgres_server):
    """URL of an empty schema, which is quicker to make than a database."""
    name = f"test{next(numbers)}"
    with sa.create_engine(postgres_server.url, poolclass=sa.pool.NullPool).begin() as connection:
        connection.execute(sa.text(f"CREATE SCHEMA {name}"))
    return f"{postgres_server.url}?options=-csearch_path%3D{name}"


@pytest.fixture(params=["sqlite", "postgres"])
def any_url(request):
    """URL of an empty database, of each kind."""
    return request.getfixturevalue(f"{request.param}_url")
