"""Google's Cloud Functions: the request that functions-framework hands over, answered by the contract.

Below the address of the function lies the whole contract. What is sent to the address itself is meant for ``/predict``;
only a GET asks what there is.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import ml_project
from ml_project.errors import BodyIncompleteError
from ml_project.serving.adapters.google_cors import Cors
from ml_project.serving.adapters.google_trace import EXECUTION_ID, PROJECT_VARIABLE, log_fields
from ml_project.serving.api import HttpApi
from ml_project.serving.messages import HttpAnswer, HttpRequest, json_answer

PIECE = 64 * 1024

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
        """Return the answer to a request; never raises.

        Parameters
        ----------
        received
            Flask's request.
        """
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
        except BodyIncompleteError as error:
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
        Flask's request. Google's identifier of the execution is the request's where the client gave none.
    project
        Project that traces belong to.
    """
    headers = {name.lower(): value for name, value in received.headers}
    fields = log_fields(headers, project)
    if EXECUTION_ID in headers:
        headers = {"x-request-id": headers[EXECUTION_ID], **headers}
    # Flask's own path has lost slashes in front.
    path = received.environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace") or "/"
    return HttpRequest(received.method, path, headers, log_fields=fields)


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
    declared = received.content_length or 0
    if len(body) < min(declared, limit):
        raise BodyIncompleteError(f"The body ended after {len(body)} of {declared} bytes; send it again")
    return bytes(body)
