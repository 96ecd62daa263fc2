"""Both web frameworks give the same answers, and they are those of the pipeline, to the last bit."""

import json
import re

import pytest

from tests.serving.conftest import FRAMEWORKS

BATCH = 500
OF_THE_SERVER = ("date", "server", "connection")
CHANGING = re.compile(rb'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=")[0-9a-f]{16}(?=")|(?<=id )[0-9a-f]{16}')
"""Identifiers of predictions and requests."""


def bits(answer):
    """Return what an answer of the service says about a record, with the numbers as exact texts."""
    return answer["label"], {name: share.hex() for name, share in answer["probas"].items()}


def test_whole_data_set_is_predicted_as_by_the_pipeline(service, pipeline, records):
    wanted = [bits(answer) for answer in pipeline.predict_records(records)]
    found = []
    for begin in range(0, len(records), BATCH):
        answer = service.post("/predict", records[begin : begin + BATCH])
        found += [bits(item) for item in answer.json()["predictions"]]
    assert len(found) == 1309
    assert found == wanted


def test_single_records_are_predicted_as_in_the_batch(service, pipeline, records):
    some = records[::50]
    wanted = [bits(answer) for answer in pipeline.predict_records(some)]
    assert [bits(service.post("/predict", record).json()) for record in some] == wanted


def test_every_route_predicts_the_same(service, pipeline, records):
    some = records[:100]
    wanted = [bits(answer) for answer in pipeline.predict_records(some)]
    by_invocations = service.post("/invocations", {"instances": some}).json()["predictions"]
    assert [bits(item) for item in by_invocations] == wanted
    inputs = [
        {"name": name, "shape": [100, 1], "datatype": "BYTES", "data": [[record[name]] for record in some]}
        for name in some[0]
    ]
    _, labels, shares = service.post("/v2/models/model/infer", {"inputs": inputs}).json()["outputs"]
    by_tensors = [
        (label, {"0": shares["data"][2 * row].hex(), "1": shares["data"][2 * row + 1].hex()})
        for row, label in enumerate(labels["data"])
    ]
    assert by_tensors == wanted


def requests_to_compare(record):
    """Return requests of every kind, with their headers."""
    body, json_type = json.dumps(record).encode(), {"Content-Type": "application/json"}
    yield "POST", "/predict", body, json_type
    yield "POST", "/predict", b"[%s]" % body, json_type
    yield "POST", "/predict", body, {"Content-Type": "text/plain"}
    yield "POST", "/predict", b"{}", json_type
    yield "POST", "/predict", b"{", json_type
    yield "POST", "/predict", b"", {}
    yield "POST", "/predict", b"[%s]" % b",".join([b"1"] * 10_001), json_type
    yield "POST", "/predict", b" " * 10_000_001, json_type
    yield "POST", "/invocations", b'{"instances": [%s]}' % body, json_type
    yield "POST", "/invocations", b"age\n1,2", {"Content-Type": "text/csv"}
    yield "POST", "/v2/models/model/infer", b"{}", json_type
    yield "POST", "/v2/models/model/infer", b"{}", {**json_type, "Inference-Header-Content-Length": "x"}
    yield "POST", "/feedback", b'{"label": 5}', json_type
    for path in ("/health", "/ready", "/version", "/schema", "/openapi.json", "/docs", "/v2", "/v2/models/model"):
        yield "GET", path, None, {}
        yield "HEAD", path, None, {}
    for path in ("/predict", "/v2/models/model/infer", "/nowhere", "/v2/nowhere", "/a%20b?c=d", "/%ff", "//"):
        yield "GET", path, None, {}
        yield "OPTIONS", path, None, {}


def told(service, request):
    """Return all that an answer says, but for what changes from one to the next."""
    answer = service.ask(*request)
    headers = {name: value for name, value in answer.headers.items() if name not in OF_THE_SERVER}
    assert headers.pop("x-request-id")
    return answer.status, headers, CHANGING.sub(b"...", answer.body)


@pytest.fixture
def both(services):
    return [services(framework) for framework in FRAMEWORKS]


def test_frameworks_answer_byte_by_byte_the_same(both, record):
    for request in requests_to_compare(record):
        answers = [told(service, request) for service in both]
        assert answers[0] == answers[1], request[:2]
