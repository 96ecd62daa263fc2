"""The HTTP events of AWS, which differ in how they name things: API Gateway, function URLs, load balancers.

===================================  =============================================================
REST API, HTTP API with format 1.0   ``httpMethod``, ``path``, ``headers``, ``multiValueHeaders``
HTTP API, function URL (format 2.0)  ``requestContext.http``, ``rawPath``, ``headers``
load balancer                        as a REST API's, with either kind of headers, and ``requestContext.elb``
===================================  =============================================================
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from ml_project.errors import BodyIncompleteError
from ml_project.serving.messages import JSON, HttpAnswer, HttpRequest

Event = Mapping[str, Any]


def is_http(event: Event) -> bool:
    """Return whether an event is an HTTP request."""
    context = event.get("requestContext")
    return isinstance(context, dict) and ("httpMethod" in event or "http" in context)


def read_head(event: Event, paths: Collection[str], *, base_path: str = "") -> HttpRequest:
    """Return the request of an event, without its body.

    Parameters
    ----------
    event
        An HTTP event.
    paths
        The contract's paths; what stands in front of one is taken off where it is known to be a prefix.
    base_path
        A prefix that no event tells of.
    """
    if _is_format_2(event):
        method, path = event["requestContext"]["http"]["method"], event.get("rawPath") or "/"
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    else:
        method, path = event["httpMethod"], event.get("path") or "/"
        headers = _headers(event)
    return HttpRequest(method.upper(), _contract_path(event, unquote(path), paths, base_path), headers)


def read_body(event: Event) -> bytes:
    """Return the body of an event.

    Raises
    ------
    BodyIncompleteError
        When it says that it is base64 and is not.
    """
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        # What is no Unicode becomes what is no UTF-8, which the contract refuses.
        return str(body).encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BodyIncompleteError(f"The body is said to be base64, but is not: {error}; send it again") from error


def to_response(event: Event, request: HttpRequest, answer: HttpAnswer) -> dict[str, Any]:
    """Return an answer in the form that the caller of an event wants.

    Parameters
    ----------
    event
        An HTTP event.
    request
        What was read from it.
    answer
        The contract's answer.
    """
    headers = {"Content-Type": answer.media_type, **(answer.headers or {})}
    body, is_base64 = _to_text(answer)
    response: dict[str, Any] = {"statusCode": answer.status, "body": body, "isBase64Encoded": is_base64}
    if request.method == "HEAD":
        response |= {"body": "", "isBase64Encoded": False}
    if "elb" in event["requestContext"]:
        response["statusDescription"] = f"{answer.status} {HTTPStatus(answer.status).phrase}"
    if event.get("multiValueHeaders") is not None and not _is_format_2(event):
        # A load balancer that sends lists of values takes nothing else; a REST API takes both.
        response["multiValueHeaders"] = {name: [value] for name, value in headers.items()}
    else:
        response["headers"] = headers
    return response


def _is_format_2(event: Event) -> bool:
    return "http" in event["requestContext"]


def _headers(event: Event) -> dict[str, str]:
    """Return headers by lower-case name; several values of one are joined, as HTTP says."""
    several = event.get("multiValueHeaders")
    if several:
        return {name.lower(): ",".join(values) for name, values in several.items()}
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def _contract_path(event: Event, path: str, paths: Collection[str], base_path: str) -> str:
    """Return a path without what API Gateway or a load balancer's rule put in front of it.

    A stage is part of the path with an HTTP API and is not with a REST API; a custom domain's mapping is, with both. So
    a path of the contract stays as it is, and else the first shorter one that the contract has is meant.
    """
    stage = event["requestContext"].get("stage")
    without_stage = _without(f"/{stage}", path) if stage else path
    found = [path, without_stage]
    if base_path:
        found.append(_without(base_path, path))
    proxy = (event.get("pathParameters") or {}).get("proxy")
    if proxy:
        found.append(f"/{unquote(proxy)}")
    return next((candidate for candidate in found if candidate in paths), without_stage)


def _without(prefix: str, path: str) -> str:
    return path.removeprefix(prefix) if path.startswith(f"{prefix}/") else path


def _to_text(answer: HttpAnswer) -> tuple[str, bool]:
    """Return a body as text, and whether it is base64 because it is none."""
    media_type = answer.media_type.partition(";")[0]
    if media_type == JSON or media_type.startswith("text/") or media_type.endswith("+json"):
        return answer.body.decode(), False
    return base64.b64encode(answer.body).decode(), True
