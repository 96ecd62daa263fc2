"""The run of a simulated stream: send batches at a rate, take times, count what became of the records."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ml_project.errors import MAX_SAMPLES_PER_PROBLEM, MlProjectError, Problem
from ml_project.serving.client_errors import NotOurServiceError, ServiceCallError, ServiceUnreachableError
from ml_project.serving.refused_records import BatchOutcome, Send, send_batch

Record = Mapping[str, Any]
OnAnswers = Callable[[int, Sequence[Record], Mapping[int, dict[str, Any]]], None]
"""Called with the number of a batch's first record, its records, and the answers by position in the batch."""

MOST_FAILURES_IN_A_ROW = 5
_FOR_GOOD = (ServiceUnreachableError, NotOurServiceError)
_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}


class Clock:
    """The machine's time, in seconds."""

    def now(self) -> float:
        """Return the time since some moment in the past."""
        return time.perf_counter()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@dataclass
class SimulationReport:
    """What became of the records of a stream.

    Attributes
    ----------
    n_sent, n_answered, n_refused, n_failed
        Numbers of records: all, those with a prediction, those that the service refused, those without any answer.
    latencies
        Seconds of each request, refused ones too.
    seconds
        From the first record to the last answer.
    rate
        Records per second that were wanted.
    behind_seconds
        Longest time by which a batch was sent later than the rate wants.
    problems
        The first problems of refused records, by their number in the stream.
    failure
        The first failure.
    ended_by
        What ended the stream before its end: an error, Ctrl-C, SIGTERM.
    """

    rate: float | None = None
    n_sent: int = 0
    n_answered: int = 0
    n_refused: int = 0
    n_failed: int = 0
    latencies: array[float] = field(default_factory=lambda: array("d"))
    seconds: float = 0.0
    behind_seconds: float = 0.0
    problems: list[Problem] = field(default_factory=list)
    failure: ServiceCallError | None = None
    ended_by: MlProjectError | KeyboardInterrupt | None = None

    def percentiles(self) -> dict[str, float]:
        """Return percentiles of the requests' seconds by name."""
        found = np.quantile(self.latencies, list(_QUANTILES.values())) if self.latencies else np.zeros(len(_QUANTILES))
        return dict(zip(_QUANTILES, found.tolist(), strict=True))

    def lines(self) -> list[str]:
        """Return the report as lines of text."""
        late = f"at most {self.behind_seconds:.2f} s late"
        wanted = "" if self.rate is None else f"   ({self.rate:,.1f} wanted, {late})"
        times = "   ".join(f"{name} {1000 * seconds:.2f} ms" for name, seconds in self.percentiles().items())
        refused = [f"    {_in_stream(problem)}" for problem in self.problems]
        return [
            f"{self.n_sent:,} records sent in {self.seconds:.2f} s, {len(self.latencies):,} requests",
            f"  answered    {self.n_answered:>9,}",
            f"  refused     {self.n_refused:>9,}" + ("   for instance" if refused else ""),
            *refused,
            f"  failed      {self.n_failed:>9,}" + (f"   {self.failure}" if self.failure else ""),
            f"  throughput  {self.n_sent / self.seconds if self.seconds else 0:>9,.1f} records/s{wanted}",
            f"  latency     {times}",
        ]

    def raise_failure(self) -> None:
        """Raise what ended the stream, or what stands for the records without an answer."""
        if self.ended_by is not None:
            raise self.ended_by
        if self.failure is not None:
            raise ServiceCallError(f"{self.n_failed:,} records got no answer. {self.failure}")


def run_simulation(
    send: Send,
    batches: Iterable[Sequence[Record]],
    *,
    rate: float | None = None,
    on_answers: OnAnswers,
    clock: Clock | None = None,
) -> SimulationReport:
    """Send batches one after another, each when it is due, and return what became of them.

    A batch is due as many seconds after the first one as the rate wants for the records before it; so delays do not add
    up, and what was late is caught up with. Refused records are counted and the others of their batch sent again.
    Requests that fail are counted too, until there are five in a row. Ctrl-C and whatever else ends the stream are
    told by the report.

    Parameters
    ----------
    send
        What answers records.
    batches
        The records.
    rate
        Records per second; ``None`` sends each batch as soon as the one before is answered.
    on_answers
        Takes the answers.
    clock
        What times are taken with; the machine's by default.
    """
    run = _Run(send, SimulationReport(rate=rate), clock or Clock())
    try:
        for batch in batches:
            run.wait_for_turn()
            run.take(batch, on_answers)
    except (MlProjectError, KeyboardInterrupt) as error:
        run.report.ended_by = error
    return run.report


@dataclass
class _Run:
    """A stream under way."""

    send: Send
    report: SimulationReport
    clock: Clock
    n_failures_in_a_row: int = 0

    def __post_init__(self) -> None:
        self.started = self.clock.now()

    def wait_for_turn(self) -> None:
        """Wait until the next batch is due."""
        if self.report.rate is None:
            return
        due = self.started + self.report.n_sent / self.report.rate
        while (early := due - self.clock.now()) > 0:
            self.clock.sleep(early)
        self.report.behind_seconds = max(self.report.behind_seconds, -early)

    def take(self, batch: Sequence[Record], on_answers: OnAnswers) -> None:
        """Send a batch, and count what becomes of it."""
        report, first = self.report, self.report.n_sent
        report.n_sent += len(batch)
        try:
            outcome = send_batch(self._send_timed, batch)
        except ServiceCallError as error:
            report.n_failed += len(batch)
            self._bear(error)
            return
        except (MlProjectError, KeyboardInterrupt):
            report.n_failed += len(batch)
            raise
        finally:
            report.seconds = self.clock.now() - self.started
        self.n_failures_in_a_row = 0
        self._count(outcome, first, len(batch))
        on_answers(first, batch, outcome.answers)

    def _send_timed(self, records: Sequence[Record]) -> list[dict[str, Any]]:
        started = self.clock.now()
        try:
            return self.send(records)
        finally:
            self.report.latencies.append(self.clock.now() - started)

    def _count(self, outcome: BatchOutcome, first: int, n_records: int) -> None:
        self.report.n_answered += len(outcome.answers)
        self.report.n_refused += n_records - len(outcome.answers)
        room = MAX_SAMPLES_PER_PROBLEM - len(self.report.problems)
        self.report.problems += [
            problem if problem.row is None else replace(problem, row=first + problem.row)
            for problem in outcome.problems[:room]
        ]

    def _bear(self, error: ServiceCallError) -> None:
        """Note a failed request, or raise where others would fail as well."""
        self.n_failures_in_a_row += 1
        if isinstance(error, _FOR_GOOD) or self.n_failures_in_a_row == MOST_FAILURES_IN_A_ROW:
            raise error
        self.report.failure = self.report.failure or error


def _in_stream(problem: Problem) -> str:
    return f"record {problem.row}, {replace(problem, row=None)}" if problem.row is not None else str(problem)
