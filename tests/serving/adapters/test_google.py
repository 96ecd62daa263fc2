import json
import subprocess
import sys

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from ml_project.errors import ConfigError
from ml_project.serving.adapters.google import FunctionAdapter
from ml_project.serving.adapters.google_cors import Cors
from ml_project.serving.adapters.google_trace import log_fields
from ml_project.serving.deployed import deployed_api

PAGE = "https://app.example.com"
OTHER_PAGE = "https://elsewhere.example.com"
TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


@pytest.fixture(scope="module")
def api(artifact_file):
    limits = {"ML_PROJECT_SERVING__MAX_BODY_BYTES": "200000", "ML_PROJECT_SERVING__MAX_CONCURRENT_REQUESTS": "1"}
    return deployed_api(artifact_file, log_style="google", environment=limits)


@pytest.fixture
def ask(api):
    """Return a function that asks a function which only one page may call."""
    return asking(FunctionAdapter(api, {"CORS_ALLOWED_ORIGINS": PAGE, "GOOGLE_CLOUD_PROJECT": "my-project-1"}))


class Answer:
    def __init__(self, body, status, headers):
        self.body, self.status, self.headers = body, status, dict(headers)
        assert len(self.headers) == len(headers)

    @property
    def error(self):
        return json.loads(self.body)["error"]


def asking(adapter):
    def ask(method, path="/", body=b"", **headers):
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        environ = EnvironBuilder(method=method, path=path, data=body, headers=given).get_environ()
        environ.update({"CONTENT_LENGTH": given["Content-Length"]} if "Content-Length" in given else {})
        environ["PATH_INFO"] = path.encode().decode("latin-1")
        return Answer(*adapter.answer(Request(environ)))

    return ask


def predict(ask, path, record, **headers):
    return ask("POST", path, json.dumps(record).encode(), Content_Type="application/json", **headers)


@pytest.mark.parametrize("path", ["", "/"])
def test_post_to_the_address_itself_predicts(ask, path, record, pipeline):
    answer = predict(ask, path, record)
    found = json.loads(answer.body)
    assert answer.status == 200
    assert found.pop("prediction_id")
    assert pipeline.predict_records([record])[0].items() <= found.items()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_get_of_the_address_itself_says_what_there_is(ask, api, method):
    answer = ask(method)
    assert answer.status == 200
    assert [(route["method"], route["path"]) for route in json.loads(answer.body)["routes"]] == [
        (route.method, route.path) for route in api.routes
    ]


def test_other_methods_at_the_address_itself_are_told_what_predict_takes(ask):
    answer = ask("DELETE")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("path", "shown"), [("/no/such", "/no/such"), ("//predict", "//predict"), ("/prädict", "/prädict")]
)
def test_unknown_path_is_named_as_it_was_sent(ask, path, shown):
    answer = ask("POST", path)
    assert answer.status == 404
    assert shown in answer.error["message"]


def test_path_that_is_no_unicode_is_answered(api):
    environ = EnvironBuilder(method="GET").get_environ() | {"PATH_INFO": "/\xff"}
    assert FunctionAdapter(api, {}).answer(Request(environ))[1] == 404


def test_declared_length_above_the_limit_is_refused_without_reading(ask, api):
    answer = ask("POST", "/predict", b"{}", Content_Length=str(api.max_body_bytes + 1))
    assert answer.status == 413
    assert "200,000 bytes" in answer.error["message"]


def test_body_of_unknown_length_above_the_limit_is_refused(api):
    environ = EnvironBuilder(method="POST", path="/predict", data=b" " * (api.max_body_bytes + 1)).get_environ()
    del environ["CONTENT_LENGTH"]
    environ["wsgi.input_terminated"] = True
    assert FunctionAdapter(api, {}).answer(Request(environ))[1] == 413


@pytest.mark.parametrize("server_says_where_it_ends", [True, False])
def test_body_that_ends_too_early_is_refused_and_not_read_again(api, server_says_where_it_ends):
    environ = EnvironBuilder(method="POST", path="/predict", data=b'{"a"').get_environ()
    environ |= {"CONTENT_LENGTH": "100", "wsgi.input_terminated": server_says_where_it_ends}
    received = Request(environ)
    answer = Answer(*FunctionAdapter(api, {}).answer(received))
    assert (answer.status, answer.error["code"]) == (400, "body_incomplete")
    assert received.get_data() == b""


def test_one_request_too_many_is_refused_and_room_is_given_back(ask, api):
    api.enter()
    try:
        assert ask("GET", "/health").status == 503
    finally:
        api.leave()
    assert ask("GET", "/health").status == 200


def test_execution_becomes_the_identifier_of_a_request_without_one(ask):
    assert ask("GET", "/health", Function_Execution_Id="abc123").headers["X-Request-Id"] == "abc123"


def test_clients_identifier_comes_before_the_executions(ask):
    answer = ask("GET", "/health", Function_Execution_Id="abc123", X_Request_Id="mine")
    assert answer.headers["X-Request-Id"] == "mine"


def test_line_of_a_request_has_severity_trace_and_execution(artifact_file, capfd):
    api = deployed_api(artifact_file, log_style="google", environment={})
    ask = asking(FunctionAdapter(api, {"GOOGLE_CLOUD_PROJECT": "my-project-1"}))
    ask("GET", "/health", traceparent=f"00-{TRACE}-{SPAN}-01", Function_Execution_Id="abc123")
    line = json.loads(capfd.readouterr().err.splitlines()[-1])
    assert line["severity"] == "INFO"
    assert line["request_id"] == "abc123"
    assert line["logging.googleapis.com/trace"] == f"projects/my-project-1/traces/{TRACE}"
    assert line["logging.googleapis.com/spanId"] == SPAN
    assert line["logging.googleapis.com/trace_sampled"] is True
    assert line["logging.googleapis.com/labels"] == {"execution_id": "abc123"}


