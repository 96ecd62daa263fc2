"""The run of a simulated stream: pacing, counts, times, and how it ends."""

import pytest

from ml_project.errors import InvalidDataError, Problem, WrongKeyError
from ml_project.serving.answer_table import answer_table
from ml_project.serving.client import PredictionClient
from ml_project.serving.client_errors import ServiceCallError, ServiceUnreachableError
from ml_project.serving.refused_records import send_batch
from ml_project.serving.simulation import MOST_FAILURES_IN_A_ROW, run_simulation
from tests.serving.scripted_server import echo, refusal, scripted_server


def batches(n_records, size=1):
    records = [{"number": number, "age": float(number)} for number in range(n_records)]
    return [records[start : start + size] for start in range(0, n_records, size)]


def answer(records):
    """Answer every record whose age is not negative, and refuse the request otherwise, as the pipeline does."""
    wrong = [
        Problem("must be at least 0", "age", row, record["age"])
        for row, record in enumerate(records)
        if record["age"] < 0
    ]
    if wrong:
        raise InvalidDataError("The input does not fit the schema.", wrong)
    return [{"value": record["age"]} for record in records]


@pytest.fixture
def taken():
    """Return a list that collects numbers and values of answered records, as ``take`` is called."""
    return []


@pytest.fixture
def take(taken):
    return lambda first, records, answers: taken.extend(
        (first + place, records[place]["number"], found["value"]) for place, found in answers.items()
    )


def test_run_simulation_every_record_is_answered_and_counted(take, taken):
    report = run_simulation(answer, batches(10, size=4), on_answers=take)
    assert taken == [(number, number, float(number)) for number in range(10)]
    assert (report.n_sent, report.n_answered, report.n_refused, report.n_failed) == (10, 10, 0, 0)
    assert len(report.latencies) == 3
    percentiles = report.percentiles()
    assert list(percentiles) == ["p50", "p95", "p99", "max"]
    assert sorted(percentiles.values()) == list(percentiles.values())
    assert percentiles["max"] == max(report.latencies) <= report.seconds
    report.raise_failure()


