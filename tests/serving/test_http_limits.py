"""What the service refuses before it predicts: keys, sizes, slow and broken bodies, too many requests."""

import json
from contextlib import ExitStack

import pytest

from ml_project.monitoring.storage import read_predictions
from tests.serving.running import KEY, receive_answer, status_of, wait_until
from tests.serving.test_http_contract import check_error

WITH_KEY = {"X_API_Key": KEY}
HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nX-API-Key: " + KEY.encode() + b"\r\n"
CSV = b"pclass,name,sex,age,sibsp,parch,fare\n" + b"1,Ann,female,30,0,0,80\n" * 3
CSV_HEAD = HEAD.replace(b"/predict", b"/invocations") + b"Content-Type: text/csv\r\n"


@pytest.mark.parametrize("path", ["/health", "/ready", "/ping", "/v2/health/live", "/v2/health/ready",
                                  "/v2/models/titanic/ready", "/docs", "/docs/swagger-ui.css"])  # fmt: skip
def test_key_is_not_needed_for_health_and_documentation(limited, path):
    assert limited.get(path).status == 200


@pytest.mark.parametrize("path", ["/version", "/schema", "/metrics", "/openapi.json", "/nowhere", "/predict"])
@pytest.mark.parametrize(
    "given",
    [{}, {"X_API_Key": ""}, {"X_API_Key": KEY[:-1]}, {"X_API_Key": "\u00e9"}, {"Authorization": f"Basic {KEY}"},
     {"Authorization": "Bearer"}, {"Authorization": "Bearer x"}, {"X_API_Key": "x", "Authorization": f"Bearer {KEY}"}],
)  # fmt: skip
def test_key_missing_or_wrong_is_401(limited, path, given):
    answer = limited.get(path, **{name: value.encode("latin-1") for name, value in given.items()})
    message, _ = check_error(answer, 401, "api_key_wrong")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert KEY not in message


def test_key_missing_is_401_in_the_protocol(limited):
    answer = limited.post("/v2/models/titanic/infer", {})
    assert (answer.status, list(answer.json())) == (401, ["error"])


def test_key_in_either_header_opens(limited, record):
    assert limited.post("/predict", record, X_API_Key=KEY).status == 200
    assert limited.post("/predict", record, Authorization=f"bearer {KEY}").status == 200


def test_openapi_document_tells_of_the_key_and_not_the_key(limited):
    answer = limited.get("/openapi.json", **WITH_KEY)
    assert answer.json()["security"] == [{"key": []}, {"bearer": []}]
    assert set(answer.json()["components"]["securitySchemes"]) == {"key", "bearer"}
    assert KEY not in answer.body.decode()


def test_model_has_the_name_of_the_config(limited, record):
    inputs = [{"name": name, "shape": [1], "datatype": "BYTES", "data": [value]} for name, value in record.items()]
    answer = limited.post("/v2/models/titanic/infer", {"inputs": inputs}, **WITH_KEY)
    assert (answer.status, answer.json()["model_name"]) == (200, "titanic")


def test_too_many_records_is_413_in_every_form(limited, record):
    assert limited.post("/predict", [record] * 10, **WITH_KEY).status == 200
    contents = {
        "/predict": [[{}] * 11],
        "/invocations": [
            {"instances": [{}] * 11},
            {"dataframe_split": {"columns": ["age"], "data": [[1]] * 11}},
            {"inputs": {"age": [1] * 11}},
        ],
    }
    for path, forms in contents.items():
        for content in forms:
            message, _ = check_error(limited.post(path, content, **WITH_KEY), 413, "batch_too_large")
            assert message == "11 records at once are too many; send at most 10 per request"
    answer = limited.ask("POST", "/invocations", b"age\n" + b"1\n" * 5000,
                         {"Content-Type": "text/csv", "X-API-Key": KEY})  # fmt: skip
    check_error(answer, 413, "batch_too_large")
    tensor = {"name": "age", "shape": [11], "datatype": "FP64", "data": [1] * 11}
    answer = limited.post("/v2/models/titanic/infer", {"inputs": [tensor]}, **WITH_KEY)
    assert (answer.status, answer.json()) == (413, {"error": message})


@pytest.mark.parametrize("n_bytes", [20_001, 100_000, 5_000_000])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_too_large_body_is_413_that_its_sender_gets(limited, n_bytes, is_chunked):
    """The sender reads nothing before it has sent everything, as most libraries do."""
    with limited.connect() as connection:
        if is_chunked:
            connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
            for begin in range(0, n_bytes, 50_000):
                size = min(50_000, n_bytes - begin)
                connection.sendall(b"%x\r\n%s\r\n" % (size, b" " * size))
            connection.sendall(b"0\r\n\r\n")
        else:
            connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % n_bytes)
            connection.sendall(b" " * n_bytes)
        raw = receive_answer(connection)
    assert status_of(raw) == 413
    assert b'"body_too_large","message":"The body has more than 20,000 bytes; send fewer records"' in raw


def test_largest_body_is_accepted(limited, record):
    body = json.dumps(record).encode()
    assert limited.post("/predict", body.ljust(20_000), **WITH_KEY).status == 200
    assert limited.post("/predict", body.ljust(20_001), **WITH_KEY).status == 413


def test_too_large_body_that_waits_for_permission_is_refused(limited):
    """As curl does with large bodies; what it does not get a permission for it does not send."""
    with limited.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: 30000\r\nExpect: 100-continue\r\n\r\n")
        raw = connection.recv(100_000)
        if raw == b"HTTP/1.1 100 Continue\r\n\r\n":
            connection.sendall(b" " * 30_000)
            raw = receive_answer(connection)
    assert status_of(raw) == 413


