"""Requests over HTTP as they are, without a library that would put them right."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Mapping
from urllib.parse import quote, urlsplit

from ml_project.serving.messages import HttpAnswer, HttpRequest

ANSWER_SECONDS = 60.0
START_SECONDS = 120.0
PAUSE_SECONDS = 0.05
PAUSE_BETWEEN_TRIES = 0.5
COLD_STATUSES = (429, 502, 503, 504)
"""What gateways answer while nothing is started yet."""


class HttpAsk:
    """Asks a server on one connection that is kept.

    Parameters
    ----------
    url
        Address, with the prefix of all paths if there is one.
    headers
        Sent with each request.
    patience_seconds
        How long a request is repeated while the server cannot be reached or says that it is not ready.
    """

    def __init__(self, url: str, *, headers: Mapping[str, str] | None = None, patience_seconds: float = 0.0) -> None:
        address = urlsplit(url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError(f"{url!r} is no address such as https://predictions.example.com")
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(address.hostname, address.port, timeout=ANSWER_SECONDS)
        self._prefix = address.path.rstrip("/")
        self._headers = dict(headers or {})
        self._patience = patience_seconds

    def __call__(self, request: HttpRequest) -> HttpAnswer:
        """Return the answer to a request."""
        end = time.monotonic() + self._patience
        while True:
            try:
                answer = self._ask_once(request)
            except (OSError, http.client.HTTPException):
                self.close()
                if time.monotonic() >= end:
                    raise
            else:
                if answer.status not in COLD_STATUSES or time.monotonic() >= end:
                    return answer
            time.sleep(min(PAUSE_BETWEEN_TRIES, max(0.0, end - time.monotonic())))

    def close(self) -> None:
        """End the connection; the next request opens another."""
        self._connection.close()

    def _ask_once(self, request: HttpRequest) -> HttpAnswer:
        self._connection.request(
            request.method,
            self._prefix + quote(request.path),
            # Without a body there is no Content-Length either, but for POST.
            body=request.body or None,
            headers={**request.headers, **self._headers},
        )
        response = self._connection.getresponse()
        body = response.read()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return HttpAnswer(response.status, body, headers.pop("content-type", ""), headers)


def wait_for_answer(
    url: str, *, ended: Callable[[], str | None] = lambda: None, seconds: float = START_SECONDS, status: int = 200
) -> None:
    """Wait until a URL is answered with a status.

    Parameters
    ----------
    url
        What is asked.
    ended
        Returns why there will be no answer any more, or ``None``.
    seconds
        How long to wait at most.
    status
        HTTP status that is waited for.

    Raises
    ------
    TimeoutError
        When there was none in time; the message has the last answer or problem.
    RuntimeError
        When the server has ended; the message is the reason that ``ended`` gives.
    """
    end = time.monotonic() + seconds
    path = urlsplit(url).path or "/"
    ask = HttpAsk(url.removesuffix(path))
    try:
        while True:
            try:
                answer = ask(HttpRequest("GET", path, {}))
                found = f"{answer.status} {answer.body[:500]!r}"
                if answer.status == status:
                    return
            except (OSError, http.client.HTTPException) as error:
                found = repr(error)
            if reason := ended():
                raise RuntimeError(reason)
            if time.monotonic() >= end:
                raise TimeoutError(f"{url} gave no {status} within {seconds:.0f} s; at last: {found}")
            time.sleep(PAUSE_SECONDS)
    finally:
        ask.close()