def test_run_simulation_refused_records_are_counted_by_their_number_and_the_others_answered(take, taken):
    stream = batches(12, size=5)
    for number in (1, 3, 7):
        stream[number // 5][number % 5]["age"] = -1.0
    report = run_simulation(answer, stream, on_answers=take)
    assert [number for number, _, _ in taken] == [0, 2, 4, 5, 6, 8, 9, 10, 11]
    assert (report.n_sent, report.n_answered, report.n_refused, report.n_failed) == (12, 9, 3, 0)
    assert [problem.row for problem in report.problems] == [1, 3, 7]
    assert "    record 7, age = -1.0: must be at least 0" in report.lines()
    report.raise_failure()


class SlowTime:
    """A clock on which nothing takes time but sleeping, a little longer than asked for, and what ``pass_by`` says."""

    def __init__(self):
        self.time = 1000.0

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.time += seconds + 0.001

    def pass_by(self, seconds):
        self.time += seconds


@pytest.mark.parametrize("size", [1, 5])
def test_run_simulation_keeps_the_rate_without_drifting(size, take):
    """Delays that added up would make the run a third longer."""
    clock, sent = SlowTime(), []

    def slow(records):
        sent.append(clock.now() - 1000)
        clock.pass_by(0.03)
        return answer(records)

    report = run_simulation(slow, batches(500, size), rate=10.0, on_answers=take, clock=clock)
    assert sent == pytest.approx([number / 10 for number in range(0, 500, size)], abs=0.0011)
    assert list(report.latencies) == pytest.approx([0.03] * (500 // size))
    assert report.seconds == pytest.approx(sent[-1] + 0.03)


def test_run_simulation_catches_up_after_a_delay(take):
    clock, sent = SlowTime(), []

    def stall_once(records):
        sent.append(clock.now() - 1000)
        clock.pass_by(2.0 if records[0]["number"] == 3 else 0.01)
        return answer(records)

    report = run_simulation(stall_once, batches(50), rate=10.0, on_answers=take, clock=clock)
    assert sent[4] == pytest.approx(2.3, abs=0.002)
    assert sent[30:] == pytest.approx([number / 10 for number in range(30, 50)], abs=0.002)
    assert report.behind_seconds == pytest.approx(1.9, abs=0.002)
    assert "10.2 records/s   (10.0 wanted, at most 1.90 s late)" in report.lines()[4]


def test_run_simulation_rate_on_the_real_clock_takes_the_time_that_it_must(take):
    report = run_simulation(answer, batches(20, size=5), rate=200.0, on_answers=take)
    assert report.seconds >= 0.075


def test_run_simulation_failures_are_counted_and_end_the_stream_when_they_do_not_end(take, taken):
    def fail_sometimes(records):
        if records[0]["number"] % 3 == 0 or records[0]["number"] > 20:
            raise ServiceCallError("it failed")
        return answer(records)

    report = run_simulation(fail_sometimes, batches(12), on_answers=take)
    assert (report.n_sent, report.n_answered, report.n_failed) == (12, 8, 4)
    with pytest.raises(ServiceCallError, match=r"4 records got no answer\. it failed"):
        report.raise_failure()
    report = run_simulation(fail_sometimes, batches(100), on_answers=take)
    assert report.n_sent == 21 + MOST_FAILURES_IN_A_ROW
    assert report.n_sent == report.n_answered + report.n_failed


@pytest.mark.parametrize("error", [ServiceUnreachableError("gone"), WrongKeyError("wrong"), KeyboardInterrupt()])
def test_run_simulation_what_cannot_go_on_ends_the_stream_with_a_report(error, take, taken):
    def end(records):
        if records[0]["number"] == 3:
            raise error
        return answer(records)

    report = run_simulation(end, batches(10), on_answers=take)
    assert len(taken) == 3
    assert (report.n_sent, report.n_answered, report.n_failed) == (4, 3, 1)
    assert report.lines()[0].startswith("4 records sent in ")
    with pytest.raises(type(error)):
        report.raise_failure()


def test_run_simulation_without_any_record_gives_a_report():
    report = run_simulation(answer, [], on_answers=lambda *_: None)
    assert report.lines()[0] == "0 records sent in 0.00 s, 0 requests"


def test_run_simulation_over_http_survives_a_service_that_is_busy_for_a_while(take, taken):
    busy = refusal(503, "overloaded", "Too many requests are under way already.")
    with scripted_server(busy, busy, echo) as server, PredictionClient(server.url, pause_seconds=0.01) as client:
        report = run_simulation(client.predict, batches(5), on_answers=take)
    assert (report.n_answered, report.n_failed, len(taken)) == (5, 0, 5)


def test_send_batch_refusal_without_rows_refuses_all_of_it():
    def refuse(records):
        raise InvalidDataError("The records cannot be sent as JSON.")

    outcome = send_batch(refuse, [{}, {}])
    assert outcome.answers == {}
    assert [(problem.row, problem.problem) for problem in outcome.problems] == [
        (None, "The records cannot be sent as JSON.")
    ]


def test_answer_table_has_number_identifier_prediction_and_all_digits(tmp_path):
    path = tmp_path / "answers.csv"
    probas = {"0": 0.1 + 0.2, "1": 5e-324}
    with answer_table(path, "number") as table:
        table.add(0, [{"number": 7}, {"number": 8}], {1: {"prediction_id": "a", "label": 0, "probas": probas}})
        table.add(2, [{"number": 9}], {0: {"prediction_id": "b", "label": 1, "probas": probas, "outliers": ["x", "y"]}})
        assert not path.exists()
    assert path.read_text().splitlines() == [
        "record,number,prediction_id,label,proba_0,proba_1,outliers",
        "1,8,a,0,0.30000000000000004,5e-324,",
        "2,9,b,1,0.30000000000000004,5e-324,x y",
    ]
