"""CORS: which web pages' scripts may call a function, as browsers ask before they let them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ml_project.errors import ConfigError, Problem
from ml_project.serving.messages import HttpAnswer, HttpRequest

ORIGINS_VARIABLE = "CORS_ALLOWED_ORIGINS"
ALL_ORIGINS = "*"
METHODS = "GET, HEAD, POST"
REQUEST_HEADERS = "Authorization, Content-Type, Inference-Header-Content-Length, X-API-Key, X-Request-Id"
ANSWER_HEADERS = "Inference-Header-Content-Length, Retry-After, X-Model-Version, X-Request-Id"
SECONDS_KEPT = "3600"
"""How long a browser need not ask again."""
_ORIGIN = re.compile(r"https?://[^/?#\s,*]+", re.ASCII)


@dataclass(frozen=True)
class Cors:
    """The web pages that may call.

    Attributes
    ----------
    origins
        Scheme, host and port of each, or ``*`` for all; none by default.
    """

    origins: frozenset[str] = frozenset()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Cors:
        """Return what the variable ``CORS_ALLOWED_ORIGINS`` says: origins with commas between them.

        Raises
        ------
        ConfigError
            With every origin that is none.

        Examples
        --------
        >>> sorted(Cors.from_environment({"CORS_ALLOWED_ORIGINS": "https://b.example, https://a.example"}).origins)
        ['https://a.example', 'https://b.example']
        """
        words = environment.get(ORIGINS_VARIABLE, "").split(",")
        origins = [word.strip() for word in words if word.strip()]
        problems = [
            Problem("is no origin; write scheme and host without a path, as in https://app.example.com", value=origin)
            for origin in origins
            if origin != ALL_ORIGINS and not _ORIGIN.fullmatch(origin)
        ]
        if problems:
            named = ", ".join(repr(problem.value) for problem in problems)
            raise ConfigError(f"{ORIGINS_VARIABLE} has what is no origin: {named}", problems)
        return cls(frozenset(origin.lower() for origin in origins))

    def answer_preflight(self, request: HttpRequest) -> HttpAnswer | None:
        """Return the answer to a browser that asks before it lets a page call, or ``None`` for any other request.

        One that asks for a page that may not call is like any other request, whose answer lacks the headers that would
        allow it.
        """
        asks = request.method == "OPTIONS" and "access-control-request-method" in request.headers
        if not asks or not self._allows(request):
            return None
        headers = {
            "Access-Control-Allow-Methods": METHODS,
            "Access-Control-Allow-Headers": REQUEST_HEADERS,
            "Access-Control-Max-Age": SECONDS_KEPT,
        }
        return HttpAnswer(204, b"", headers=headers)

    def headers(self, request: HttpRequest) -> dict[str, str]:
        """Return the headers that a browser wants to see on the answer to a request."""
        # A cache must know that another page gets another answer, also when it is asked by none.
        varies = {"Vary": "Origin"} if self.origins and ALL_ORIGINS not in self.origins else {}
        if not self._allows(request):
            return varies
        origin = request.headers["origin"] if varies else ALL_ORIGINS
        return {**varies, "Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": ANSWER_HEADERS}

    def _allows(self, request: HttpRequest) -> bool:
        origin = request.headers.get("origin")
        return origin is not None and (ALL_ORIGINS in self.origins or origin.lower() in self.origins)
