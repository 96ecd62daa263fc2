"""The contract as a FastAPI application.

The routes are plain ASGI endpoints: FastAPI's own way of calling a function costs more than a prediction does. Routes
that are added to the application are FastAPI's as usual, and appear in the same OpenAPI document.
"""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ml_project.serving.api import HttpApi
from ml_project.serving.assembly import ServiceParts
from ml_project.serving.messages import HttpAnswer, HttpRequest

LARGE_BODY = 64 * 1024
"""Bytes from which on a request is answered in a thread, so that it does not hold up the others."""
MOST_DISCARDED = 5
"""Bodies that are too large are read and thrown away up to this multiple of the limit, or clients miss the answer."""


def create_fastapi_app(parts: ServiceParts) -> FastAPI:
    """Return the application of a service; the service is closed with it."""
    endpoint = ContractEndpoint(parts.api)
    app = FastAPI(
        title="Prediction service",
        openapi_url=None,
        lifespan=_lifespan(parts),
        exception_handlers={HTTPException: endpoint.answer_exception},
    )
    app.router.redirect_slashes = False
    for route in parts.api.routes:
        app.router.routes.append(Route(route.path, endpoint, methods=[route.method]))
    app.router.default = endpoint
    describe_contract = parts.contract.describe

    def describe() -> dict[str, Any]:
        document = describe_contract()
        added = [route for route in app.routes if isinstance(route, APIRoute)]
        own = get_openapi(title=app.title, version=app.version, routes=added)
        document["paths"] |= own.get("paths", {})
        document["components"]["schemas"] |= own.get("components", {}).get("schemas", {})
        return document

    app.openapi = parts.contract.describe = describe  # type: ignore[method-assign]
    return app


class ContractEndpoint:
    """Answers any request by the contract."""

    def __init__(self, api: HttpApi) -> None:
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI defines it."""
        if scope["type"] != "http":
            return
        started = time.perf_counter()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        request = HttpRequest(scope["method"], scope["path"], headers)
        has_room = self._api.enter()
        try:
            answer = await self._answer(request, receive, has_room, started)
            if answer is None:
                return
            if answer.stored is not None:
                await asyncio.wrap_future(answer.stored)
        finally:
            self._api.leave()
        await send({"type": "http.response.start", "status": answer.status, "headers": _raw_headers(answer)})
        await send({"type": "http.response.body", "body": answer.body})

    async def answer_exception(self, request: Request, error: Exception) -> Response:
        """Answer what the router refuses, which is a method that a path does not have."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = self._api.answer(HttpRequest(request.method, request.url.path, headers))
        return Response(answer.body, answer.status, answer.headers, answer.media_type)

    async def _answer(
        self, request: HttpRequest, receive: Receive, has_room: bool, started: float
    ) -> HttpAnswer | None:
        """Return the answer, or ``None`` when the client has gone."""
        limit = self._api.max_body_bytes
        declared = _declared_length(request)
        body = await _read_body(receive, limit) if has_room and declared <= limit else b""
        if body is None:
            return None
        refusal = self._api.refuse_early(request, has_room=has_room, n_bytes=max(declared, len(body)))
        if refusal is not None:
            await _discard(receive, MOST_DISCARDED * limit)
            return refusal
        request.body = body
        if len(body) >= LARGE_BODY:
            return await asyncio.to_thread(self._api.answer, request, started=started)
        return self._api.answer(request, started=started)


def _declared_length(request: HttpRequest) -> int:
    declared = request.headers.get("content-length", "0")
    return int(declared) if declared.isascii() and declared.isdigit() else 0


async def _read_body(receive: Receive, limit: int) -> bytes | None:
    """Return the body, or more than ``limit`` bytes of a larger one; ``None`` when the client has gone."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return None if message["type"] == "http.disconnect" else body
    pieces, n_bytes = [body], len(body)
    while message.get("more_body") and n_bytes <= limit:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(message.get("body", b""))
        n_bytes += len(pieces[-1])
    return b"".join(pieces)


async def _discard(receive: Receive, most_bytes: int) -> None:
    n_bytes = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(5):
            while n_bytes < most_bytes:
                message = await receive()
                n_bytes += len(message.get("body", b""))
                if not message.get("more_body"):
                    return


def _raw_headers(answer: HttpAnswer) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"content-type", answer.media_type.encode("latin-1")),
        (b"content-length", str(len(answer.body)).encode()),
    ]
    for name, value in (answer.headers or {}).items():
        headers.append((name.lower().encode("latin-1"), value.encode("latin-1")))
    return headers


def _lifespan(parts: ServiceParts) -> Any:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        in_main_thread = threading.current_thread() is threading.main_thread()
        if in_main_thread:
            loop.add_signal_handler(signal.SIGHUP, parts.service.host.request_reload)
        yield
        if in_main_thread:
            loop.remove_signal_handler(signal.SIGHUP)
        await asyncio.to_thread(parts.close)

    return lifespan
