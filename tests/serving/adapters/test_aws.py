"""What AWS Lambda calls a function with: every kind of event, answered by the real contract with a real model."""

import base64
import json
import struct

import pytest

from ml_project.config import Config
from ml_project.errors import ConfigError
from ml_project.serving.adapters.aws import LambdaAdapter, LambdaSettings, trace_of
from ml_project.serving.adapters.aws_http import read_head, to_response
from ml_project.serving.assembly import assemble_service
from ml_project.serving.messages import HttpAnswer
from tests.example.features import FEATURE_PROCESSES
from tests.serving.adapters.aws_events import (
    CLOCK_EVENT,
    CONTEXT,
    balancer_event,
    queue_event,
    rest_event,
    url_event,
)
from tests.serving.running import KEY

JSON = {"content-type": "application/json"}


def assemble(artifact_file, **serving):
    config = Config.model_validate(
        {
            "data": {"source": "none", "target_column": "survived"},
            "features": {"columns": ["age"]},
            "artifacts": {"path": artifact_file},
            "serving": {"log_requests": False, "model_name": "titanic", **serving},
            "monitoring": {"storage": None},
        }
    )
    return assemble_service(config, FEATURE_PROCESSES, needs_model=True)


@pytest.fixture(scope="module")
def parts(artifact_file):
    parts = assemble(artifact_file)
    yield parts
    parts.close()


@pytest.fixture(scope="module")
def function(parts):
    return LambdaAdapter(parts.api)


@pytest.fixture(scope="module")
def locked(artifact_file):
    """A function with a key, low limits and a prefix."""
    parts = assemble(artifact_file, api_key=KEY, max_body_bytes=1000, max_batch_rows=2)
    yield LambdaAdapter(parts.api, LambdaSettings(api_key=KEY, base_path="/titanic"))
    parts.close()


@pytest.fixture
def sent(record):
    return json.dumps(record).encode()


def answer(function, event):
    return function.answer(event, CONTEXT)


KINDS = {
    "url": url_event,
    "rest": rest_event,
    "balancer": balancer_event,
    "balancer_with_several_values": lambda *args: balancer_event(*args, several_values=True),
}


