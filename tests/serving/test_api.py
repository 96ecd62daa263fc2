"""Requests and answers without a web framework: admission, limits, refusals, identifiers, what is counted."""

import json
import logging
import re
import threading
from concurrent.futures import Future

import pytest

from ml_project.config_service import ServingConfig
from ml_project.errors import (
    BatchTooLargeError,
    BodyIncompleteError,
    BodyTooLargeError,
    BodyTooSlowError,
    ConfigError,
    InvalidDataError,
    MediaTypeError,
    NotJsonError,
    NotReadyError,
    OverloadedError,
    Problem,
    RequestError,
    StorageOffError,
    UnknownRouteError,
    WrongKeyError,
    WrongMethodError,
)
from ml_project.serving.api import HttpApi, Route
from ml_project.serving.messages import HttpAnswer, HttpRequest, json_answer
from ml_project.serving.metrics import ServiceMetrics
from ml_project.serving.refusals import refuse, refuse_in_open_inference, status_of

KEY = "0123456789abcdef-ü"


def make_api(handler=lambda request, request_id: json_answer(200, {"id": request_id}), **settings):
    routes = (
        Route("POST", "/do", handler),
        Route("GET", "/see", handler),
        Route("GET", "/open", handler, open=True),
        Route("POST", "/v2/do", handler),
    )
    metrics = ServiceMetrics()
    return HttpApi(routes, ServingConfig(**{"log_requests": False, **settings}), metrics), metrics


def ask(api, method="POST", path="/do", **headers):
    return api.answer(HttpRequest(method, path, {name.replace("_", "-"): value for name, value in headers.items()}))


def failing(error):
    def handler(request, request_id):
        raise error

    return handler


def test_answer_has_the_identifier_that_the_handler_got():
    api, _ = make_api()
    answer = ask(api, x_request_id="mine")
    assert (answer.status, answer.headers["X-Request-Id"], json.loads(answer.body)) == (200, "mine", {"id": "mine"})


@pytest.mark.parametrize("given", ["", "a b", "a\n", "x" * 129, "é", "a;b", "\u0661"])
def test_answer_unusable_identifier_is_replaced(given):
    api, _ = make_api()
    identifiers = {ask(api, x_request_id=given).headers["X-Request-Id"] for _ in range(2)}
    assert len(identifiers) == 2
    assert all(re.fullmatch("[0-9a-f]{16}", identifier) for identifier in identifiers)


def test_answer_unexpected_error_tells_nothing_but_the_identifier_and_is_logged(caplog):
    api, _ = make_api(failing(ZeroDivisionError("secret of /etc")))
    with caplog.at_level(logging.ERROR):
        answer = ask(api, x_request_id="mine")
    assert answer.status == 500
    assert json.loads(answer.body)["error"] == {
        "code": "internal_error",
        "message": "The service failed; its log says more under the request id mine.",
        "details": [],
    }
    (line,) = caplog.records
    assert (line.request_id, line.path) == ("mine", "/do")
    assert "secret of /etc" in caplog.text


def test_answer_unexpected_error_in_the_protocol_tells_as_little():
    api, _ = make_api(failing(RuntimeError("secret")))
    answer = ask(api, path="/v2/do", x_request_id="mine")
    assert answer.status == 500
    assert json.loads(answer.body) == {"error": "The service failed; its log says more under the request id mine."}


def test_answer_error_of_another_part_of_the_project_is_a_500_without_its_message():
    api, _ = make_api(failing(ConfigError("secret")))
    assert b"secret" not in ask(api).body
    assert ask(api).status == 500


@pytest.mark.parametrize("encoding", ["identity", "Identity"])
def test_answer_no_encoding_is_understood(encoding):
    api, _ = make_api()
    assert ask(api, content_encoding=encoding).status == 200
    assert ask(api, content_encoding="br").status == 415


@pytest.mark.parametrize(
    "headers",
    [
        {"x_api_key": KEY.encode().decode("latin-1")},
        {"authorization": f"Bearer {KEY}".encode().decode("latin-1")},
        {"authorization": f"bEARER  {KEY}  ".encode().decode("latin-1")},
    ],
)
def test_answer_key_as_a_server_decodes_it_opens(headers):
    api, _ = make_api(api_key=KEY)
    assert ask(api, **headers).status == 200


def test_answer_without_key_only_open_routes_answer():
    api, _ = make_api(api_key=KEY)
    assert ask(api, "GET", "/open").status == 200
    assert ask(api, "HEAD", "/open").status == 200
    for method, path in (("POST", "/do"), ("GET", "/see"), ("GET", "/nowhere"), ("POST", "/open")):
        assert ask(api, method, path).status == 401


def test_answer_key_of_characters_that_latin_1_does_not_have_is_401():
    api, _ = make_api(api_key=KEY)
    assert ask(api, x_api_key="\u20ac" * 20).status == 401


def test_answer_wrong_method_names_the_right_ones():
    api, _ = make_api()
    answer = ask(api, "PUT", "/see")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert json.loads(answer.body)["error"]["message"] == "/see answers to GET and HEAD only"


def test_answer_long_path_is_quoted_shortly():
    api, _ = make_api()
    assert len(ask(api, "GET", "/" + "a" * 10_000).body) < 400


def test_enter_counts_until_leave():
    api, metrics = make_api(max_concurrent_requests=2)
    assert [api.enter() for _ in range(3)] == [True, True, False]
    assert b"ml_project_requests_in_flight 3.0" in metrics.exposition()
    for _ in range(2):
        api.leave()
    assert api.enter()


