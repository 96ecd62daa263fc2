"""Tests of ml_project.tracking.worker."""

import threading

import pytest

from ml_project.tracking.worker import Worker


def test_worker_jobs_run_in_order_in_another_thread() -> None:
    done: list[tuple[int, str]] = []
    worker = Worker("test")
    for number in range(50):
        worker.submit(lambda number=number: done.append((number, threading.current_thread().name)))
    worker.join()
    assert done == [(number, "test") for number in range(50)]


def test_worker_first_problem_is_kept_and_ends_the_work(caplog: pytest.LogCaptureFixture) -> None:
    done: list[int] = []
    worker = Worker("test")
    worker.submit(lambda: done.append(1))
    worker.submit(lambda: done.append(1 // 0))
    worker.submit(lambda: done.append(2))
    worker.join()
    assert done == [1]
    assert isinstance(worker.problem, ZeroDivisionError)
    assert "test) stopped: integer division" in caplog.text


def test_worker_without_jobs_joins_without_a_thread() -> None:
    worker = Worker("test")
    worker.join()
    assert worker.problem is None
