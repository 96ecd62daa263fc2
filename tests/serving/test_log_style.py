"""The log of the service in the form of the platform that it runs on."""

from __future__ import annotations

import json
import sys

import pytest

from ml_project.serving.assembly import assemble_service
from ml_project.serving.messages import HttpRequest
from tests.artifacts.fitted import fit
from tests.example.features import FEATURE_PROCESSES

TRACE = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    linear = fit("linear")
    path = tmp_path_factory.mktemp("exported") / "model.zip"
    linear.export(path)
    return linear, path


def ask(exported, style, headers, capfd):
    """Return the log line of a request, and the lines of one that is refused before its body is read."""
    linear, path = exported
    config = linear.config
    serving = config.serving.model_copy(update={"log_style": style})
    artifacts = config.artifacts.model_copy(update={"path": path})
    monitoring = config.monitoring.model_copy(update={"storage": None})
    config = config.model_copy(update={"serving": serving, "artifacts": artifacts, "monitoring": monitoring})
    parts = assemble_service(config, FEATURE_PROCESSES, needs_model=True)
    try:
        parts.api.answer(HttpRequest("GET", "/health", headers))
        parts.api.refuse(HttpRequest("POST", "/predict", headers), parts.api.body_too_large())
    finally:
        parts.close()
    sys.stderr.flush()
    return [json.loads(line) for line in capfd.readouterr().err.splitlines() if "request_id" in line]


def test_own_style_has_no_trace(exported, capfd):
    answered, refused = ask(exported, "json", {"traceparent": f"00-{TRACE}-0123456789abcdef-01"}, capfd)
    assert (answered["method"], answered["path"], answered["status"]) == ("GET", "/health", 200)
    assert refused["status"] == 413
    assert not [name for name in answered if "trace" in name]


def test_google_style_has_the_form_of_cloud_logging_and_the_trace_of_its_project(exported, capfd, monkeypatch):
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "my-project")
    for line in ask(exported, "google", {"x-cloud-trace-context": f"{TRACE}/10;o=1"}, capfd):
        assert line["logging.googleapis.com/trace"] == f"projects/my-project/traces/{TRACE}"
        assert line["logging.googleapis.com/spanId"] == "000000000000000a"
        assert line["severity"] in ("INFO", "WARNING")
        assert line["httpRequest"]["status"] in (200, 413)


def test_google_style_without_a_trace(exported, capfd):
    answered, _ = ask(exported, "google", {}, capfd)
    assert answered["httpRequest"]["requestUrl"] == "/health"
    assert not [name for name in answered if "trace" in name]


def test_aws_style_has_a_level(exported, capfd):
    answered, _ = ask(exported, "aws", {}, capfd)
    assert (answered["level"], answered["path"]) == ("INFO", "/health")