class TestHttp:
    @pytest.fixture(params=KINDS)
    def make_event(self, request):
        return KINDS[request.param]

    def test_record_is_predicted(self, function, make_event, sent, pipeline, record):
        response = answer(function, make_event("POST", "/predict", sent, JSON))
        assert response["statusCode"] == 200
        assert response["isBase64Encoded"] is False
        body = json.loads(response["body"])
        assert body.pop("prediction_id")
        body.pop("outliers", None)
        assert body == pipeline.predict_records([record])[0]

    def test_error_has_status_and_body_of_contract(self, function, make_event):
        response = answer(function, make_event("POST", "/predict", b'{"sex": "f"}', JSON))
        assert response["statusCode"] == 422
        assert json.loads(response["body"])["error"]["code"] == "data_invalid"

    def test_body_in_base64_is_decoded(self, function, make_event, sent):
        event = make_event("POST", "/predict", sent, JSON)
        event |= {"body": base64.b64encode(sent).decode(), "isBase64Encoded": True}
        assert answer(function, event)["statusCode"] == 200

    def test_body_that_is_no_base64_is_refused(self, function, make_event):
        event = {**make_event("POST", "/predict", b"", JSON), "body": "!", "isBase64Encoded": True}
        response = answer(function, event)
        assert response["statusCode"] == 400
        assert json.loads(response["body"])["error"]["code"] == "body_incomplete"

    def test_half_a_surrogate_pair_is_refused(self, function, make_event):
        event = {**make_event("POST", "/predict", b"", JSON), "body": '"\ud800"'}
        assert answer(function, event)["statusCode"] == 400

    def test_path_is_percent_decoded(self, function, make_event):
        assert answer(function, make_event("GET", "/%68ealth"))["statusCode"] == 200

    def test_head_has_no_body(self, function, make_event):
        response = answer(function, make_event("HEAD", "/version"))
        assert (response["statusCode"], response["body"]) == (200, "")

    def test_request_id_is_that_of_invocation(self, function, make_event):
        assert headers_of(answer(function, make_event("GET", "/health")))["X-Request-Id"] == CONTEXT.aws_request_id

    def test_request_id_of_client_counts(self, function, make_event):
        response = answer(function, make_event("GET", "/health", b"", {"X-Request-Id": "mine"}))
        assert headers_of(response)["X-Request-Id"] == "mine"

    def test_key_is_asked_for(self, locked, make_event):
        assert answer(locked, make_event("GET", "/schema"))["statusCode"] == 401
        assert answer(locked, make_event("GET", "/schema", b"", {"X-Api-Key": KEY}))["statusCode"] == 200

    def test_large_body_is_refused(self, locked, make_event):
        event = make_event("POST", "/predict", b" " * 1001, {**JSON, "X-Api-Key": KEY})
        response = answer(locked, event)
        assert response["statusCode"] == 413
        assert json.loads(response["body"])["error"]["code"] == "body_too_large"

    @pytest.mark.parametrize(
        "path", ["/openapi.json", "/docs", "/metrics", "/schema", "/version", "/v2", "/v2/models/titanic"]
    )
    def test_every_page_is_there(self, function, make_event, path):
        response = answer(function, make_event("GET", path))
        assert response["statusCode"] == 200
        assert response["body"]

    def test_csv_is_understood(self, function, make_event):
        body = b"pclass,name,sex,sibsp,parch\n1,Dee,female,0,1\n"
        assert (
            answer(function, make_event("POST", "/invocations", body, {"Content-Type": "text/csv"}))["statusCode"]
            == 200
        )

    def test_binary_answer_is_in_base64(self, make_event):
        event = make_event("GET", "/picture")
        request = read_head(event, frozenset())
        response = to_response(event, request, HttpAnswer(200, b"\x89PNG", "image/png"))
        assert response["isBase64Encoded"] is True
        assert base64.b64decode(response["body"]) == b"\x89PNG"

    def test_binary_tensors_are_read(self, function, make_event):
        asked = {
            "inputs": [
                {"name": "pclass", "shape": [1], "datatype": "INT64", "parameters": {"binary_data_size": 8}},
                {"name": "name", "shape": [1], "datatype": "BYTES", "data": ["Dee"]},
                {"name": "sex", "shape": [1], "datatype": "BYTES", "data": ["female"]},
                {"name": "sibsp", "shape": [1], "datatype": "INT64", "data": [0]},
                {"name": "parch", "shape": [1], "datatype": "FP64", "parameters": {"binary_data_size": 8}},
            ]
        }
        head = json.dumps(asked).encode()
        body = head + (1).to_bytes(8, "little") + struct.pack("<d", 1.0)
        headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(head))}
        event = make_event("POST", "/v2/models/titanic/infer", body, headers)
        assert event["isBase64Encoded"] is True
        response = answer(function, event)
        assert response["statusCode"] == 200, response["body"]


def headers_of(response):
    if "multiValueHeaders" in response:
        assert "headers" not in response
        return {name: ",".join(values) for name, values in response["multiValueHeaders"].items()}
    return response["headers"]


class TestHeaders:
    def test_several_values_are_joined(self, locked):
        event = rest_event("GET", "/schema")
        event["multiValueHeaders"] = {"Accept": ["text/html", "application/json"], "Authorization": [f"Bearer {KEY}"]}
        assert answer(locked, event)["statusCode"] == 200

    def test_null_instead_of_headers_is_none(self, function):
        event = {**rest_event("GET", "/health"), "headers": None, "multiValueHeaders": None}
        response = answer(function, event)
        assert response["statusCode"] == 200
        assert response["headers"]["Content-Type"] == "application/json"

    def test_balancer_gets_lists_only_where_it_sends_lists(self, function):
        assert "multiValueHeaders" not in answer(function, balancer_event("GET", "/health"))
        response = answer(function, balancer_event("GET", "/health", several_values=True))
        assert response["multiValueHeaders"]["Content-Type"] == ["application/json"]

    def test_balancer_gets_description_of_status(self, function):
        assert answer(function, balancer_event("GET", "/nowhere"))["statusDescription"] == "404 Not Found"

    def test_wrong_method_names_the_right_ones(self, function):
        response = answer(function, url_event("GET", "/predict"))
        assert response["statusCode"] == 405
        assert response["headers"]["Allow"] == "POST"


