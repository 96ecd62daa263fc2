"""A request and its answer, as every web framework and cloud function can give and take them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pydantic_core import to_json

JSON = "application/json"
WholeRequest = tuple[str, Sequence[tuple[bytes, bytes]], bytes]
"""Path, headers and body of a request."""


@dataclass(slots=True)
class HttpRequest:
    """One request.

    Attributes
    ----------
    method
        In capitals.
    path
        Without the query, percent-decoded.
    headers
        Values by lower-case name.
    body
        The whole body.
    afterwards
        What can wait until the answer is on its way.
    log_fields
        Further fields of the request's line in the log, such as identifiers that a platform gave it.
    prepared
        What was done for it together with other requests.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    afterwards: list[Callable[[], object]] = field(default_factory=list)
    log_fields: Mapping[str, Any] | None = None
    prepared: object = None


@dataclass(slots=True)
class HttpAnswer:
    """The answer to one request.

    Attributes
    ----------
    status
        HTTP status code.
    body
        The whole body.
    media_type
        Content type of the body.
    headers
        Further headers.
    stored
        Done when what the answer says is stored; the answer waits for it. ``None`` where nothing is waited for.
    n_records
        Number of predictions in the answer.
    """

    status: int
    body: bytes
    media_type: str = JSON
    headers: dict[str, str] | None = None
    stored: Future[None] | None = None
    n_records: int = 0

    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """Return all headers in the form in which ASGI and HTTP have them, with the body's type and length."""
        headers = [(b"content-type", _encode(self.media_type)), (b"content-length", b"%d" % len(self.body))]
        headers += [(_encode(name), value.encode("latin-1")) for name, value in (self.headers or {}).items()]
        return headers


@lru_cache(maxsize=100)
def _encode(text: str) -> bytes:
    """Return one of the few names and content types in the form that ASGI wants."""
    return text.lower().encode("latin-1")


def json_answer(status: int, content: Any) -> HttpAnswer:
    """Return an answer with JSON; NaN and infinite numbers become null."""
    return HttpAnswer(status, to_json(content, inf_nan_mode="null"))
