"""Predictions to store, and what was stored; importing this is cheap, because processes of their own do it, too."""

import time

import numpy as np

from ml_project.monitoring.storage import PredictionBatch

DEADLINE_SECONDS = 30


def make_batch(ids=("a",), **changes):
    n = len(ids)
    values = {
        "ids": list(ids),
        "created_at": time.time(),
        "request_id": "r1",
        "model_version": "v1",
        "records": [{"age": 30.0, "name": "Ann"}] * n,
        "engineered": {"age": np.full(n, 30.0), "title": np.array(["Mrs"] * n, dtype=object)},
        "outputs": [{"label": "yes", "probas": {"no": 0.25, "yes": 0.75}}] * n,
        "outliers": [()] * n,
        "latency_seconds": 0.001,
    }
    return PredictionBatch(**(values | changes))


def wait_until(condition):
    """Return as soon as a condition holds."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.005)


def stored_ids(url):
    """Return the ids in the database, in order, as someone else sees them."""
    import sqlalchemy as sa

    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("predictions"):
            return []
        return list(connection.scalars(sa.text("SELECT prediction_id FROM predictions ORDER BY prediction_id")))
