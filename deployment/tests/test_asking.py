"""Requests as they are: the connection that is kept, prefixes, keys, and how long a cold start is waited for."""

from __future__ import annotations

import pytest

from deployment.tests.asking import HttpAsk, wait_for_answer
from deployment.tests.targets import KEY_VARIABLE, WebTarget
from ml_project.serving.messages import HttpRequest
from tests.serving.scripted_server import scripted_server, unused_port

PING = ("GET", "/ping", {})


@pytest.fixture
def asking():
    """Return a function that makes what asks a URL; closed at the end."""
    made = []

    def make(url, **options):
        made.append(HttpAsk(url, **options))
        return made[-1]

    yield make
    for ask in made:
        ask.close()


def test_requests_go_below_the_prefix_on_one_connection_with_the_headers(asking):
    with scripted_server((200, {"a": 1}, {"X-Name": "v", "Content-Type": "application/json"})) as script:
        ask = asking(f"{script.url}/stage/", headers={"x-api-key": "k"})
        answers = [ask(HttpRequest("POST", "/a b", {"content-type": "application/json"}, b"[1]")) for _ in range(2)]
    assert [(answer.status, answer.body, answer.media_type) for answer in answers] == [
        (200, b'{"a": 1}', "application/json")
    ] * 2
    assert answers[0].headers["x-name"] == "v"
    assert [(seen.method, seen.path, seen.content) for seen in script.seen] == [("POST", "/stage/a%20b", [1])] * 2
    assert script.seen[0].connection == script.seen[1].connection
    assert script.seen[0].headers["x-api-key"] == "k"


@pytest.mark.parametrize("url", ["predictions.example.com", "ftp://127.0.0.1", "http://"])
def test_address_that_is_none_is_refused(url):
    with pytest.raises(ValueError, match="is no address such as https"):
        HttpAsk(url)


def test_gateway_of_a_cold_deployment_is_asked_again(asking):
    with scripted_server((503, {}), "drop", (502, {}), (200, {})) as script:
        answer = asking(script.url, patience_seconds=30)(HttpRequest(*PING))
    assert answer.status == 200
    assert len(script.seen) == 4


def test_without_patience_the_first_answer_counts(asking):
    with scripted_server((503, {}), (200, {})) as script:
        assert asking(script.url)(HttpRequest(*PING)).status == 503


def test_answer_of_a_client_error_is_never_asked_again(asking):
    with scripted_server((404, {}), (200, {})) as script:
        assert asking(script.url, patience_seconds=30)(HttpRequest(*PING)).status == 404


def test_patience_ends(asking):
    with pytest.raises(ConnectionRefusedError):
        asking(f"http://127.0.0.1:{unused_port()}", patience_seconds=0.2)(HttpRequest(*PING))


def test_live_web_target_sends_the_key_of_the_environment(monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, "secret")
    with scripted_server((200, {})) as script:
        ask = WebTarget().live(script.url)
        ask(HttpRequest(*PING))
        ask.close()
    assert script.seen[0].headers["x-api-key"] == "secret"


def test_waiting_ends_with_the_status_that_is_waited_for():
    with scripted_server((503, {}), (404, {}), (200, {})) as script:
        wait_for_answer(f"{script.url}/ready", seconds=30)
    assert [seen.path for seen in script.seen] == ["/ready"] * 3


def test_waiting_in_vain_says_what_was_answered_at_last():
    wanted = r"gave no 200 within 0 s; at last: 503 .*no model"
    with scripted_server((503, {"why": "no model"})) as script, pytest.raises(TimeoutError, match=wanted):
        wait_for_answer(f"{script.url}/ready", seconds=0.2)


def test_waiting_for_a_server_that_has_ended_says_why():
    with pytest.raises(RuntimeError, match="no artifact"):
        wait_for_answer(f"http://127.0.0.1:{unused_port()}/ready", ended=lambda: "no artifact")
