"""The contract as a Flask application."""

from __future__ import annotations

import time

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from ml_project.errors import BodyIncompleteError, MlProjectError
from ml_project.serving.api import HttpApi
from ml_project.serving.assembly import ServiceParts
from ml_project.serving.messages import HttpAnswer, HttpRequest
from ml_project.serving.slow_bodies import slow_body

BROKEN_BODY = "ml_project.broken_body"
"""In a request's environment when its connection is of no use any more, because nobody knows where the body ends."""
PIECE = 64 * 1024
MOST_DISCARDED = 5
"""Bodies that are too large are read and thrown away up to this multiple of the limit, or clients miss the answer."""
DISCARD_SECONDS = 5.0


def create_flask_app(parts: ServiceParts) -> Flask:
    """Return the application of a service; whoever runs it closes the service."""
    app = Flask(__name__, static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False

    def answer() -> Response:
        return _to_response(_answer(parts.api))

    def answer_unrouted(error: HTTPException) -> Response | HTTPException:
        # Errors of routes that were added to the application are Flask's as usual.
        return error if request.routing_exception is None else answer()

    for route in parts.api.routes:
        app.add_url_rule(route.path, route.path, answer, methods=[route.method], provide_automatic_options=False)
    app.register_error_handler(HTTPException, answer_unrouted)
    return app


def _answer(api: HttpApi) -> HttpAnswer:
    started = time.perf_counter()
    headers = {name.lower(): value for name, value in request.headers}
    # Flask's own path has lost slashes in front.
    path = request.environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    received = HttpRequest(request.method, path, headers)
    has_room = api.enter()
    try:
        refusal = api.find_refusal(has_room=has_room, n_bytes=request.content_length or 0)
        if refusal is None:
            try:
                body = _read_body(api)
            except MlProjectError as error:
                return api.refuse(received, error)
            if len(body) > api.max_body_bytes:
                refusal = api.body_too_large()
        if refusal is not None:
            _discard(MOST_DISCARDED * api.max_body_bytes)
            return api.refuse(received, refusal)
        answer = api.answer(HttpRequest(received.method, path, headers, body), started=started)
        if answer.stored is not None:
            answer.stored.result()
        return answer
    finally:
        api.leave()


def _read_body(api: HttpApi) -> bytes:
    """Return the body, or one byte more than is allowed of a larger one.

    Flask's own way would take a body that was cut off for a whole one.
    """
    declared = request.content_length
    if declared is None and "wsgi.input_terminated" not in request.environ:
        return b""
    wanted = api.max_body_bytes + 1 if declared is None else declared
    body = bytearray()
    try:
        while len(body) < wanted and (piece := request.environ["wsgi.input"].read(min(PIECE, wanted - len(body)))):
            body += piece
    except (BlockingIOError, TimeoutError) as error:
        request.environ[BROKEN_BODY] = True
        raise slow_body(api.max_body_seconds) from error
    except Exception as error:  # each server has errors of its own for what is broken
        request.environ[BROKEN_BODY] = True
        raise BodyIncompleteError("The body is broken, or ended too early; send it again") from error
    if declared is not None and len(body) < declared:
        request.environ[BROKEN_BODY] = True
        raise BodyIncompleteError(f"The body ended after {len(body)} of {declared} bytes; send it again")
    return bytes(body)


def _discard(most_bytes: int) -> None:
    """Read the rest of a body and throw it away, within limits."""
    left = request.content_length
    if left is None and "wsgi.input_terminated" not in request.environ:
        return
    left = most_bytes if left is None else min(left, most_bytes)
    end = time.monotonic() + DISCARD_SECONDS
    try:
        while left > 0 and time.monotonic() < end and (piece := request.environ["wsgi.input"].read(min(PIECE, left))):
            left -= len(piece)
    except Exception:  # noqa: BLE001  the answer is on its way, whatever the client does
        request.environ[BROKEN_BODY] = True


def _to_response(answer: HttpAnswer) -> Response:
    response = Response(answer.body, answer.status, answer.headers)
    response.headers["Content-Type"] = answer.media_type
    return response
