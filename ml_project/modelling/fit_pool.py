"""Worker processes for fits: they get the training data once, and the death of one does not end the run."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from ml_project.modelling import fitting
from ml_project.modelling.fitting import TrainingData

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
WorkerDied = BrokenProcessPool
SECONDS_BETWEEN_LOOKS = 1.0


class InlineExecutor(Executor):
    """Runs every call at once in this process, for one process and for debugging."""

    def submit[T](self, function: Callable[..., T], /, *arguments: Any, **keywords: Any) -> Future[T]:
        """Run the call and return its finished future."""
        future: Future[T] = Future()
        try:
            future.set_result(function(*arguments, **keywords))
        except Exception as error:  # noqa: BLE001  an executor hands errors over with the future
            future.set_exception(error)
        return future


class FitPool:
    """A pool of worker processes that hold the training data.

    Parameters
    ----------
    data
        What every fit needs; sent to each worker once.
    n_processes
        Number of fits at the same time; 1 runs them in this process.
    n_threads
        Threads of one fit.
    """

    def __init__(self, data: TrainingData, n_processes: int, n_threads: int = 1) -> None:
        self.n_processes = n_processes
        self._data = data
        self._n_threads = n_threads
        self._executor = self._open()

    def submit[T](self, function: Callable[..., T], *arguments: Any) -> Future[T]:
        """Hand a call to a worker and return its future, which says also where a worker had died before."""
        try:
            return self._executor.submit(function, *arguments)
        except WorkerDied as error:
            future: Future[T] = Future()
            future.set_exception(error)
            return future

    def run_alone[T](self, function: Callable[..., T], *arguments: Any) -> T:
        """Run a call while no other is under way, and return its result; the pool can be used whatever becomes of it.

        Raises
        ------
        WorkerDied
            When the call ends its worker, which no other call can have done.
        """
        try:
            return self.submit(function, *arguments).result()
        except WorkerDied:
            self.restart()
            raise

    def restart(self) -> None:
        """Replace workers after one has died."""
        self._executor.shutdown(wait=False)
        self._executor = self._open()

    def close(self, *, kill: bool = False) -> None:
        """End the workers: after their present jobs, or at once."""
        if kill and not isinstance(self._executor, InlineExecutor):
            self._executor.shutdown(wait=True, kill_workers=True)  # type: ignore[call-arg]  # loky's own keyword
        self._executor.shutdown(wait=True)

    def _open(self) -> Executor:
        if self.n_processes == 1:
            fitting.install(self._data)
            return InlineExecutor()
        from loky import ProcessPoolExecutor

        environment = {name: str(self._n_threads) for name in THREAD_VARIABLES}
        executor: Executor = ProcessPoolExecutor(
            max_workers=self.n_processes,
            initializer=_start_worker,
            initargs=(self._data, os.getpid()),
            env=environment,
        )
        return executor


def has_died(future: Future[Any]) -> bool:
    """Return whether a finished call was lost with a worker, its own or that of another call."""
    return isinstance(future.exception(), WorkerDied)


def _start_worker(data: TrainingData, parent: int) -> None:
    fitting.install(data)
    threading.Thread(target=_end_with, args=(parent,), name="end with parent", daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process when its parent is gone, which a killed parent cannot see to itself."""
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os._exit(1)


@contextmanager
def fit_pool(data: TrainingData, n_processes: int | None, n_threads: int = 1) -> Iterator[FitPool]:
    """Open a pool for a with-block; an exception, Ctrl-C included, ends the workers at once.

    Parameters
    ----------
    n_processes
        Number of fits at the same time; ``None`` for the number of cores that this process may use, where a
        container's limit counts too.
    """
    from loky import cpu_count

    pool = FitPool(data, n_processes or cpu_count(), n_threads)
    try:
        with _limited_threads(n_threads):
            yield pool
    except BaseException:
        pool.close(kill=True)
        raise
    pool.close()


@contextmanager
def _limited_threads(n_threads: int) -> Iterator[None]:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=n_threads):
        yield
