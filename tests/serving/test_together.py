"""Requests that come together are scored together: every answer is the one that its record gets alone."""

import json
import re
import selectors

import pytest

from ml_project.artifacts.loading import load_artifact
from ml_project.errors import FeatureError
from ml_project.serving.together import score_together
from tests.artifacts.fitted import fit
from tests.example.features import FEATURE_PROCESSES
from tests.serving.running import receive_answer, status_of

N_CONNECTIONS = 24


def test_score_together_gives_each_record_what_it_gets_alone(artifact, records):
    for begin in range(0, len(records), 16):
        some = records[begin : begin + 16]
        for record, prepared in zip(some, score_together(artifact, some), strict=True):
            alone = artifact.pipeline.score_records([record])
            assert prepared.record is record
            assert prepared.model is artifact
            assert list(prepared.scored.records) == list(alone.records)
            assert prepared.scored.outputs.tobytes() == alone.outputs.tobytes()
            assert list(prepared.scored.engineered) == list(alone.engineered)
            for name, values in alone.engineered.items():
                assert repr(prepared.scored.engineered[name].tolist()) == repr(values.tolist())


@pytest.mark.parametrize("candidate", ["linear", "random_forest", "histogram_boosting"])
def test_score_together_of_each_kind_of_model_gives_the_same_bits(candidate, records, tmp_path):
    model = fit(candidate)
    loaded = load_artifact(model.export(tmp_path / "model.zip", config=model.with_engine("onnx")), FEATURE_PROCESSES)
    some = records[:100]
    for record, prepared in zip(some, score_together(loaded, some), strict=True):
        assert prepared.scored.outputs.tobytes() == loaded.pipeline.score_records([record]).outputs.tobytes()


def test_score_together_leaves_invalid_records_to_themselves(artifact, record):
    found = score_together(artifact, [record, record | {"sex": 3}, {}, record])
    assert [prepared is None for prepared in found] == [False, True, True, False]
    assert score_together(artifact, [{}, {}]) == [None, None]
    assert score_together(artifact, []) == []


def test_score_together_with_an_engine_that_may_round_differently_leaves_all(record, tmp_path):
    model = fit("linear")
    loaded = load_artifact(model.export(tmp_path / "model.zip", config=model.with_engine("native")), FEATURE_PROCESSES)
    assert score_together(loaded, [record] * 2) == [None, None]


def test_score_together_with_a_feature_that_fails_leaves_all(artifact_file, record, monkeypatch):
    loaded = load_artifact(artifact_file, FEATURE_PROCESSES)

    def fail(columns):
        raise FeatureError("not for these")

    monkeypatch.setattr(loaded.pipeline.features, "compute", fail)
    assert score_together(loaded, [record] * 2) == [None, None]


def request_of(body, identifier):
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-Request-Id: {identifier}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def test_connections_that_ask_together_get_their_own_answers(services, artifact, records):
    service = services("fastapi")
    connections = [service.connect() for _ in range(N_CONNECTIONS)]
    try:
        for begin in range(0, 480, N_CONNECTIONS):
            bodies = [json.dumps(record).encode() for record in records[begin : begin + N_CONNECTIONS]]
            bodies[3], bodies[7], bodies[11] = b"{", b'{"sex": 3}', b"[" + bodies[11] + b"]"
            for number, (connection, body) in enumerate(zip(connections, bodies, strict=True)):
                connection.sendall(request_of(body, f"r{begin}-{number}"))
            for number, connection in enumerate(connections):
                check_answer(receive_answer(connection), f"r{begin}-{number}", bodies[number], artifact)
    finally:
        for connection in connections:
            connection.close()


def check_answer(raw, identifier, body, artifact):
    head, _, content = raw.partition(b"\r\n\r\n")
    assert re.search(rb"x-request-id: ([^\r]+)", head)[1].decode() == identifier
    if body in (b"{", b'{"sex": 3}'):
        assert status_of(raw) == (400 if body == b"{" else 422)
        return
    assert status_of(raw) == 200
    answer, record = json.loads(content), json.loads(body)
    if isinstance(record, list):
        (answer,), (record,) = answer["predictions"], record
    expected = artifact.pipeline.predict_record(record)
    assert {name: answer[name] for name in expected} == expected


def test_connections_that_close_before_the_answer_do_not_harm_the_others(services, record):
    service = services("fastapi")
    body = json.dumps(record).encode()
    selector = selectors.DefaultSelector()
    for number in range(200):
        connection = service.connect()
        connection.sendall(request_of(body, f"c{number}"))
        if number % 2:
            connection.close()
        else:
            selector.register(connection, selectors.EVENT_READ)
    for key in list(selector.get_map().values()):
        assert status_of(receive_answer(key.fileobj)) == 200
        key.fileobj.close()
    assert service.metric("ml_project_requests_in_flight") <= 1
