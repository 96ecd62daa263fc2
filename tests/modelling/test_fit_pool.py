"""Workers that die."""

import os

import pytest

from ml_project.modelling.fit_pool import WorkerDied, fit_pool, has_died


def test_submit_after_a_worker_has_died_future_says_so(training_data):
    with fit_pool(training_data, 2) as pool:
        assert has_died(pool.submit(os._exit, 1))
        assert has_died(pool.submit(abs, -1))  # the pool is broken, which submitting does not raise
        pool.restart()
        assert pool.submit(abs, -1).result() == 1


def test_run_alone_worker_dies_pool_can_be_used_again(training_data):
    with fit_pool(training_data, 2) as pool:
        with pytest.raises(WorkerDied):
            pool.run_alone(os._exit, 1)
        assert pool.run_alone(abs, -1) == 1
