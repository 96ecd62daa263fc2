"""SIGTERM under load: who is connected is answered, who comes later is refused, and what was answered is stored."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ml_project.monitoring.storage import read_predictions
from tests.serving.conftest import FRAMEWORKS
from tests.serving.running import receive_answer, serving, status_of, wait_until

N_CLIENTS = 8
N_REQUESTS_BEFORE = 200


class Load:
    """Clients that ask until they are refused; every second one makes a new connection for each request."""

    def __init__(self, service, record):
        body = json.dumps(record).encode()
        self.service = service
        self.request = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        self.ids = []
        self.last_words = []
        self.cut_off = []

    def run(self, number):
        while True:
            try:
                connection = self.service.connect()
            except ConnectionRefusedError:
                return
            with connection:
                self.use(connection, once=number % 2)

    def use(self, connection, *, once):
        while True:
            try:
                connection.sendall(self.request)
                answer = receive_answer(connection)
            except OSError as error:
                self.cut_off.append(repr(error))
                return
            if not answer:
                self.cut_off.append("closed without an answer")
                return
            head, _, body = answer.partition(b"\r\n\r\n")
            assert status_of(head) == 200, answer
            self.ids.append(json.loads(body)["prediction_id"])
            if once or b"connection: close" in head.lower():
                return


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_end_under_load_cuts_off_no_request_and_loses_no_prediction(artifact_file, record, tmp_path, framework):
    with serving(framework, artifact_file, tmp_path) as service, ThreadPoolExecutor(N_CLIENTS) as threads:
        load = Load(service, record)
        clients = [threads.submit(load.run, number) for number in range(N_CLIENTS)]
        wait_until(lambda: len(load.ids) > N_REQUESTS_BEFORE)
        assert service.stop() == 0
        for client in clients:
            client.result(timeout=30)
    assert load.cut_off == []
    stored = read_predictions(f"sqlite:///{tmp_path}/predictions.db")["prediction_id"]
    assert len(load.ids) > N_REQUESTS_BEFORE
    assert set(load.ids) <= set(stored)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_end_gives_a_request_under_way_time_and_refuses_others_at_once(artifact_file, record, tmp_path, framework):
    body = json.dumps(record).encode()
    with serving(framework, artifact_file, tmp_path) as service, service.connect() as slow, service.connect() as idle:
        slow.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body[:-5]))
        idle.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert status_of(receive_answer(idle)) == 200
        stopping = threading.Thread(target=service.stop)
        stopping.start()
        wait_until(lambda: is_refused(service))
        assert idle.recv(1) == b""  # an idle connection is closed
        assert service.process.poll() is None
        slow.sendall(body[-5:])
        answer = receive_answer(slow)
        stopping.join(30)
        assert service.process.returncode == 0
    assert status_of(answer) == 200
    assert len(read_predictions(f"sqlite:///{tmp_path}/predictions.db")) == 1


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_end_does_not_wait_for_ever(artifact_file, tmp_path, framework):
    options = {"serving__shutdown_seconds": 1, "serving__max_body_seconds": 100}
    with serving(framework, artifact_file, tmp_path, **options) as service, service.connect() as slow:
        slow.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
        wait_until(lambda: service.metric("ml_project_requests_in_flight") >= (1 if framework == "fastapi" else 2))
        assert service.stop() == 0


def is_refused(service):
    try:
        service.connect().close()
    except ConnectionRefusedError:
        return True
    return False
