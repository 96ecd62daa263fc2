"""Lines of the log: when they are written, and in which provider's form."""

import io
import json
import logging
import os
import sys
import threading
from datetime import datetime

import pytest

from ml_project.serving.cloud_logging import aws_line, google_line
from ml_project.serving.json_logging import JsonFormatter
from ml_project.serving.request_log import RequestLog

REQUEST = {
    "request_id": "r1", "method": "POST", "path": "/predict", "status": 200, "seconds": 0.0125, "n_records": 3,
}  # fmt: skip


@pytest.fixture
def pipe():
    """Return what was written into a pipe so far, and the pipe."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)

    def read():
        try:
            return [json.loads(line) for line in os.read(reader, 1_000_000).splitlines()]
        except BlockingIOError:
            return []

    yield read, writer
    os.close(reader)
    os.close(writer)


def test_note_without_delay_is_written_at_once_and_by_no_thread(pipe):
    read, writer = pipe
    threads = threading.active_count()
    log = RequestLog(writer, seconds_between_writes=0)
    for number in range(3):
        log.note(**{**REQUEST, "n_records": number})
        assert [line["n_records"] for line in read()] == [number]
    assert threading.active_count() == threads


def test_note_with_delay_keeps_lines_until_the_log_is_closed(pipe):
    read, writer = pipe
    log = RequestLog(writer, seconds_between_writes=3600)
    for _ in range(3):
        log.note(**REQUEST)
    assert len(read()) == 1
    log.close()
    assert len(read()) == 2


def test_request_log_without_a_file_behind_stderr_takes_the_processs_own(capfd, monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    RequestLog(seconds_between_writes=0).note(**REQUEST)
    assert json.loads(capfd.readouterr().err)["request_id"] == "r1"


def test_note_fields_of_the_request_stand_in_its_line(pipe):
    read, writer = pipe
    log = RequestLog(writer, seconds_between_writes=0)
    log.note(**REQUEST, fields={"requestId": "abc", "place": threading})
    (line,) = read()
    assert line["requestId"] == "abc"
    assert line["place"] == str(threading)  # whatever a platform gives, the line is written
    assert line["message"] == "request"


def test_note_for_google_is_a_request_of_cloud_logging(pipe):
    read, writer = pipe
    log = RequestLog(writer, shape=google_line, seconds_between_writes=0)
    log.note(**REQUEST, fields={"logging.googleapis.com/trace": "projects/p/traces/t"})
    (line,) = read()
    assert datetime.fromisoformat(line.pop("time")).tzinfo is not None
    assert line == {
        "severity": "INFO",
        "logger": "ml_project.serving",
        "message": "POST /predict 200",
        "request_id": "r1",
        "n_records": 3,
        "logging.googleapis.com/trace": "projects/p/traces/t",
        "httpRequest": {"requestMethod": "POST", "requestUrl": "/predict", "status": 200, "latency": "0.012500s"},
    }


def test_note_for_aws_has_level_and_timestamp(pipe):
    read, writer = pipe
    log = RequestLog(writer, shape=aws_line, seconds_between_writes=0)
    log.note(**REQUEST, fields={"requestId": "abc", "xray_trace_id": "1-2-3"})
    (line,) = read()
    assert datetime.fromisoformat(line.pop("timestamp")).tzinfo is not None
    assert line == {
        "level": "INFO",
        "logger": "ml_project.serving",
        "message": "request",
        "request_id": "r1",
        "method": "POST",
        "path": "/predict",
        "status": 200,
        "milliseconds": 12.5,
        "n_records": 3,
        "requestId": "abc",
        "xray_trace_id": "1-2-3",
    }


@pytest.mark.parametrize(("shape", "name"), [(google_line, "severity"), (aws_line, "level")])
@pytest.mark.parametrize(("status", "severity"), [(200, "INFO"), (422, "INFO"), (500, "ERROR"), (503, "ERROR")])
def test_note_answers_that_are_the_services_fault_are_errors(pipe, shape, name, status, severity):
    read, writer = pipe
    RequestLog(writer, shape=shape, seconds_between_writes=0).note(**{**REQUEST, "status": status})
    assert [line[name] for line in read()] == [severity]


@pytest.mark.parametrize(("shape", "name"), [(None, "severity"), (google_line, "severity"), (aws_line, "level")])
def test_format_error_has_severity_traceback_and_fields_in_each_style(shape, name):
    try:
        int("nothing")
    except ValueError:
        record = logging.getLogger("there").makeRecord(
            "there", logging.WARNING, __file__, 1, "it %s", ("failed",), sys.exc_info(), extra={"path": "/predict"}
        )
    line = json.loads(JsonFormatter(shape).format(record))
    assert (line[name], line["message"], line["path"], line["logger"]) == ("WARNING", "it failed", "/predict", "there")
    assert line["exception"].endswith("ValueError: invalid literal for int() with base 10: 'nothing'")
    assert ("timestamp" in line) == (shape is aws_line)
