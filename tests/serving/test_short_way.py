"""Small requests that arrive as a whole are answered past ASGI: nobody can tell by the answers."""

import json
import re
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.serving.running import receive_answer, running, status_of, wait_until
from tests.serving.test_added_routes import MIDDLEWARE_MODULE

TYPE = b"Content-Type: application/json\r\n"
CHANGING = rb'"prediction_id":"[^"]+"|x-request-id: \w+|"request_id":"\w+"|date: [^\r]+'


@pytest.fixture
def service(services):
    return services("fastapi")


@pytest.fixture
def one(record):
    return request_of(json.dumps(record).encode())


def request_of(body, path=b"/predict", headers=TYPE, version=b"1.1"):
    length = b"Content-Length: %d\r\n" % len(body)
    return b"POST " + path + b" HTTP/" + version + b"\r\nHost: x\r\n" + headers + length + b"\r\n" + body


def send_in_parts(service, *parts):
    with service.connect() as connection:
        for number, part in enumerate(parts):
            if number:
                time.sleep(0.05)  # or the system may join what is to arrive apart
            connection.sendall(part)
        return receive_answer(connection)


def without_what_changes(raw):
    assert re.search(CHANGING, raw)
    return re.sub(CHANGING, b"", raw)


def requests_of(record):
    valid = json.dumps(record).encode()
    csv = ",".join(record).encode() + b"\n" + b",".join(b"" for _ in record) + b"\n"
    return {
        "one record": request_of(valid),
        "some records": request_of(b"[" + valid + b"," + valid + b"]"),
        "no records": request_of(b"[]"),
        "invalid record": request_of(b'{"sex": 3}'),
        "no JSON": request_of(b"{"),
        "empty": request_of(b""),
        "another type": request_of(valid, headers=b"Content-Type: text/plain\r\n"),
        "another encoding": request_of(valid, headers=TYPE + b"Content-Encoding: gzip\r\n"),
        "a header twice": request_of(valid, headers=TYPE + b"X-A: 1\r\nX-A: 2\r\n"),
        "own identifier": request_of(valid, headers=TYPE + b"X-Request-Id: mine\r\n"),
        "invocations": request_of(b'{"instances": [' + valid + b"]}", path=b"/invocations"),
        "CSV": request_of(csv, path=b"/invocations", headers=b"Content-Type: text/csv\r\n"),
        "protocol": request_of(b"{}", path=b"/v2/models/model/infer"),
        "feedback": request_of(b'{"prediction_id": "x"}', path=b"/feedback"),
        "wrong method": request_of(b"{}", path=b"/health"),
        "unknown path": request_of(b"{}", path=b"/nowhere"),
        "query": request_of(valid, path=b"/predict?a=1"),
    }


def test_whole_requests_get_the_answers_of_those_that_come_in_parts(service, record):
    for name, request in requests_of(record).items():
        whole = send_in_parts(service, request)
        head_length = request.index(b"\r\n\r\n") + 4
        for place in (head_length - 10, head_length, len(request) - 1):
            parts = send_in_parts(service, request[:place], request[place:])
            assert without_what_changes(parts) == without_what_changes(whole), name


def test_chunked_body_is_answered_alike_whether_it_comes_at_once_or_not(service, one):
    body = one.partition(b"\r\n\r\n")[2]
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\n" + TYPE + b"Transfer-Encoding: chunked\r\n\r\n"
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:5], body[5:])]
    expected = without_what_changes(send_in_parts(service, one))

    assert without_what_changes(send_in_parts(service, b"".join([head, *chunks, b"0\r\n\r\n"]))) == expected
    assert without_what_changes(send_in_parts(service, head, *chunks, b"0\r\n\r\n")) == expected


def test_requests_that_come_together_are_answered_in_their_order(service, one, record):
    get = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    large = request_of(json.dumps([record] * 1000).encode())
    last = one.replace(b"Host: x", b"Host: x\r\nConnection: close")
    with service.connect() as connection:
        connection.sendall(one + one + get + one + large + one + b"\r\n" + last)
        content = b""
        while piece := connection.recv(262_144):
            content += piece
    bodies = re.findall(rb"\r\n\r\n(\{.*?\})(?=HTTP/1.1 200 OK|$)", content)
    kinds = [next(iter(json.loads(body))) for body in bodies]
    assert kinds == ["prediction_id", "prediction_id", "status", "prediction_id", "predictions", *["prediction_id"] * 2]


