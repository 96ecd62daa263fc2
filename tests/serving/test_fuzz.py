"""Hostile requests to both services: the short form of executables/fuzz_service.py, whose judge is tested too."""

import importlib.util
import socket
import sys
import threading
from contextlib import contextmanager

import pytest

from tests.serving.conftest import FRAMEWORKS
from tests.workspace import REPOSITORY

N_REQUESTS = 1000
RECORD = {"age": 30.0, "sex": "female"}


@pytest.fixture(scope="module")
def script():
    name = "fuzz_service"
    spec = importlib.util.spec_from_file_location(name, REPOSITORY / f"executables/{name}.py")
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, name, module)  # where its dataclasses look for it
        patch.syspath_prepend(str(REPOSITORY / "executables"))
        spec.loader.exec_module(module)
        yield module


def test_fuzz_no_failure_no_hang_no_leak_and_the_same_answers(script, services, artifact):
    targets = [script.Target(framework, services(framework).port) for framework in FRAMEWORKS]
    script.fuzz(targets, dict(artifact.example), n_requests=N_REQUESTS, number=1)
    for target in targets:
        assert target.statuses.total() >= N_REQUESTS
        assert target.statuses[200] > 100
        assert target.statuses[422] > 100
        assert services(target.name).metric("ml_project_lost_predictions_total") == 0
        assert services(target.name).post("/predict", artifact.example).status == 200


@contextmanager
def server(answer):
    """A server that gives one answer to all requests, and gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        def serve():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(10)
                    while connection.recv(1_000_000) and answer:
                        connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def http(status, body):
    return b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


@pytest.mark.parametrize(
    ("answer", "wording"),
    [
        (http(500, b"{}"), "answers 500"),
        (http(503, b"{}"), "answers 503"),
        (http(400, b'{"detail": "x"}'), "another form of error"),
        (http(400, b'{"error": {"message": "x"}}'), "another form of error"),
        (http(400, b'{"error": "ValueError: x"}'), "shows its inside"),
        (http(200, b'{"error": "File \\"/srv/x.py\\""}'), "shows its inside"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "does not say how long"),
        (b"", "closes the connection without an answer"),
    ],
)
def test_judge_finds_wrong_answers(script, answer, wording):
    with server(answer) as port, pytest.raises(script.WrongAnswerError, match=wording) as caught:
        script.fuzz([script.Target("server", port)], RECORD, n_requests=50, number=1)
    assert "\nto Request(b'" in str(caught.value)


def test_judge_finds_different_answers(script):
    with server(http(200, b"1")) as one, server(http(200, b"2")) as other:
        targets = [script.Target("one", one), script.Target("other", other)]
        with pytest.raises(script.WrongAnswerError, match=r"the services answer differently: one: .*; other: "):
            script.fuzz(targets, RECORD, n_requests=50, number=1)


def test_judge_finds_a_server_that_does_not_answer(script, monkeypatch):
    monkeypatch.setattr(script, "HANG_SECONDS", 0.05)
    with (
        socket.create_server(("127.0.0.1", 0), backlog=1000) as silent,
        pytest.raises(script.WrongAnswerError, match="server does not answer"),
    ):
        script.fuzz([script.Target("server", silent.getsockname()[1])], RECORD, n_requests=5, number=1)