def test_body_that_waits_for_permission_is_taken(limited, record):
    body = json.dumps(record).encode()
    with limited.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body))
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert status_of(receive_answer(connection)) == 200


def test_chunked_body_in_pieces_is_put_together(limited):
    with limited.connect() as connection:
        connection.sendall(CSV_HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        for begin in range(0, len(CSV), 7):
            piece = CSV[begin : begin + 7]
            connection.sendall(b"%x;a=b\r\n%s\r\n" % (len(piece), piece))
        connection.sendall(b"0\r\n\r\n")
        raw = receive_answer(connection)
    assert status_of(raw) == 200
    assert raw.count(b"prediction_id") == 3


def test_body_that_stops_is_408_and_ends_the_connection(limited):
    with limited.connect() as connection:
        connection.sendall(CSV_HEAD + b"Content-Length: 1000\r\n\r\n" + CSV)
        raw = receive_answer(connection)
        assert status_of(raw) == 408
        assert b'"body_too_slow","message":"The body did not arrive within 1 seconds' in raw
        assert connection.recv(1) == b""


def test_body_in_time_is_answered_however_many_stop(limited, record):
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(limited.connect()).sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
        assert limited.post("/predict", record, **WITH_KEY).status == 200


@pytest.mark.parametrize("head", [b"GET /hea", b""])
def test_heads_that_stop_do_not_stop_the_others(limited, head):
    with ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(limited.connect()).sendall(head)
        assert limited.get("/health").status == 200


def test_clients_that_do_not_close_do_not_stop_the_others(limited):
    with ExitStack() as stack:
        for _ in range(10):
            connection = stack.enter_context(limited.connect())
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert status_of(receive_answer(connection)) == 200
        assert limited.get("/health").status == 200


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 5000\r\n\r\n" + CSV,
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(CSV), CSV),
        b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s" % (len(CSV) + 30, CSV),
    ],
)
def test_body_that_is_cut_off_is_not_predicted(limited, rest):
    """A CSV that ends between two rows looks like a whole one."""
    n_before = limited.metric("ml_project_predictions_total", **WITH_KEY)
    with limited.connect() as connection:
        connection.sendall(CSV_HEAD + rest)
        connection.shutdown(1)  # its sender has ended, and can still read
        raw = receive_answer(connection)
    assert raw == b"" or status_of(raw) == 400
    assert limited.metric("ml_project_predictions_total", **WITH_KEY) == n_before


@pytest.mark.parametrize("size", [b"zz", b"-5", b"", b"1 0", b"0x10", b"\xff"])
def test_broken_chunk_is_400_and_ends_the_connection(limited, size):
    n_before = limited.metric("ml_project_predictions_total", **WITH_KEY)
    smuggled = CSV_HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(CSV), CSV)
    with limited.connect() as connection:
        connection.sendall(
            CSV_HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n%s\r\n%s" % (len(CSV), CSV, size, smuggled)
        )
        content = b""
        while piece := connection.recv(100_000):
            content += piece
    assert status_of(content) == 400
    assert content.count(b"HTTP/1.1 ") == 1
    assert limited.metric("ml_project_predictions_total", **WITH_KEY) == n_before


@pytest.mark.parametrize(
    "lines",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: -5",
        b"Content-Length: abc",
        b"Content-Length: 5 5",
        b"Content Length: 5",
        b": 5",
        b"X-A: a\x00b",
    ],
)
def test_ambiguous_head_is_400_and_ends_the_connection(limited, lines):
    with limited.connect() as connection:
        connection.sendall(HEAD + lines + b"\r\n\r\n{}   ")
        content = b""
        while piece := connection.recv(100_000):
            content += piece
    assert status_of(content) == 400
    assert content.count(b"HTTP/1.1 ") == 1


def test_too_many_requests_is_503_with_a_time_to_try_again(limited, record):
    with ExitStack() as stack:
        held = [stack.enter_context(limited.connect()) for _ in range(3)]
        for connection in held:
            connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
        refused = []
        wait_until(lambda: refused.append(limited.post("/predict", record, **WITH_KEY)) or refused[-1].status == 503)
        message, _ = check_error(refused[-1], 503, "overloaded")
        assert message == "3 requests are under way already; try again in a moment"
        assert refused[-1].headers["retry-after"] == "1"
    wait_until(lambda: limited.post("/predict", record, **WITH_KEY).status == 200)


def stored(services, request):
    folder = services.folders[request.node.callspec.params["limited"], "limited"]
    return read_predictions(f"sqlite:///{folder}/predictions.db").set_index("prediction_id")


def test_durable_answer_is_in_the_database(limited, services, record, request):
    answer = limited.post("/predict", [record] * 3, **WITH_KEY, X_Request_Id="durable")
    rows = stored(services, request).query("request_id == 'durable'")
    assert list(rows.index) == [item["prediction_id"] for item in answer.json()["predictions"]]
    assert set(rows["model_version"]) == {answer.headers["x-model-version"]}


def test_durable_label_is_in_the_database(limited, services, record, request):
    prediction_id = limited.post("/predict", record, **WITH_KEY).json()["prediction_id"]
    assert limited.post("/feedback", {"prediction_id": prediction_id, "label": 1.0}, **WITH_KEY).status == 202
    assert stored(services, request).loc[prediction_id, "label"] == 1


def test_nothing_is_left_under_way(limited):
    wait_until(lambda: limited.metric("ml_project_requests_in_flight", **WITH_KEY) <= 1)
