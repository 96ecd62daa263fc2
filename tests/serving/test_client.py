"""The client against a real server that answers, refuses, fails, hangs, or is not there."""

import datetime as dt
import math
import time
from email.utils import format_datetime

import numpy as np
import pytest

from ml_project.errors import BatchTooLargeError, BodyTooLargeError, InvalidDataError, RequestError, WrongKeyError
from ml_project.serving.client import PredictionClient
from ml_project.serving.client_errors import NotOurServiceError, ServiceCallError, ServiceUnreachableError
from ml_project.serving.client_transport import LONGEST_PAUSE_SECONDS
from tests.serving.scripted_server import echo, refusal, scripted_server, unused_port

BUSY = refusal(503, "overloaded", "Too many requests are under way already.")
RECORDS = [{"age": 3.0}, {"age": None}, {"age": 0.1 + 0.2}]


@pytest.fixture
def connect():
    """Return a function that gives a client with short pauses."""
    clients = []

    def connect_to(url, **fields):
        clients.append(PredictionClient(url, **{"pause_seconds": 0.001, "timeout_seconds": 5.0, **fields}))
        return clients[-1]

    yield connect_to
    for client in clients:
        client.close()


def test_predict_records_are_answered_in_order_with_every_digit(connect):
    with scripted_server(echo) as server:
        client = connect(server.url)
        assert [answer["value"] for answer in client.predict(RECORDS)] == [3.0, None, 0.1 + 0.2]
        assert client.predict_one({"age": 1e300})["value"] == 1e300
        assert [(seen.method, seen.path) for seen in server.seen] == [("POST", "/predict")] * 2
        assert server.seen[0].content == RECORDS


def test_predict_many_calls_use_one_connection(connect):
    with scripted_server(echo) as server:
        client = connect(server.url)
        for _ in range(5):
            client.predict(RECORDS)
        assert len({seen.connection for seen in server.seen}) == 1


def test_predict_api_key_is_sent_and_never_shown(connect, caplog):
    refused = refusal(401, "api_key_wrong", "The key is missing or wrong")
    with scripted_server(refused) as server:
        client = connect(server.url, api_key="0123456789abcdef")
        with pytest.raises(WrongKeyError, match=r"POST http://.*/predict was refused with status 401: The k") as error:
            client.predict(RECORDS)
        assert server.seen[0].headers["X-API-Key"] == "0123456789abcdef"
        assert "0123456789abcdef" not in f"{error.value}{caplog.text}"


def test_predict_values_of_numpy_and_moments_are_sent_as_json(connect):
    with scripted_server(echo) as server:
        connect(server.url).predict([{"age": np.float64(0.5), "n": np.int64(2), "at": dt.datetime(2024, 5, 17, 8, 30)}])
        assert server.seen[0].content == [{"age": 0.5, "n": 2, "at": "2024-05-17T08:30:00"}]


@pytest.mark.parametrize("value", [math.nan, math.inf, {1}])
def test_predict_values_without_json_form_are_refused_before_sending(value, connect):
    with scripted_server(echo) as server:
        with pytest.raises(InvalidDataError, match="cannot be sent as JSON"):
            connect(server.url).predict([{"age": value}])
        assert server.seen == []


def test_predict_refused_records_raise_every_problem_with_row_field_and_value(connect):
    details = [
        {"row": 0, "field": "age", "value": -4, "problem": "must be at least 0"},
        {"row": 2, "field": "sex", "value": None, "problem": "is required"},
    ]
    with scripted_server(refusal(422, "data_invalid", "The input does not fit the schema.", *details)) as server:
        with pytest.raises(InvalidDataError) as refused:
            connect(server.url).predict(RECORDS)
        assert str(refused.value) == (
            "The input does not fit the schema.\n  - row 0, age = -4: must be at least 0\n  - row 2, sex: is required"
        )
        assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal(413, "batch_too_large", "too many"), BatchTooLargeError),
        (refusal(413, "body_too_large", "too many bytes"), BodyTooLargeError),
        (refusal(415, "media_type_unsupported", "send JSON"), RequestError),
    ],
)
def test_predict_request_that_the_service_does_not_take_is_said_with_its_message(answer, kind, connect):
    with scripted_server(answer) as server:
        with pytest.raises(kind, match=f"was refused with status {answer[0]}: {answer[1]['error']['message']}"):
            connect(server.url).predict(RECORDS)
        assert len(server.seen) == 1


@pytest.mark.parametrize("answer", [BUSY, (503, b"<html>upstream gone</html>"), "drop"])
def test_predict_trouble_that_passes_is_tried_again(answer, connect):
    with scripted_server(answer, answer, echo) as server:
        assert len(connect(server.url).predict(RECORDS)) == 3
        assert len(server.seen) == 3


def test_predict_trouble_that_stays_is_reported_after_all_attempts(connect):
    with scripted_server(BUSY) as server:
        told = r"/predict was tried 3 times in vain: it answers 503 \(Too many requests are under way already\.\)"
        with pytest.raises(ServiceUnreachableError, match=told):
            connect(server.url, max_attempts=3).predict(RECORDS)
        assert len(server.seen) == 3


