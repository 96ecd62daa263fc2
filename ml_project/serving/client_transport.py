"""Calls of a client: one connection that is kept open, time limits, further attempts after pauses."""

from __future__ import annotations

import datetime as dt
import json
import logging
import random
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ml_project.errors import InvalidDataError
from ml_project.masking import mask_credentials
from ml_project.serving.client_errors import ServiceCallError, ServiceUnreachableError, read_json, to_error

if TYPE_CHECKING:
    import requests

_LOG = logging.getLogger("ml_project.client")

LONGEST_PAUSE_SECONDS = 10.0
"""Between two attempts, whatever the service asks for."""
BUSY = 503
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


class Transport:
    """Makes calls and returns the JSON that they are answered with; for the parameters see ``PredictionClient``."""

    def __init__(
        self, url: str, *, timeout_seconds: float, max_attempts: int, api_key: str | None, pause_seconds: float
    ) -> None:
        import requests

        self.url = url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._max_attempts = max_attempts
        self._pause_seconds = pause_seconds
        self._session = requests.Session()
        if urlsplit(url).hostname in _THIS_MACHINE:
            self._session.trust_env = False  # no proxy in between, and no look at the environment with every call
        self._session.headers.update({"Accept": "application/json", "User-Agent": "ml_project"})
        if api_key is not None:
            self._session.headers["X-API-Key"] = api_key

    def name(self, method: str, path: str) -> str:
        """Return what messages call a call."""
        return f"{method} {mask_credentials(self.url)}{path}"

    def call(self, method: str, path: str, payload: Any = None, *, max_attempts: int | None = None) -> Any:
        """Return the JSON value that a call is answered with.

        Raises
        ------
        MlProjectError
            As :meth:`ml_project.serving.client.PredictionClient.predict` says.
        """
        body = None if payload is None else to_json(payload)
        most = self._max_attempts if max_attempts is None else max_attempts
        problem = ""
        for attempt in range(1, most + 1):
            answer, problem = self._try(method, path, body)
            if answer is not None and answer.status_code != BUSY:
                return self._read(method, path, answer)
            if attempt < most:
                pause = self._pause(attempt, None if answer is None else answer.headers.get("Retry-After"))
                call = self.name(method, path)
                _LOG.info("%s: %s; attempt %d of %d in %.1f s", call, problem, attempt + 1, most, pause)
                time.sleep(pause)
        times = "once" if most == 1 else f"{most} times"
        raise ServiceUnreachableError(
            f"{self.name(method, path)} was tried {times} in vain: {problem}; start the service, or check the address"
        )

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _try(self, method: str, path: str, body: bytes | None) -> tuple[requests.Response | None, str]:
        """Return the answer to one attempt, if there is one, and why there may have to be another attempt."""
        import requests

        try:
            answer = self._session.request(
                method,
                f"{self.url}{path}",
                data=body,
                headers=None if body is None else {"Content-Type": "application/json"},
                timeout=self._timeout_seconds,
                allow_redirects=False,  # they would turn POST into GET, and carry the key elsewhere
            )
        except requests.RequestException as error:
            return None, self._explain(method, path, error)
        return answer, _busy_text(answer) if answer.status_code == BUSY else ""

    def _explain(self, method: str, path: str, error: requests.RequestException) -> str:
        """Return in words why there is no connection; raise where another attempt would be of no use."""
        import requests

        call, reason = self.name(method, path), _reason(error)
        if _is_read_timeout(error):
            raise ServiceCallError(
                f"{call} got no answer within {self._timeout_seconds:g} s; see what the service does, send fewer "
                "records at once, or set a longer timeout"
            ) from error
        lost = isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError)
        if not lost or isinstance(error, requests.exceptions.SSLError):
            raise ServiceCallError(f"{call} cannot be made: {reason}; check the address") from error
        return f"no connection ({reason})"

    def _read(self, method: str, path: str, answer: requests.Response) -> Any:
        call = self.name(method, path)
        if answer.is_redirect:
            place = answer.headers["Location"]
            raise ServiceCallError(f"{call} is redirected to {mask_credentials(place)}; give the address behind it")
        if not answer.ok:
            raise to_error(call, answer.status_code, answer.content, answer.headers.get("X-Request-Id"))
        return read_json(call, answer.content)

    def _pause(self, attempt: int, asked_for: str | None) -> float:
        """Return the seconds until the next attempt: those asked for, or twice as many as before, cut at random."""
        wanted = None if asked_for is None else _seconds(asked_for)
        if wanted is not None:
            return min(max(wanted, 0.0), LONGEST_PAUSE_SECONDS)
        longest = min(self._pause_seconds * 2 ** (attempt - 1), LONGEST_PAUSE_SECONDS)
        return random.uniform(longest / 2, longest)  # noqa: S311  no secret


def to_json(payload: Any) -> bytes:
    """Return a value as JSON; moments are written in ISO 8601.

    Raises
    ------
    InvalidDataError
        When it has no JSON form.
    """
    try:
        return json.dumps(payload, allow_nan=False, default=_json_value).encode()
    except (ValueError, TypeError) as error:
        raise InvalidDataError(f"The records cannot be sent as JSON: {error}; send None for a missing value") from error


def _json_value(value: Any) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    if hasattr(value, "item"):  # a number of NumPy
        return value.item()
    raise TypeError(f"{value!r} is a {type(value).__name__}")


def _seconds(asked_for: str) -> float | None:
    """Return the seconds that a ``Retry-After`` header means, a number or a date; ``None`` where it is neither."""
    if asked_for.strip().isdecimal():
        return float(asked_for)
    try:
        moment = parsedate_to_datetime(asked_for)
    except ValueError:
        return None
    return (moment.replace(tzinfo=moment.tzinfo or dt.UTC) - dt.datetime.now(dt.UTC)).total_seconds()


def _busy_text(answer: requests.Response) -> str:
    try:
        return f"it answers 503 ({answer.json()['error']['message']})"
    except (ValueError, TypeError, KeyError):
        return "it answers 503"


def _is_read_timeout(error: requests.RequestException) -> bool:
    """Return whether the service was reached and stayed silent, at the beginning or within its answer."""
    import requests
    from urllib3.exceptions import ReadTimeoutError

    return isinstance(error, requests.ReadTimeout) or any(isinstance(found, ReadTimeoutError) for found in error.args)


def _reason(error: requests.RequestException) -> str:
    """Return what the operating system says, or else the innermost library."""
    import requests

    found: BaseException = error
    while isinstance(found, requests.RequestException) or not isinstance(found, OSError):
        inner = found.__cause__ or found.__context__
        if inner is None:
            break
        found = inner
    return getattr(found, "strerror", None) or str(found) or type(found).__name__
