"""Google's Cloud Functions: the request that functions-framework hands over, answered by the contract.

Below the address of the function lies the whole contract. What is sent to the address itself is meant for ``/predict``
when it is a POST, and asks what there is when it is a GET.
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import ml_project
from ml_project.errors import BodyIncompleteError, MlProjectError
from ml_project.serving.adapters.google_cors import Cors
from ml_project.serving.api import HttpApi
from ml_project.serving.messages import HttpAnswer, HttpRequest, json_answer

EXECUTION_ID = "function-execution-id"
PROJECT_VARIABLE = "GOOGLE_CLOUD_PROJECT"
PIECE = 64 * 1024
_TRACE_PARENT = re.compile(r"[0-9a-f]{2}-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(-.*)?")
_CLOUD_TRACE = re.compile(r"(?P<trace>[0-9a-f]{32})(/(?P<span>\d{1,20}))?(;o=(?P<flags>\d+))?")

FrameworkAnswer = tuple[bytes, int, list[tuple[str, str]]]
"""Body, status and headers, as Flask takes them."""


class FrameworkRequest(Protocol):
    """What of Flask's request is used."""

    method: str
    environ: Mapping[str, Any]
    stream: Any

    @property
    def headers(self) -> Iterable[tuple[str, str]]:
        """Names and values."""

    @property
    def content_length(self) -> int | None:
        """Size of the body as the client tells it."""


class FunctionAdapter:
    """Answers the requests of a function.

    Parameters
    ----------
    api
        The contract.
    environment
        The function's environment: which web pages may call, and the project that traces belong to.

    Raises
    ------
    ConfigError
        When ``CORS_ALLOWED_ORIGINS`` holds what is no origin.
    """

    def __init__(self, api: HttpApi, environment: Mapping[str, str]) -> None:
        self._api = api
        self._cors = Cors.from_environment(environment)
        self._project = environment.get(PROJECT_VARIABLE) or None

    def answer(self, received: FrameworkRequest) -> FrameworkAnswer:
        """Return the answer to a request; never raises."""
        started = time.perf_counter()
        request = read_head(received, project=self._project)
        answer = self._cors.answer_preflight(request) or self._answer(received, request, started)
        headers = {"Content-Type": answer.media_type, **(answer.headers or {}), **self._cors.headers(request)}
        return answer.body, answer.status, list(headers.items())

    def _answer(self, received: FrameworkRequest, request: HttpRequest, started: float) -> HttpAnswer:
        if request.path == "/":
            if request.method in ("GET", "HEAD"):
                return describe(self._api)
            request.path = "/predict"
        has_room = self._api.enter()
        try:
            refusal = self._api.find_refusal(has_room=has_room, n_bytes=received.content_length or 0)
            if refusal is None:
                request.body = read_body(received, self._api.max_body_bytes)
                refusal = self._api.find_refusal(has_room=True, n_bytes=len(request.body))
            if refusal is not None:
                return self._api.refuse(request, refusal)
            answer = self._api.answer(request, started=started)
            if answer.stored is not None:
                answer.stored.result()
            return answer
        except MlProjectError as error:
            return self._api.refuse(request, error)
        finally:
            self._api.leave()


def describe(api: HttpApi) -> HttpAnswer:
    """Return what there is below the function's address."""
    routes = [{"method": route.method, "path": route.path} for route in api.routes]
    return json_answer(200, {"name": "ml_project", "version": ml_project.__version__, "routes": routes})


def read_head(received: FrameworkRequest, *, project: str | None = None) -> HttpRequest:
    """Return the contract's request without its body.

    Parameters
    ----------
    received
        Flask's request.
    project
        Project that traces belong to.
    """
    headers = {name.lower(): value for name, value in received.headers}
    # Flask's own path has lost slashes in front.
    path = received.environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace") or "/"
    fields = log_fields(headers, project)
    execution = headers.get(EXECUTION_ID)
    if execution is not None:
        headers = {"x-request-id": execution, **headers}
    return HttpRequest(received.method, path, headers, log_fields=fields)


def log_fields(headers: Mapping[str, str], project: str | None) -> dict[str, Any]:
    """Return the fields by which Cloud Logging finds a request's lines: those of its trace and of its execution.

    Parameters
    ----------
    headers
        Of the request, by lower-case name; the trace stands in ``traceparent`` or ``X-Cloud-Trace-Context``.
    project
        Project that the trace belongs to; without it, the trace's identifier stands alone.

    Examples
    --------
    >>> log_fields({"x-cloud-trace-context": "0123456789abcdef0123456789abcdef/10;o=1"}, "p")
    ... # doctest: +NORMALIZE_WHITESPACE
    {'logging.googleapis.com/trace': 'projects/p/traces/0123456789abcdef0123456789abcdef',
     'logging.googleapis.com/spanId': '000000000000000a', 'logging.googleapis.com/trace_sampled': True}
    """
    fields: dict[str, Any] = {}
    parent = _TRACE_PARENT.fullmatch(headers.get("traceparent", "").strip())
    found = parent or _CLOUD_TRACE.fullmatch(headers.get("x-cloud-trace-context", "").strip())
    if found is not None:
        trace, span, flags = found["trace"], found["span"], found["flags"]
        fields["logging.googleapis.com/trace"] = trace if project is None else f"projects/{project}/traces/{trace}"
        if span is not None:
            fields["logging.googleapis.com/spanId"] = span if parent else f"{int(span):016x}"
        fields["logging.googleapis.com/trace_sampled"] = bool(int(flags or "0", 16) & 1)
    execution = headers.get(EXECUTION_ID)
    if execution is not None:
        fields["logging.googleapis.com/labels"] = {"execution_id": execution}
    return fields


def read_body(received: FrameworkRequest, limit: int) -> bytes:
    """Return the body, or a little more than the limit of a larger one; what is left the framework reads.

    Raises
    ------
    BodyIncompleteError
        When it ends before its declared length.
    """
    body = bytearray()
    try:
        while len(body) <= limit and (piece := received.stream.read(PIECE)):
            body += piece
    except Exception as error:  # each server has errors of its own for what is broken
        received.stream = io.BytesIO()  # or the framework would try again, and answer with its own error
        raise BodyIncompleteError("The body is broken, or ended too early; send it again") from error
    return bytes(body)