def test_predict_nothing_listening_is_reported_with_the_reason(connect):
    url = f"http://127.0.0.1:{unused_port()}"
    with pytest.raises(ServiceUnreachableError, match=r"2 times in vain: no connection \(Connection refused\)"):
        connect(url, max_attempts=2).predict(RECORDS)


def test_predict_connection_lost_for_good_is_reported_with_the_reason(connect):
    told = r"2 times in vain: no connection \(Remote end closed connection without response\)"
    with scripted_server("drop") as server, pytest.raises(ServiceUnreachableError, match=told):
        connect(server.url, max_attempts=2).predict(RECORDS)


def test_predict_pauses_for_as_long_as_the_service_asks(connect):
    busy = (*BUSY, {"Retry-After": "1"})
    with scripted_server(busy, echo) as server:
        started = time.monotonic()
        connect(server.url).predict(RECORDS)
        assert time.monotonic() - started >= 1


@pytest.mark.parametrize(
    ("asked_for", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("86400", LONGEST_PAUSE_SECONDS),
        (format_datetime(dt.datetime(2000, 1, 1, tzinfo=dt.UTC), usegmt=True), 0.0),
        (format_datetime(dt.datetime(2100, 1, 1, tzinfo=dt.UTC), usegmt=True), LONGEST_PAUSE_SECONDS),
    ],
)
def test_pause_asked_for_is_kept_within_bounds(asked_for, seconds, connect):
    assert connect("http://127.0.0.1")._transport._pause(1, asked_for) == seconds


@pytest.mark.parametrize("asked_for", [None, "soon"])
def test_pause_not_asked_for_doubles_up_to_the_longest(asked_for, connect):
    transport = connect("http://127.0.0.1", pause_seconds=0.5)._transport
    for attempt, longest in ((1, 0.5), (2, 1.0), (3, 2.0), (30, LONGEST_PAUSE_SECONDS)):
        pauses = [transport._pause(attempt, asked_for) for _ in range(50)]
        assert longest / 2 <= min(pauses) < max(pauses) <= longest


def test_predict_hanging_service_is_given_up_once_and_in_time(connect):
    with scripted_server("hang") as server:
        with pytest.raises(ServiceCallError, match=r"/predict got no answer within 0\.2 s") as error:
            connect(server.url, timeout_seconds=0.2).predict(RECORDS)
        assert not isinstance(error.value, ServiceUnreachableError)
        assert len(server.seen) == 1


def test_predict_failing_service_is_reported_with_the_request_id(connect):
    message = "The service failed; its log says more under the request id 12ab."
    with scripted_server(refusal(500, "internal_error", message)) as server:
        with pytest.raises(ServiceCallError, match=r"failed with status 500: The service failed; .* 12ab"):
            connect(server.url).predict(RECORDS)
        assert len(server.seen) == 1
    told = r"failed with status 502: the service says no more; its log says more under the request id 34cd"
    with (
        scripted_server((502, b"bad gateway", {"X-Request-Id": "34cd"})) as server,
        pytest.raises(ServiceCallError, match=told),
    ):
        connect(server.url).predict(RECORDS)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((404, b"<html>no page here</html>"), r"status 404 and no error of a prediction service \('<html>no page"),
        ((200, b"<html>welcome</html>"), r"answered with no JSON \('<html>welcome"),
        ((200, {"predictions": []}), "answered without a list of 3 predictions"),
        ((200, [1, 2, 3]), "answered without a list of 3 predictions"),
    ],
)
def test_predict_something_else_answering_is_told_apart(answer, told, connect):
    with scripted_server(answer) as server, pytest.raises(NotOurServiceError, match=told):
        connect(server.url).predict(RECORDS)


def test_predict_redirect_is_not_followed_with_the_key(connect):
    moved = (302, b"", {"Location": "https://elsewhere.example.com/predict"})
    told = r"is redirected to https://elsewhere\.example\.com/predict; give the address behind it"
    with scripted_server(moved) as server, pytest.raises(ServiceCallError, match=told):
        connect(server.url, api_key="0123456789abcdef").predict(RECORDS)


def test_predict_answer_that_is_not_secure_is_refused_without_further_attempts(connect):
    told = r"cannot be made: .*; check the address"
    with scripted_server(echo) as server, pytest.raises(ServiceCallError, match=told):
        connect(server.url.replace("http:", "https:"), max_attempts=10**6).predict(RECORDS)


def test_ready_says_whether_the_service_can_answer(connect):
    assert not connect(f"http://127.0.0.1:{unused_port()}").ready()
    with scripted_server(BUSY, (200, {"status": "ready"})) as server:
        client = connect(server.url)
        assert [client.ready(), client.ready()] == [False, True]


def test_version_of_something_else_is_refused(connect):
    with scripted_server((200, {"service": {"name": "other"}}), (200, {"service": {"name": "ml_project"}})) as server:
        client = connect(server.url)
        with pytest.raises(NotOurServiceError, match="something else than a service of ml_project"):
            client.version()
        assert client.version() == {"service": {"name": "ml_project"}}


def test_feedback_sends_identifier_and_label(connect):
    with scripted_server((202, {"status": "accepted"})) as server:
        connect(server.url).feedback("42", 1)
        assert (server.seen[0].path, server.seen[0].content) == ("/feedback", {"prediction_id": "42", "label": 1})
