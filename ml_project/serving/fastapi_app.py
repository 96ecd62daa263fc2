"""The contract as a FastAPI application.

The routes are plain ASGI endpoints, called past FastAPI's middleware and routing, which cost more than a prediction
does; a server may even ask for the answers to small requests without ASGI. Routes that are added to the application are
FastAPI's as usual, and appear in the same OpenAPI document; where middleware is added, all requests go through it.
"""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ml_project.errors import BodyTooSlowError, MlProjectError
from ml_project.serving.api import LONGEST_WAIT_SECONDS, LOOK_SECONDS
from ml_project.serving.assembly import ServiceParts
from ml_project.serving.messages import HttpAnswer, HttpRequest, WholeRequest
from ml_project.serving.slow_bodies import SlowBodies

LARGE_BODY = 64 * 1024
"""Bytes from which on a request is answered in a thread, so that it does not hold up the others."""
MOST_DISCARDED = 5
"""Bodies that are too large are read and thrown away up to this multiple of the limit, or clients miss the answer."""


def create_fastapi_app(parts: ServiceParts) -> FastAPI:
    """Return the application of a service; the service is closed with it."""
    slow_bodies = SlowBodies(parts.api.max_body_seconds)
    endpoint = ContractEndpoint(parts, slow_bodies)
    paths = tuple(dict.fromkeys(route.path for route in parts.api.routes))
    app = ContractApp(endpoint, paths, lifespan=_lifespan(parts, slow_bodies))
    app.router.redirect_slashes = False
    for path in paths:
        app.router.routes.append(Route(path, endpoint))  # for all methods: the contract says which there are
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


class ContractApp(FastAPI):
    """A FastAPI application that takes the short way to the contract's routes as long as nothing lies on the long one.

    Parameters
    ----------
    endpoint
        Answers requests to the contract's routes.
    paths
        Of these routes.
    lifespan
        Starts and ends what the endpoint needs.
    """

    def __init__(self, endpoint: ContractEndpoint, paths: Sequence[str], *, lifespan: Any) -> None:
        super().__init__(title="Prediction service", openapi_url=None, lifespan=lifespan)
        self._endpoint = endpoint
        self.short_paths = frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI defines it."""
        if scope["type"] == "http" and scope["path"] in self.short_paths and not self._has_middleware():
            await self._endpoint(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    @property
    def short_way(self) -> ContractEndpoint | None:
        """Return what a server may ask without ASGI; ``None`` where middleware wants to see all requests."""
        return None if self._has_middleware() else self._endpoint

    def _has_middleware(self) -> bool:
        # Tools for tracing replace the method that puts the middleware together.
        return bool(self.user_middleware) or "build_middleware_stack" in self.__dict__


class ContractEndpoint:
    """Answers any request by the contract."""

    def __init__(self, parts: ServiceParts, slow_bodies: SlowBodies) -> None:
        self._api = parts.api
        self._contract = parts.contract
        self._slow_bodies = slow_bodies
        storage = parts.service.storage
        self._is_durable = storage is not None and storage.is_durable

    def may_answer_at_once(self, n_bytes: int) -> bool:
        """Return whether a request with a body of so many bytes need not wait for anything."""
        return not self._is_durable and n_bytes < LARGE_BODY and self._api.is_idle_enough(n_bytes)

    def answer_at_once(self, asked: Sequence[WholeRequest]) -> list[tuple[HttpAnswer, Callable[[], None]]]:
        """Return the answers to POST requests that came together, and what is to be done after each one."""
        api = self._api
        started = time.perf_counter()
        requests = [HttpRequest("POST", path, _headers(headers), body) for path, headers, body in asked]
        if len(requests) > 1:
            self._contract.prepare(requests)
        return [(api.respond(request, started=started), partial(api.finish, request)) for request in requests]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI defines it."""
        if scope["type"] != "http":
            return
        started = time.perf_counter()
        request = HttpRequest(scope["method"], scope["path"], _headers(scope["headers"]))
        has_room = self._api.enter()
        try:
            answer = await self._answer(request, receive, has_room, started)
            if answer is not None:
                await self._wait(request, answer)
        finally:
            self._api.leave()
            # Two turns of the event loop later: the answers of this turn are sent in the next.
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.call_soon, self._api.finish, request)
        if answer is None:
            return
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.raw_headers()})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(
        self, request: HttpRequest, receive: Receive, has_room: bool, started: float
    ) -> HttpAnswer | None:
        """Return the answer, or ``None`` when the client has gone."""
        api = self._api
        refusal = api.find_refusal(has_room=has_room, n_bytes=_declared_length(request))
        if refusal is not None:
            return await self._refuse(request, refusal, receive)
        try:
            body = await self._slow_bodies.limit(_read_body(receive, api.max_body_bytes))
        except BodyTooSlowError as error:
            return _closing(api.refuse(request, error))
        if body is None:
            return None
        if len(body) > api.max_body_bytes:
            return api.refuse(request, api.body_too_large())
        request.body = body
        if len(body) >= LARGE_BODY:
            return await asyncio.to_thread(api.respond, request, started=started)
        return api.respond(request, started=started)

    async def _wait(self, request: HttpRequest, answer: HttpAnswer) -> None:
        """Wait for the storage, where the answer has to."""
        if answer.stored is not None:
            await asyncio.wrap_future(answer.stored)
        if self._api.waits_for_room(answer):
            end = time.monotonic() + LONGEST_WAIT_SECONDS
            while self._api.waits_for_room(answer) and time.monotonic() < end:
                await asyncio.sleep(LOOK_SECONDS)
            self._api.finish(request)  # before anybody else uses the room

    async def _refuse(self, request: HttpRequest, refusal: MlProjectError, receive: Receive) -> HttpAnswer:
        """Refuse a request so that its client, which may be sending still, gets the answer."""
        answer = self._api.refuse(request, refusal)
        if request.headers.get("expect", "").lower() == "100-continue":
            return _closing(answer)
        await _discard(receive, MOST_DISCARDED * self._api.max_body_bytes)
        return answer


def _headers(raw: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by their names; the values of one that is given several times are joined, as HTTP says."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}
    if len(headers) < len(raw):
        headers = {}
        for key, value in raw:
            name, text = key.decode("latin-1"), value.decode("latin-1")
            headers[name] = f"{headers[name]},{text}" if name in headers else text
    return headers


def _closing(answer: HttpAnswer) -> HttpAnswer:
    """Let an answer end the connection, because what the client sends next may be the rest of the body."""
    answer.headers = {**(answer.headers or {}), "Connection": "close"}
    return answer


def _declared_length(request: HttpRequest) -> int:
    declared = request.headers.get("content-length", "0")
    return int(declared) if declared.isascii() and declared.isdigit() else 0


async def _read_body(receive: Receive, limit: int) -> bytes | None:
    """Return the body, or a part of one that is larger than allowed; ``None`` when the client has gone."""
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
    if message.get("more_body"):
        await _discard(receive, MOST_DISCARDED * limit)
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


def _lifespan(parts: ServiceParts, slow_bodies: SlowBodies) -> Any:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        in_main_thread = threading.current_thread() is threading.main_thread()
        if in_main_thread:
            loop.add_signal_handler(signal.SIGHUP, parts.service.host.request_reload)
        watching = loop.create_task(slow_bodies.watch())
        yield
        watching.cancel()
        if in_main_thread:
            loop.remove_signal_handler(signal.SIGHUP)
        await asyncio.to_thread(parts.close)

    return lifespan