class TestPaths:
    @pytest.mark.parametrize(
        "event",
        [
            url_event("GET", "/prod/health", stage="prod"),
            url_event("GET", "/mapped/health", stage="prod", parameters={"proxy": "health"}),
            rest_event("GET", "/health", stage="prod"),
            rest_event("GET", "/prod/health", stage="prod"),
            rest_event("GET", "/mapped/health", parameters={"proxy": "health"}),
            rest_event("GET", "/health", stage="health"),
            url_event("GET", "/v2/health/live", stage="v2"),
            url_event("GET", "/v2/v2/health/live", stage="v2"),
        ],
    )
    def test_prefix_is_taken_off(self, function, event):
        assert answer(function, event)["statusCode"] == 200

    def test_prefix_of_settings_is_taken_off(self, locked):
        assert answer(locked, balancer_event("GET", "/titanic/health"))["statusCode"] == 200
        assert answer(locked, balancer_event("GET", "/titanics/health"))["statusCode"] == 401

    def test_unknown_path_is_named_without_stage(self, function):
        response = answer(function, url_event("GET", "/prod/nowhere", stage="prod"))
        assert response["statusCode"] == 404
        assert "There is no route /nowhere;" in response["body"]


class TestDirect:
    def test_record_is_answered_as_by_predict(self, function, record, sent):
        found = answer(function, record)
        wanted = json.loads(answer(function, url_event("POST", "/predict", sent, JSON))["body"])
        assert {**found, "prediction_id": None} == {**wanted, "prediction_id": None}

    def test_list_is_answered_with_predictions(self, function, record):
        assert len(answer(function, [record, record])["predictions"]) == 2

    def test_records_are_answered_with_predictions(self, function, record):
        assert len(answer(function, {"records": [record]})["predictions"]) == 1
        assert answer(function, {"records": []}) == {"predictions": []}

    @pytest.mark.parametrize(
        ("event", "code"),
        [
            ({"sex": "f"}, "data_invalid"),
            ({"records": [{}]}, "data_invalid"),
            ({}, "data_invalid"),
            (7, "not_json"),
            (None, "not_json"),
            ("\ud800", "not_json"),
            ({"age": float("nan")}, "not_json"),
            ({"Records": [{"EventSource": "aws:sns", "Sns": {}}]}, "request_unusable"),
            ({"Records": [{"eventSource": "aws:s3", "s3": {}}]}, "request_unusable"),
            ({"Records": []}, "request_unusable"),
        ],
    )
    def test_error_is_raised_with_code_as_type_and_body_as_message(self, function, event, code):
        with pytest.raises(Exception, match=f'"code":"{code}"') as raised:
            answer(function, event)
        assert type(raised.value).__name__ == code
        assert json.loads(str(raised.value))["error"]["code"] == code

    def test_unknown_source_is_named(self, function):
        with pytest.raises(Exception, match="Events of aws:s3 are not understood"):
            answer(function, {"Records": [{"eventSource": "aws:s3"}]})

    def test_limits_hold(self, locked, record):
        with pytest.raises(Exception, match="batch_too_large"):
            answer(locked, [record] * 3)
        with pytest.raises(Exception, match="body_too_large"):
            answer(locked, [record] * 100)

    def test_key_is_not_asked_for(self, locked, record):
        assert answer(locked, record)["prediction_id"]

    def test_clock_is_answered_without_prediction(self, function, artifact):
        assert answer(function, CLOCK_EVENT) == {"status": "ready", "model_version": artifact.model_version}


