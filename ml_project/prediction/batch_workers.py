"""Processes that score chunks: each loads the model once; the death of one costs the chunks under way only."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, Protocol

from ml_project.errors import ArtifactError, MlProjectError
from ml_project.prediction.batch_chunk import ChunkJob, ChunkScorer
from ml_project.prediction.batch_parts import ChunkSummary
from ml_project.prediction.pipeline import PredictionPipeline

MAX_DEATHS = 3
"""Times that workers may die, one after the other without a chunk done between, before the run ends."""
SECONDS_BETWEEN_LOOKS = 0.5
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")


class Scorable(Protocol):
    """A loaded artifact, as far as scoring is concerned."""

    @property
    def pipeline(self) -> PredictionPipeline:
        """Return what predicts."""
        ...

    @property
    def model_version(self) -> str:
        """Return what distinguishes the model from others."""
        ...


MakeScorer = Callable[[PredictionPipeline], ChunkScorer]


class InlineWorkers:
    """Scores chunks in this process.

    Parameters
    ----------
    scorer
        What scores.
    """

    n_waiting = 1

    def __init__(self, scorer: ChunkScorer) -> None:
        self._scorer = scorer
        self._done: list[ChunkSummary] = []

    def submit(self, job: ChunkJob) -> None:
        """Score a chunk at once."""
        self._done.append(self._scorer.score(job))

    def take_done(self) -> list[ChunkSummary]:
        """Return what has become of chunks since the last call."""
        done, self._done = self._done, []
        return done

    @property
    def n_pending(self) -> int:
        """Return the number of chunks handed over and not yet taken."""
        return len(self._done)


class ProcessWorkers:
    """Scores chunks in other processes.

    Parameters
    ----------
    n_processes
        Number of processes.
    load
        Loads the model; called once in each process.
    version
        The model's version, which a process must find.
    make_scorer
        Makes of the model's pipeline what scores; it goes to the processes, too.
    """

    def __init__(self, n_processes: int, load: Callable[[], Scorable], version: str, make_scorer: MakeScorer) -> None:
        self.n_waiting = n_processes + 2  # so that a worker finds the next chunk while the parent reads
        self._n_processes = n_processes
        self._arguments = (load, version, make_scorer, os.getpid())
        self._pending: dict[Future[ChunkSummary], ChunkJob] = {}
        self._n_deaths = 0
        self._executor = self._open()

    @property
    def n_pending(self) -> int:
        """Return the number of chunks handed over and not yet taken."""
        return len(self._pending)

    def submit(self, job: ChunkJob) -> None:
        """Hand a chunk over."""
        try:
            self._pending[self._executor.submit(_score, job)] = job
        except BrokenProcessPool as error:
            self._restart([*self._pending.values(), job], error)

    def take_done(self) -> list[ChunkSummary]:
        """Wait until a chunk is done, and return what has become of those that are.

        Raises
        ------
        MlProjectError
            When workers die again and again.
        """
        finished, _ = wait(self._pending, return_when=FIRST_COMPLETED)
        done, death = [], None
        for future in finished:
            error = future.exception()
            if isinstance(error, BrokenProcessPool):
                death = error
                continue
            del self._pending[future]
            done.append(future.result())
            self._n_deaths = 0
        if death is not None:
            self._restart(list(self._pending.values()), death)
        return done

    def close(self, *, kill: bool = False) -> None:
        """End the processes: after their present chunks, or at once."""
        if kill:
            self._executor.shutdown(wait=True, kill_workers=True)
        self._executor.shutdown(wait=True)

    def _restart(self, jobs: list[ChunkJob], error: BaseException) -> None:
        """Hand chunks to new processes after one has died."""
        self._n_deaths += 1
        if self._n_deaths > MAX_DEATHS:
            raise MlProjectError(
                f"Processes that score were killed {self._n_deaths} times in a row, at rows from "
                f"{min(job.start for job in jobs):,} on, probably because memory ran out; set compute.n_processes or "
                "prediction.chunk_rows lower."
            ) from error
        self._executor.shutdown(wait=False, kill_workers=True)
        self._executor = self._open()
        self._pending = {}
        for job in jobs:
            self.submit(job)

    def _open(self) -> Any:
        from loky import ProcessPoolExecutor

        return ProcessPoolExecutor(
            max_workers=self._n_processes, initializer=_start, initargs=self._arguments, env=ONE_THREAD
        )


Workers = InlineWorkers | ProcessWorkers


@contextmanager
def process_workers(
    n_processes: int, load: Callable[[], Scorable], version: str, make_scorer: MakeScorer
) -> Iterator[ProcessWorkers]:
    """Open processes for a with-block; an exception, Ctrl-C included, ends them at once."""
    workers = ProcessWorkers(n_processes, load, version, make_scorer)
    try:
        yield workers
    except BaseException:
        workers.close(kill=True)
        raise
    workers.close()


class _Worker:
    """What a process scores with, made with its first chunk, so that an error reaches the parent."""

    make: Callable[[], ChunkScorer]
    scorer: ChunkScorer | None = None


def _start(load: Callable[[], Scorable], version: str, make_scorer: MakeScorer, parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends its workers
    threading.Thread(target=_end_with, args=(parent,), name="end with parent", daemon=True).start()
    _Worker.make = lambda: _make(load, version, make_scorer)


def _make(load: Callable[[], Scorable], version: str, make_scorer: MakeScorer) -> ChunkScorer:
    artifact = load()
    if artifact.model_version != version:
        raise ArtifactError(
            f"The model's file was exchanged while a table was being scored: version {version} became "
            f"{artifact.model_version}; start again to score with the new one."
        )
    return make_scorer(artifact.pipeline)


def _score(job: ChunkJob) -> ChunkSummary:
    if _Worker.scorer is None:
        _Worker.scorer = _Worker.make()
        gc.freeze()  # loky collects garbage every second, and need not look at a model and libraries that stay
    return _Worker.scorer.score(job)


def _end_with(parent: int) -> None:
    """End this process when its parent is gone, which a killed parent cannot see to itself."""
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os._exit(1)
