"""The contract as a Flask application."""

from __future__ import annotations

import time

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from ml_project.serving.api import HttpApi
from ml_project.serving.assembly import ServiceParts
from ml_project.serving.messages import HttpAnswer, HttpRequest


def create_flask_app(parts: ServiceParts) -> Flask:
    """Return the application of a service; whoever runs it closes the service."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = parts.api.max_body_bytes
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False

    def answer(error: Exception | None = None) -> Response:
        return _answer(parts.api)

    for route in parts.api.routes:
        app.add_url_rule(route.path, route.path, answer, methods=[route.method], provide_automatic_options=False)
    app.register_error_handler(HTTPException, answer)
    return app


def _answer(api: HttpApi) -> Response:
    started = time.perf_counter()
    headers = {name.lower(): value for name, value in request.headers}
    received = HttpRequest(request.method, request.path, headers)
    has_room = api.enter()
    try:
        body, n_bytes = _read_body(api.max_body_bytes) if has_room else (b"", 0)
        answer = api.refuse_early(received, has_room=has_room, n_bytes=n_bytes)
        if answer is None:
            answer = api.answer(HttpRequest(request.method, request.path, headers, body), started=started)
        if answer.stored is not None:
            answer.stored.result()
    finally:
        api.leave()
    return _to_response(answer)


def _read_body(limit: int) -> tuple[bytes, int]:
    """Return the body and its size; of one that is too large no more than that it is."""
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        return b"", limit + 1
    return body, len(body)


def _to_response(answer: HttpAnswer) -> Response:
    response = Response(answer.body, answer.status, answer.headers)
    response.headers["Content-Type"] = answer.media_type
    return response
