"""What can go wrong between a client and a prediction service, and what an answer of the service says of it.

Records that the service refuses raise the same :class:`~ml_project.errors.InvalidDataError`, with the same problems, as
the pipeline does in process.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ml_project.errors import (
    BatchTooLargeError,
    BodyTooLargeError,
    InvalidDataError,
    MlProjectError,
    Problem,
    RequestError,
    WrongKeyError,
)

_REFUSALS: dict[int, type[MlProjectError]] = {
    401: WrongKeyError,
    403: WrongKeyError,
    413: BatchTooLargeError,
    422: InvalidDataError,
}
_SHOWN_CHARACTERS = 200


class ServiceCallError(MlProjectError):
    """A call that a service failed to answer."""

    code = "service_call_failed"


class ServiceUnreachableError(ServiceCallError):
    """A service that cannot be reached, or that cannot answer for longer than a client waits."""

    code = "service_unreachable"


class NotOurServiceError(ServiceCallError):
    """An address at which something else than a prediction service answers."""

    code = "not_a_prediction_service"


def to_error(call: str, status: int, body: bytes, request_id: str | None) -> MlProjectError:
    """Return the error that an answer other than success stands for.

    Parameters
    ----------
    call
        Method and address, for the message.
    status
        HTTP status of the answer.
    body
        Its body.
    request_id
        The identifier under which the service's log tells more.
    """
    content = _read_error(body)
    if content is None and status < 500:
        return NotOurServiceError(
            f"{call} was answered with status {status} and no error of a prediction service"
            f"{_excerpt(body)}; check the address"
        )
    message = "" if content is None else str(content.get("message"))
    if status >= 500:
        told = f"; its log says more under the request id {request_id}" if request_id and not message else ""
        return ServiceCallError(f"{call} failed with status {status}: {message or 'the service says no more'}{told}")
    kind = _REFUSALS.get(status, RequestError)
    if content is not None and content.get("code") == BodyTooLargeError.code:
        kind = BodyTooLargeError
    text = message if kind is InvalidDataError else f"{call} was refused with status {status}: {message}"
    return kind(text, _read_problems(content or {}))


def read_json(call: str, body: bytes) -> Any:
    """Return what the body of a successful answer holds.

    Raises
    ------
    NotOurServiceError
        When it is no JSON.
    """
    try:
        return json.loads(body)
    except ValueError as error:
        raise NotOurServiceError(f"{call} was answered with no JSON{_excerpt(body)}; check the address") from error


def _read_error(body: bytes) -> Mapping[str, Any] | None:
    """Return the error of the service's own form, ``None`` where the body has another one."""
    try:
        content = json.loads(body)["error"]
    except (ValueError, TypeError, KeyError):
        return None
    return content if isinstance(content, Mapping) and "message" in content else None


def _read_problems(content: Mapping[str, Any]) -> list[Problem]:
    details = content.get("details")
    return [
        Problem(str(found.get("problem")), field=found.get("field"), row=found.get("row"), value=found.get("value"))
        for found in (details if isinstance(details, list) else [])
        if isinstance(found, Mapping)
    ]


def _excerpt(body: bytes) -> str:
    text = " ".join(body[:_SHOWN_CHARACTERS].decode(errors="replace").split())
    return f" ({text!r})" if text else ""