def test_preflight_of_an_allowed_page_is_allowed(ask):
    answer = ask("OPTIONS", "/predict", Origin=PAGE, Access_Control_Request_Method="POST")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert {"Content-Type", "X-API-Key"} <= set(answer.headers["Access-Control-Allow-Headers"].split(", "))
    assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": OTHER_PAGE, "Access_Control_Request_Method": "POST"},
        {"Origin": PAGE},
        {"Access_Control_Request_Method": "POST"},
    ],
    ids=["other page", "no preflight", "no page"],
)
def test_what_is_no_preflight_of_an_allowed_page_is_an_unknown_method(ask, headers):
    answer = ask("OPTIONS", "/predict", **headers)
    assert (answer.status, answer.error["code"]) == (405, "method_not_allowed")
    assert "Access-Control-Allow-Methods" not in answer.headers


@pytest.mark.parametrize("path", ["/health", "/no/such", "/"])
def test_answers_to_an_allowed_page_say_so(ask, path):
    headers = ask("GET", path, Origin=PAGE).headers
    assert headers["Access-Control-Allow-Origin"] == PAGE
    assert "X-Request-Id" in headers["Access-Control-Expose-Headers"]
    assert headers["Vary"] == "Origin"


@pytest.mark.parametrize("headers", [{}, {"Origin": OTHER_PAGE}, {"Origin": f"{PAGE}.evil"}, {"Origin": "null"}])
def test_answers_to_others_only_say_that_they_depend_on_the_page(ask, headers):
    found = ask("GET", "/health", **headers).headers
    assert "Access-Control-Allow-Origin" not in found
    assert found["Vary"] == "Origin"


def test_all_pages_may_be_allowed(api):
    headers = asking(FunctionAdapter(api, {"CORS_ALLOWED_ORIGINS": "*"}))("GET", "/health", Origin=PAGE).headers
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "Vary" not in headers


@pytest.mark.parametrize("environment", [{}, {"CORS_ALLOWED_ORIGINS": ""}, {"CORS_ALLOWED_ORIGINS": " , "}])
def test_without_allowed_pages_nothing_is_said(api, environment):
    ask = asking(FunctionAdapter(api, environment))
    assert ask("OPTIONS", "/predict", Origin=PAGE, Access_Control_Request_Method="POST").status == 405
    assert not {"Vary", "Access-Control-Allow-Origin"} & set(ask("GET", "/health", Origin=PAGE).headers)


def test_every_wrong_origin_is_named():
    with pytest.raises(ConfigError, match=r"CORS_ALLOWED_ORIGINS has what is no origin: 'app', 'https://a\.example/'"):
        Cors.from_environment({"CORS_ALLOWED_ORIGINS": "app, https://b.example:8443, https://a.example/"})


@pytest.mark.parametrize(
    ("headers", "trace", "span", "is_sampled"),
    [
        ({"traceparent": f"00-{TRACE}-{SPAN}-00"}, TRACE, SPAN, False),
        ({"traceparent": f"01-{TRACE}-{SPAN}-03-more"}, TRACE, SPAN, True),
        ({"x-cloud-trace-context": f"{TRACE.upper()}/255;o=1"}, TRACE, "00000000000000ff", True),
        ({"x-cloud-trace-context": f"{TRACE}/255"}, TRACE, "00000000000000ff", None),
        ({"x-cloud-trace-context": TRACE}, TRACE, None, None),
        ({"x-cloud-trace-context": f"{TRACE}/0;o=0"}, TRACE, None, False),
        ({"x-cloud-trace-context": f"{TRACE}/{2**64}"}, TRACE, None, None),
        ({"traceparent": "broken", "x-cloud-trace-context": TRACE}, TRACE, None, None),
    ],
)
def test_trace_is_read_from_either_header(headers, trace, span, is_sampled):
    fields = log_fields(headers, "p")
    assert fields["logging.googleapis.com/trace"] == f"projects/p/traces/{trace}"
    assert fields.get("logging.googleapis.com/spanId") == span
    assert fields.get("logging.googleapis.com/trace_sampled") == is_sampled


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"traceparent": f"ff-{TRACE}-{SPAN}-01"},
        {"traceparent": f"00-{'0' * 32}-{SPAN}-01"},
        {"traceparent": f"00-{TRACE}-{'0' * 16}-01"},
        {"traceparent": f'00-{TRACE}-{SPAN}-01", "severity": "EMERGENCY'},
        {"x-cloud-trace-context": f"{'0' * 32}/1"},
        {"x-cloud-trace-context": "1/2/3"},
    ],
)
def test_what_is_no_trace_counts_for_nothing(headers):
    assert log_fields(headers, "p") == {}


def test_without_project_the_trace_stands_alone():
    assert log_fields({"x-cloud-trace-context": TRACE}, None) == {"logging.googleapis.com/trace": TRACE}


NOT_COPIED = """
import json, sys, threading
from ml_project.serving.adapters.google_worker import WorkerFunction

class Adapter:
    made = 0

    def __init__(self):
        Adapter.made += 1

    def answer(self, received):
        return received

function = WorkerFunction(Adapter)
before = Adapter.made
threads = [threading.Thread(target=function.answer, args=(number,)) for number in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(before, Adapter.made, function.answer("asked"))
"""


def test_process_that_is_not_copied_loads_once_when_it_is_asked():
    # In a process of its own, because what is done at a copy is done until the end of the process.
    done = subprocess.run([sys.executable, "-c", NOT_COPIED], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "1", "asked"]
