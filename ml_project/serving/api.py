"""The whole HTTP contract without a web framework: requests in, answers out, whatever carries them."""

from __future__ import annotations

import hmac
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ml_project.config_service import ServingConfig
from ml_project.errors import (
    BodyTooLargeError,
    MediaTypeError,
    MlProjectError,
    OverloadedError,
    UnknownRouteError,
    WrongKeyError,
    WrongMethodError,
)
from ml_project.serving.messages import HttpAnswer, HttpRequest
from ml_project.serving.metrics import ServiceMetrics
from ml_project.serving.refusals import INTERNAL_ERROR, refuse, refuse_in_open_inference, status_of
from ml_project.serving.request_log import RequestLog

_LOG = logging.getLogger("ml_project.serving")
_USABLE_REQUEST_ID = re.compile(r"[\w.:/+=-]{1,128}", re.ASCII)
UNKNOWN_ROUTE = "unknown"
OPEN_INFERENCE = "/v2"
LARGE_BATCH = 100
"""Predictions from which on an answer waits where the storage is behind."""
LONGEST_WAIT_SECONDS = 5.0
LOOK_SECONDS = 0.01
MOST_PATIENT_THREADS = 6
"""So many threads at most wait with their answers; a server needs others for health and single records."""

Handler = Callable[[HttpRequest, str], HttpAnswer]
"""Answers a request with the given identifier, or raises."""


@dataclass(frozen=True, slots=True)
class Route:
    """One path and method of the service.

    Attributes
    ----------
    open
        Whether it answers without the service's key.
    """

    method: str
    path: str
    handler: Handler
    open: bool = False


