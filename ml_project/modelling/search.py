"""The searches of all candidates over one pool of workers, which stay busy until the last trial."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from itertools import count

from ml_project.modelling.candidate_search import CandidateSearch, FoldJob
from ml_project.modelling.fit_pool import FitPool, WorkerDied, has_died
from ml_project.modelling.fitting import FoldResult, reason, score_fold

WORKER_DIED = "the worker process ended, probably for lack of memory or by a crash in native code"
JOBS_AHEAD_PER_PROCESS = 2

OnFold = Callable[[CandidateSearch], None]


def run_searches(searches: Sequence[CandidateSearch], pool: FitPool, on_fold: OnFold = lambda _: None) -> None:
    """Run searches to their end; the most complex candidates, which take longest, go first.

    Parameters
    ----------
    searches
        Searches to run; they hold the results.
    pool
        Workers.
    on_fold
        Called after each fold with the search that it belongs to.
    """
    by_name = {search.candidate.name: search for search in searches}
    queue = _Queue(by_name)
    for search in searches:
        queue.add(search.start())
        on_fold(search)
    pending: dict[Future[FoldResult], FoldJob] = {}
    while queue or pending:
        while queue and len(pending) < JOBS_AHEAD_PER_PROCESS * pool.n_processes:
            job = queue.pop()
            pending[pool.submit(score_fold, job.estimator, job.fold)] = job
        finished = wait(pending, return_when=FIRST_COMPLETED).done
        if any(has_died(future) for future in finished):
            finished = wait(pending).done  # with one worker, the pool has lost all calls under way
            pool.restart()
        for future in finished:
            job = pending.pop(future)
            result = _score_alone(job, pool) if has_died(future) else _result(future)
            queue.add(by_name[job.candidate].receive(job, result))
            on_fold(by_name[job.candidate])


class _Queue:
    """Jobs by the complexity of their candidates, most complex first."""

    def __init__(self, searches: Mapping[str, CandidateSearch]) -> None:
        self._searches = searches
        self._heap: list[tuple[int, int, FoldJob]] = []
        self._order = count()

    def __bool__(self) -> bool:
        return bool(self._heap)

    def add(self, jobs: Sequence[FoldJob]) -> None:
        for job in jobs:
            heapq.heappush(self._heap, (-self._searches[job.candidate].candidate.complexity, next(self._order), job))

    def pop(self) -> FoldJob:
        return heapq.heappop(self._heap)[2]


def _score_alone(job: FoldJob, pool: FitPool) -> FoldResult:
    """Score a fold that was under way when a worker died, so that of all these only the guilty one fails."""
    started = time.perf_counter()
    try:
        return pool.run_alone(score_fold, job.estimator, job.fold)
    except WorkerDied:
        return FoldResult({}, time.perf_counter() - started, failure=WORKER_DIED)


def _result(future: Future[FoldResult]) -> FoldResult:
    error = future.exception()  # such as that of an estimator that cannot be sent to another process
    return future.result() if error is None else FoldResult({}, 0.0, failure=reason(error))