class TestQueue:
    def test_messages_are_answered_and_logged(self, function, sent, caplog):
        caplog.set_level("INFO", "ml_project.serving.queue")
        event = queue_event(sent.decode(), f"[{sent.decode()}]")
        assert answer(function, event) == {"batchItemFailures": []}
        assert [line.message_id for line in caplog.records] == ["message-0", "message-1"]
        assert caplog.records[0].requestId == CONTEXT.aws_request_id
        assert "probas" in caplog.records[0].answer
        assert len(caplog.records[1].answer["predictions"]) == 1

    def test_refused_message_is_delivered_again(self, function, sent, caplog):
        event = queue_event("{", sent.decode(), '{"sex": "f"}', "\ud800")
        failed = [{"itemIdentifier": f"message-{number}"} for number in (0, 2, 3)]
        assert answer(function, event) == {"batchItemFailures": failed}
        assert [(line.levelname, line.status) for line in caplog.records] == [
            ("WARNING", 400),
            ("WARNING", 422),
            ("WARNING", 400),
        ]
        assert caplog.records[1].answer["error"]["code"] == "data_invalid"
        assert caplog.records[1].deliveries == "1"

    def test_refused_message_is_dropped_where_wanted(self, parts, caplog):
        function = LambdaAdapter(parts.api, LambdaSettings(drops_refused_messages=True))
        assert answer(function, queue_event("{")) == {"batchItemFailures": []}
        assert [line.levelname for line in caplog.records] == ["ERROR"]

    def test_failure_of_service_is_delivered_again_always(self, parts, monkeypatch, sent, caplog):
        def fail(*_, **__):
            raise RuntimeError

        monkeypatch.setattr(parts.service, "predict", fail)
        function = LambdaAdapter(parts.api, LambdaSettings(drops_refused_messages=True))
        failed = {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
        assert answer(function, queue_event(sent.decode())) == failed
        assert caplog.records[-1].status == 500

    def test_order_of_a_group_is_kept(self, function, sent):
        good = sent.decode()
        event = queue_event("{", good, good, good, groups=["a", "b", "a", "b"])
        failed = [{"itemIdentifier": f"message-{number}"} for number in (0, 2)]
        assert answer(function, event) == {"batchItemFailures": failed}

    def test_key_is_not_asked_for(self, locked, sent):
        assert answer(locked, queue_event(sent.decode())) == {"batchItemFailures": []}


class TestSettings:
    def test_environment_is_read(self):
        environment = {"ML_PROJECT_SERVING__API_KEY": KEY, "BASE_PATH": "/titanic/", "SQS_REFUSED_MESSAGES": "drop"}
        wanted = LambdaSettings(api_key=KEY, base_path="/titanic", drops_refused_messages=True)
        assert LambdaSettings.from_environment(environment) == wanted
        assert LambdaSettings.from_environment({}) == LambdaSettings()

    def test_wrong_choice_is_refused(self):
        with pytest.raises(ConfigError, match="SQS_REFUSED_MESSAGES is 'keep'; set it to retry or drop"):
            LambdaSettings.from_environment({"SQS_REFUSED_MESSAGES": "keep"})


class TestTrace:
    @pytest.mark.parametrize("header", ["", "Root", "Parent=1;Sampled=0"])
    def test_absent_root_is_none(self, header):
        assert not trace_of(header)

    def test_trace_and_request_reach_the_log_line(self, parts, monkeypatch):
        seen = []
        monkeypatch.setenv(
            "_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
        )
        answer_request = parts.api.answer
        monkeypatch.setattr(parts.api, "answer", lambda request: seen.append(request) or answer_request(request))
        answer(LambdaAdapter(parts.api), url_event("GET", "/health"))
        assert seen[0].log_fields == {
            "requestId": CONTEXT.aws_request_id,
            "xray_trace_id": "1-5759e988-bd862e3fe1be46a994272793",
        }