class HttpApi:
    """Answers requests by their routes; never raises.

    Parameters
    ----------
    routes
        What there is.
    settings
        Limits and key.
    metrics
        What is counted.
    has_room
        Whether the storage takes so many further predictions now; answers of large batches wait until it does, so that
        they cannot come faster than they are stored.
    request_log
        Where requests are logged; by default in the service's form, and collected for a moment.
    read_log_fields
        Returns what the lines of a request say besides, from its headers; for requests that do not bring it along.
    """

    def __init__(
        self,
        routes: tuple[Route, ...],
        settings: ServingConfig,
        metrics: ServiceMetrics,
        *,
        has_room: Callable[[int], bool] | None = None,
        request_log: RequestLog | None = None,
        read_log_fields: Callable[[Mapping[str, str]], Mapping[str, Any]] | None = None,
    ) -> None:
        self.routes = routes
        self.max_body_bytes = settings.max_body_bytes
        self.max_body_seconds = settings.max_body_seconds
        self._metrics = metrics
        self._has_room = has_room
        self._large_answers = threading.Lock()
        self._patient_threads = threading.Semaphore(MOST_PATIENT_THREADS)
        self._max_in_flight = settings.max_concurrent_requests
        self._key = None if settings.api_key is None else settings.api_key.encode()
        self._log = (request_log or RequestLog()) if settings.log_requests else None
        self._read_log_fields = read_log_fields
        self._by_place = {(route.path, route.method): route for route in routes}
        self._by_place |= {(route.path, "HEAD"): route for route in routes if route.method == "GET"}
        self._in_flight = 0
        metrics.show_in_flight(lambda: self._in_flight)
        self._lock = threading.Lock()

    def answer(self, request: HttpRequest, *, started: float | None = None) -> HttpAnswer:
        """Return the answer to a request, with everything done that belongs to it; after a large batch this may wait.

        Parameters
        ----------
        request
            The request with its whole body.
        started
            When it arrived, on the clock of :func:`time.perf_counter`; now by default.
        """
        answer = self.respond(request, started=started)
        if self.waits_for_room(answer) and self._patient_threads.acquire(blocking=False):
            try:
                self._finish_in_turn(request, answer)
            finally:
                self._patient_threads.release()
        self.finish(request)
        return answer

    def respond(self, request: HttpRequest, *, started: float | None = None) -> HttpAnswer:
        """Return the answer to a request and leave what can wait to :meth:`finish`, which has to follow in any case.

        Parameters are those of :meth:`answer`.
        """
        started = time.perf_counter() if started is None else started
        request_id = self._identify(request)
        route = self._by_place.get((request.path, request.method))
        try:
            found = self._admit(request, route)
            answer = found.handler(request, request_id)
        except Exception as error:  # noqa: BLE001  whatever fails here has to become an answer
            answer = self._refuse(error, request, request_id)
        answer.headers = {"X-Request-Id": request_id, **(answer.headers or {})}
        request.afterwards.append(
            lambda: self._note(request, route, answer, request_id, time.perf_counter() - started)
        )
        return answer

    def waits_for_room(self, answer: HttpAnswer) -> bool:
        """Return whether an answer has to wait before :meth:`finish`, up to :data:`LONGEST_WAIT_SECONDS`."""
        return answer.n_records >= LARGE_BATCH and self._has_room is not None and not self._has_room(answer.n_records)

    def _finish_in_turn(self, request: HttpRequest, answer: HttpAnswer) -> None:
        """Finish a large batch as soon as the storage has room; the room is used before another thread looks for it."""
        end = time.monotonic() + LONGEST_WAIT_SECONDS
        while request.afterwards:
            with self._large_answers:
                if not self.waits_for_room(answer) or time.monotonic() > end:
                    self.finish(request)
                    return
            time.sleep(LOOK_SECONDS)

    def finish(self, request: HttpRequest) -> None:
        """Do what could wait: count, log and store."""
        while request.afterwards:
            try:
                request.afterwards.pop(0)()
            except Exception:  # noqa: BLE001  the answer is given; the rest shall be done all the same
                _LOG.exception("work after an answer failed", extra={"path": request.path})

    def enter(self) -> bool:
        """Count a request as under way, and return whether there is room for it; :meth:`leave` follows in any case."""
        with self._lock:
            self._in_flight += 1
            return self._in_flight <= self._max_in_flight

    def leave(self) -> None:
        """Count a request as ended."""
        with self._lock:
            self._in_flight -= 1

    def is_idle_enough(self, n_bytes: int) -> bool:
        """Return whether a request with so many bytes is neither refused for want of room nor has to wait for any."""
        most_records = n_bytes // len("{},") + 1
        has_room = self._has_room is None or self._has_room(most_records)
        return has_room and self._in_flight < self._max_in_flight and n_bytes <= self.max_body_bytes

    def find_refusal(self, *, has_room: bool, n_bytes: int) -> MlProjectError | None:
        """Return why a request is refused before its body is used, or ``None``.

        Parameters
        ----------
        has_room
            What :meth:`enter` returned.
        n_bytes
            Size of the body, as far as it is known.
        """
        if n_bytes > self.max_body_bytes:
            return self.body_too_large()
        if not has_room:
            return OverloadedError(f"{self._max_in_flight} requests are under way already; try again in a moment")
        return None

    def body_too_large(self) -> BodyTooLargeError:
        """Return the error for a body that is larger than allowed."""
        return BodyTooLargeError(f"The body has more than {self.max_body_bytes:,} bytes; send fewer records")

    def refuse(self, request: HttpRequest, error: MlProjectError) -> HttpAnswer:
        """Return the answer to a request whose body is not used."""
        request_id = self._identify(request)
        answer = self._refuse(error, request, request_id)
        answer.headers = {"X-Request-Id": request_id, **(answer.headers or {})}
        self._note(request, self._by_place.get((request.path, request.method)), answer, request_id, 0.0)
        return answer

    def close(self) -> None:
        """Write what is not logged yet."""
        if self._log is not None:
            self._log.close()

    def _identify(self, request: HttpRequest) -> str:
        """Return a request's identifier, once it has the fields of its log lines."""
        if self._read_log_fields is not None and request.log_fields is None:
            request.log_fields = self._read_log_fields(request.headers)
        return _request_id(request)

    def _admit(self, request: HttpRequest, route: Route | None) -> Route:
        """Return the route of a request that may be answered."""
        if self._key is not None and not (route is not None and route.open):
            self._check_key(request, self._key)
        if route is not None:
            encoding = request.headers.get("content-encoding")
            if encoding is not None and encoding.lower() != "identity":
                raise MediaTypeError(f"The content encoding {encoding[:100]!r} is unknown; send the body without")
            return route
        allowed = sorted(method for path, method in self._by_place if path == request.path)
        if not allowed:
            raise UnknownRouteError(f"There is no route {request.path[:200]}; GET /docs shows those that there are")
        raise WrongMethodError(f"{request.path} answers to {' and '.join(allowed)} only", allowed=", ".join(allowed))

    def _check_key(self, request: HttpRequest, key: bytes) -> None:
        given = request.headers.get("x-api-key")
        if given is None:
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            given = token.strip() if scheme.lower() == "bearer" else ""
        # Web frameworks decode headers as Latin-1, whatever the client meant.
        if not hmac.compare_digest(given.encode("latin-1", "replace"), key):
            raise WrongKeyError("The key is missing or wrong; send 'X-API-Key: KEY' or 'Authorization: Bearer KEY'")

    def _refuse(self, error: Exception, request: HttpRequest, request_id: str) -> HttpAnswer:
        if status_of(error) == INTERNAL_ERROR:
            fields = {"request_id": request_id, "path": request.path, **(request.log_fields or {})}
            _LOG.error("request failed", exc_info=error, extra=fields)
        follows_protocol = request.path.startswith(OPEN_INFERENCE)
        return (refuse_in_open_inference if follows_protocol else refuse)(error, request_id)

    def _note(
        self, request: HttpRequest, route: Route | None, answer: HttpAnswer, request_id: str, seconds: float
    ) -> None:
        path = UNKNOWN_ROUTE if route is None else route.path
        self._metrics.count_request(path, answer.status, seconds)
        if self._log is not None:
            self._log.note(
                request_id=request_id,
                method=request.method,
                path=request.path,
                status=answer.status,
                seconds=seconds,
                n_records=answer.n_records,
                fields=request.log_fields,
            )


def _request_id(request: HttpRequest) -> str:
    """Return the identifier that a request carries, or a new one where it has none that can be used."""
    given = request.headers.get("x-request-id")
    if given is not None and _USABLE_REQUEST_ID.fullmatch(given):
        return given
    return os.urandom(8).hex()