def test_connection_is_kept_and_closed_as_the_request_says(service, one):
    closing = one.replace(b"Host: x", b"Host: x\r\nConnection: close")
    old = one.replace(b"HTTP/1.1", b"HTTP/1.0")
    for request in (closing, old):
        with service.connect() as connection:
            connection.sendall(one)
            assert status_of(receive_answer(connection)) == 200
            connection.sendall(request)
            answer = receive_answer(connection)
            assert (status_of(answer), b"connection: close" in answer) == (200, True)
            assert connection.recv(100) == b""


def test_broken_and_abandoned_requests_leave_the_service_as_it_was(service, one):
    for broken in (b"POST /predict HTTP/1.1\r\nContent-Length: x\r\n\r\n", one + b"\x00\x01 nonsense\r\n\r\n"):
        with service.connect() as connection:
            connection.sendall(broken)
            content = b""
            while piece := connection.recv(65_536):
                content += piece
        assert content.endswith(b"Invalid HTTP request received.")
    for place in (10, one.index(b"\r\n\r\n") + 4, len(one) - 1):
        with service.connect() as connection:
            connection.sendall(one[:place])
    assert status_of(send_in_parts(service, one)) == 200


def test_whole_requests_are_counted_and_logged(service, one):
    before = service.metric("ml_project_requests_total")
    answer = send_in_parts(service, one.replace(b"Host: x", b"Host: x\r\nX-Request-Id: short-way"))
    assert b"x-request-id: short-way" in answer
    wait_until(lambda: service.metric("ml_project_requests_total") > before)
    line = json.loads(service.wait_for_line('"short-way"'))
    assert (line["path"], line["status"], line["n_records"]) == ("/predict", 200, 1)
    assert line["milliseconds"] > 0


def test_client_that_sends_without_end_and_reads_nothing_does_not_fill_the_memory(service, one):
    before = megabytes(service.process.pid)
    with service.connect() as connection:
        connection.settimeout(0.5)
        end = time.monotonic() + 3
        while time.monotonic() < end:
            with suppress(TimeoutError):
                connection.sendall(one * 1000)
        assert service.get("/health").status == 200
        assert megabytes(service.process.pid) - before < 50


def megabytes(pid):
    found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) / 1000


def uvicorn_words(module, folder, *words):
    """As ``serve`` sets uvicorn up, or there is no short way."""
    return ["-m", "uvicorn", "--factory", f"{module}:make", "--app-dir", str(folder), "--port", "0", "--no-access-log",
            "--no-proxy-headers", "--no-server-header",
            "--http", "ml_project.serving.uvicorn_protocol:GatheringProtocol", *words]  # fmt: skip


PLAIN_MODULE = "from ml_project.web import fastapi_app as make"


def test_timer_of_an_idle_connection_does_not_end_the_request_behind_a_short_one(environment, tmp_path, one):
    (tmp_path / "plain_app.py").write_text(PLAIN_MODULE)
    words = uvicorn_words("plain_app", tmp_path, "--timeout-keep-alive", "1")
    with running(words, environment) as service, service.connect() as connection:
        connection.sendall(one + one[:-5])
        assert status_of(receive_answer(connection)) == 200
        time.sleep(1.5)  # longer than a connection may be idle
        connection.sendall(one[-5:])
        assert status_of(receive_answer(connection)) == 200
        assert connection.recv(100) == b""  # now it was idle


STRANGE_MODULE = """
from ml_project.serving import contract
from ml_project.web import fastapi_app as make

contract.MODEL_VERSION = "X-Model\\u20ac"
"""


def test_answer_whose_head_cannot_be_sent_is_500_and_logged(environment, tmp_path, one):
    (tmp_path / "strange_app.py").write_text(STRANGE_MODULE)
    with running(uvicorn_words("strange_app", tmp_path), environment) as service:
        answer = service.send_raw(one)
        assert (status_of(answer), b"connection: close" in answer) == (500, True)
        wait_until(lambda: any("cannot be sent" in line for line in service.lines))
        service.wait_for_line('"message":"request"')


def test_middleware_sees_whole_requests_too(environment, tmp_path, one):
    (tmp_path / "own_app.py").write_text(MIDDLEWARE_MODULE)
    with running(uvicorn_words("own_app", tmp_path), environment) as service:
        answer = send_in_parts(service, one.replace(b"Host: x", b"Host: x\r\nOrigin: https://shop.example"))
    assert status_of(answer) == 200
    assert b"access-control-allow-origin: https://shop.example" in answer
