"""Errors as answers: which status an error has, and what of it a client may know."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from pydantic_core import to_json

from ml_project.errors import (
    BatchTooLargeError,
    BodyTooLargeError,
    BodyTooSlowError,
    InvalidDataError,
    MediaTypeError,
    MlProjectError,
    NotReadyError,
    OverloadedError,
    Problem,
    RequestError,
    UnavailableError,
    UnknownRouteError,
    WrongKeyError,
    WrongMethodError,
)
from ml_project.serving.messages import HttpAnswer, json_answer

STATUSES: tuple[tuple[type[MlProjectError], int], ...] = (
    (WrongKeyError, 401),
    (UnknownRouteError, 404),
    (WrongMethodError, 405),
    (BodyTooLargeError, 413),
    (BatchTooLargeError, 413),
    (MediaTypeError, 415),
    (BodyTooSlowError, 408),
    (RequestError, 400),
    (InvalidDataError, 422),
    (UnavailableError, 503),
)
INTERNAL_ERROR = 500
RETRY_AFTER_SECONDS = "1"
LONGEST_VALUE = 200
"""Characters of a refused value that an answer repeats."""


def status_of(error: Exception) -> int:
    """Return the HTTP status that an error is answered with; 500 for one that is no client's fault."""
    return next((status for kind, status in STATUSES if isinstance(error, kind)), INTERNAL_ERROR)


def refuse(error: Exception, request_id: str) -> HttpAnswer:
    """Return the answer to a request that failed.

    Parameters
    ----------
    error
        Why it failed. Of an error that is no client's fault nothing is told but the request's identifier, by which the
        log can be searched.
    request_id
        The request's identifier.
    """
    status = status_of(error)
    answer = json_answer(status, {"error": _content(error, status, request_id)})
    answer.headers = _headers(error, status)
    return answer


def refuse_in_open_inference(error: Exception, request_id: str) -> HttpAnswer:
    """Return the same in the form of the Open Inference Protocol, where an error is one text."""
    status = status_of(error)
    content = _content(error, status, request_id)
    text = content["message"]
    if status != INTERNAL_ERROR and isinstance(error, MlProjectError) and error.problems:
        problems = (replace(problem, value=_short_value(problem.value)) for problem in error.problems)
        text = f"{text.rstrip('.')}: {'; '.join(map(str, problems))}"
    answer = json_answer(status, {"error": text})
    answer.headers = _headers(error, status)
    return answer


def _content(error: Exception, status: int, request_id: str) -> dict[str, Any]:
    if status == INTERNAL_ERROR or not isinstance(error, MlProjectError):
        message = f"The service failed; its log says more under the request id {request_id}."
        return {"code": "internal_error", "message": message, "details": []}
    return {"code": error.code, "message": error.message, "details": [_detail(problem) for problem in error.problems]}


def _detail(problem: Problem) -> dict[str, Any]:
    return {
        "row": problem.row,
        "field": problem.field,
        "value": _short_value(problem.value),
        "problem": problem.problem,
    }


def _short_value(value: Any) -> Any:
    """Return a value as it is, or its beginning as text where it is long or JSON has no form for it."""
    if value is None or isinstance(value, bool) or (isinstance(value, str) and len(value) <= LONGEST_VALUE):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, int) and abs(value) < 2**63:
        return value
    text = value if isinstance(value, str) else to_json(value, inf_nan_mode="null", fallback=str).decode()
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def _headers(error: Exception, status: int) -> dict[str, str] | None:
    if isinstance(error, NotReadyError | OverloadedError):  # what else is unavailable stays so
        return {"Retry-After": RETRY_AFTER_SECONDS}
    if isinstance(error, WrongKeyError):
        return {"WWW-Authenticate": "Bearer"}
    return {"Allow": error.allowed} if isinstance(error, WrongMethodError) else None