def test_enter_from_many_threads_counts_right():
    api, metrics = make_api()

    def come_and_go():
        for _ in range(2000):
            api.enter()
            api.leave()

    threads = [threading.Thread(target=come_and_go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert b"ml_project_requests_in_flight 0.0" in metrics.exposition()


def test_find_refusal_size_comes_before_room():
    api, _ = make_api(max_body_bytes=10)
    assert api.find_refusal(has_room=True, n_bytes=10) is None
    assert isinstance(api.find_refusal(has_room=False, n_bytes=11), BodyTooLargeError)
    assert isinstance(api.find_refusal(has_room=False, n_bytes=10), OverloadedError)


def test_refuse_is_counted_and_has_an_identifier():
    api, metrics = make_api()
    answer = api.refuse(HttpRequest("POST", "/do", {}), api.body_too_large())
    assert (answer.status, len(answer.headers["X-Request-Id"])) == (413, 16)
    assert b'ml_project_requests_total{route="/do",status="413"} 1.0' in metrics.exposition()


def test_metrics_unknown_paths_share_one_name():
    api, metrics = make_api()
    for number in range(3):
        ask(api, "GET", f"/{number}")
    assert b'ml_project_requests_total{route="unknown",status="404"} 3.0' in metrics.exposition()


def test_answer_keeps_what_is_to_be_waited_for():
    future = Future()
    api, _ = make_api(lambda request, request_id: HttpAnswer(200, b"", stored=future))
    assert ask(api).stored is future


def test_respond_leaves_counting_to_finish():
    api, metrics = make_api()
    request = HttpRequest("POST", "/do", {})
    assert api.respond(request).status == 200
    assert b'route="/do"' not in metrics.exposition()
    api.finish(request)
    api.finish(request)
    assert b'ml_project_requests_total{route="/do",status="200"} 1.0' in metrics.exposition()


def test_finish_does_what_follows_a_failure(caplog):
    done = []

    def handler(request, request_id):
        request.afterwards += [lambda: 1 / 0, lambda: done.append("stored")]
        return HttpAnswer(200, b"")

    api, metrics = make_api(handler)
    assert ask(api).status == 200
    assert done == ["stored"]
    assert b'ml_project_requests_total{route="/do",status="200"} 1.0' in metrics.exposition()
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(("n_records", "waits"), [(99, False), (100, True)])
def test_large_batch_is_finished_when_the_storage_has_room(n_records, waits):
    asked = []

    def has_room(n):
        asked.append(n)
        return len(asked) > 5

    def handler(request, request_id):
        request.afterwards.append(lambda: asked.append("stored"))
        return HttpAnswer(200, b"", n_records=n_records)

    settings = ServingConfig(log_requests=False)
    api = HttpApi((Route("POST", "/do", handler),), settings, ServiceMetrics(), has_room=has_room)
    assert ask(api).status == 200
    assert asked == ([100] * 6 + ["stored"] if waits else ["stored"])


STATUSES = {
    WrongKeyError("m"): 401,
    UnknownRouteError("m"): 404,
    WrongMethodError("m", allowed="GET"): 405,
    BodyTooSlowError("m"): 408,
    BodyTooLargeError("m"): 413,
    BatchTooLargeError("m"): 413,
    MediaTypeError("m"): 415,
    NotJsonError("m"): 400,
    BodyIncompleteError("m"): 400,
    RequestError("m"): 400,
    InvalidDataError("m"): 422,
    NotReadyError("m"): 503,
    OverloadedError("m"): 503,
    StorageOffError("m"): 503,
    ConfigError("m"): 500,
    ValueError("m"): 500,
    MemoryError(): 500,
}


@pytest.mark.parametrize("error", STATUSES, ids=lambda error: type(error).__name__)
def test_refuse_status_code_and_headers(error):
    assert status_of(error) == STATUSES[error]
    answer = refuse(error, "id")
    assert answer.status == STATUSES[error]
    headers = answer.headers or {}
    assert ("Retry-After" in headers) is isinstance(error, NotReadyError | OverloadedError)
    assert ("Allow" in headers) is isinstance(error, WrongMethodError)
    assert ("WWW-Authenticate" in headers) is isinstance(error, WrongKeyError)
    known = answer.status != 500
    assert json.loads(answer.body)["error"]["code"] == (error.code if known else "internal_error")
    assert list(json.loads(refuse_in_open_inference(error, "id").body)) == ["error"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (True, True),
        (1.5, 1.5),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (2**63 - 1, 2**63 - 1),
        (2**63, str(2**63)),
        (10**4000, "1" + "0" * 199 + "..."),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 200 + "..."),
        ([1, {"a": None}], '[1,{"a":null}]'),
        ({"a": ["b" * 300]}, '{"a":["' + "b" * 193 + "..."),
    ],
)
def test_refuse_shows_values_as_json_and_shortly(value, shown):
    error = InvalidDataError("The input does not fit.", [Problem("is wrong", "age", row=3, value=value)])
    (detail,) = json.loads(refuse(error, "id").body)["error"]["details"]
    assert detail == {"row": 3, "field": "age", "value": shown, "problem": "is wrong"}
    text = json.loads(refuse_in_open_inference(error, "id").body)["error"]
    assert text.startswith("The input does not fit: row 3, age")
    assert len(text) < 300
