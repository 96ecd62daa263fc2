"""AWS Lambda: what a function is called with, answered by the contract.

============================================  ===================================================
called by                                     answered with
============================================  ===================================================
API Gateway (REST and HTTP), function URL,    the contract's HTTP answer, in the form of the caller
load balancer
SQS                                           the messages that shall be delivered again
EventBridge, by its clock                     that the model is loaded
anyone else, with a record or a list of them  what ``POST /predict`` answers, or an error
============================================  ===================================================
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic_core import from_json

from ml_project.errors import ConfigError, MlProjectError, RequestError
from ml_project.serving.adapters.aws_http import is_http, read_body, read_head, to_response
from ml_project.serving.adapters.aws_queue import QueueBatch, is_queue_batch
from ml_project.serving.api import HttpApi
from ml_project.serving.messages import JSON, HttpAnswer, HttpRequest

TRACE = "_X_AMZN_TRACE_ID"
"""Variable of the environment in which Lambda puts the X-Ray header of each invocation."""
REFUSED_MESSAGES = ("retry", "drop")


class LambdaContext(Protocol):
    """What of Lambda's context is used."""

    @property
    def aws_request_id(self) -> str:
        """Identifier of the invocation."""


@dataclass(frozen=True, slots=True)
class LambdaSettings:
    """What the function's environment decides.

    Attributes
    ----------
    api_key
        Key of the service; shown by the adapter where AWS has checked the caller: direct invocations and queues.
    base_path
        Prefix in front of the contract's paths, for a load balancer's path rule; stages and ``{proxy+}`` need none.
    drops_refused_messages
        Whether a message that can never be answered is taken off the queue and only logged.
    """

    api_key: str | None = None
    base_path: str = ""
    drops_refused_messages: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> LambdaSettings:
        """Return the settings of a function's environment.

        Raises
        ------
        ConfigError
            When ``SQS_REFUSED_MESSAGES`` is neither ``retry`` nor ``drop``.
        """
        refused = environment.get("SQS_REFUSED_MESSAGES", "retry")
        if refused not in REFUSED_MESSAGES:
            raise ConfigError(f"SQS_REFUSED_MESSAGES is {refused!r}; set it to {' or '.join(REFUSED_MESSAGES)}")
        return cls(
            api_key=environment.get("ML_PROJECT_SERVING__API_KEY") or None,
            base_path=environment.get("BASE_PATH", "").rstrip("/"),
            drops_refused_messages=refused == "drop",
        )


class LambdaAdapter:
    """Answers what a function is called with.

    Parameters
    ----------
    api
        The contract.
    settings
        What the function's environment decides.
    """

    def __init__(self, api: HttpApi, settings: LambdaSettings | None = None) -> None:
        self._api = api
        self._settings = settings or LambdaSettings()
        self._paths = frozenset(route.path for route in api.routes)

    def answer(self, event: Any, context: LambdaContext) -> Any:
        """Return what Lambda gives back to who called.

        Raises
        ------
        Exception
            Where a direct invocation is refused: of a class named by the error's code, with the contract's error as
            its message. Lambda marks such an answer as a function error.
        """
        fields = {"requestId": context.aws_request_id, "xray_trace_id": trace_of(os.environ.get(TRACE, ""))}
        if isinstance(event, dict):
            if is_http(event):
                return self._answer_http(event, fields)
            if is_queue_batch(event):
                batch = QueueBatch(event, drops_refused=self._settings.drops_refused_messages, log_fields=fields)
                return batch.answer(lambda message_id, body: self._predict(body, message_id, fields))
            if event.get("source") == "aws.events":
                return from_json(self._ask(HttpRequest("GET", "/ready", {}, log_fields=fields)).body)
        return self._answer_direct(event, fields)

    def _answer_http(self, event: dict[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
        request = read_head(event, self._paths, base_path=self._settings.base_path)
        request.headers = {"x-request-id": fields["requestId"], **request.headers}
        request.log_fields = fields
        try:
            request.body = read_body(event)
        except MlProjectError as error:
            return to_response(event, request, self._api.refuse(request, error))
        return to_response(event, request, self._ask(request))

    def _answer_direct(self, event: Any, fields: Mapping[str, Any]) -> Any:
        if isinstance(event, dict) and isinstance(event.get("Records"), list):
            refused = self._api.refuse(_to_predict(b"", fields), _unknown_source(event["Records"]))
            raise _function_error(refused)
        is_list = isinstance(event, dict) and event.keys() == {"records"} and isinstance(event["records"], list)
        # In ASCII, because an event may hold half of a surrogate pair, which UTF-8 has no bytes for.
        answer = self._predict(json.dumps(event["records"] if is_list else event).encode(), None, fields)
        if answer.status >= 400:
            raise _function_error(answer)
        return from_json(answer.body)

    def _predict(self, body: bytes, request_id: str | None, fields: Mapping[str, Any]) -> HttpAnswer:
        request = _to_predict(body, fields)
        request.headers = {
            "content-type": JSON,
            "x-request-id": request_id or fields["requestId"],
            **({"x-api-key": self._settings.api_key} if self._settings.api_key else {}),
        }
        return self._ask(request)

    def _ask(self, request: HttpRequest) -> HttpAnswer:
        refusal = self._api.find_refusal(has_room=True, n_bytes=len(request.body))
        if refusal is not None:
            return self._api.refuse(request, refusal)
        answer = self._api.answer(request)
        if answer.stored is not None:
            answer.stored.result()
        return answer


def trace_of(header: str) -> str | None:
    """Return the trace's identifier in X-Ray's header.

    Examples
    --------
    >>> trace_of("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
    '1-5759e988-bd862e3fe1be46a994272793'
    """
    parts = dict(part.partition("=")[::2] for part in header.split(";"))
    return parts.get("Root")


def _to_predict(body: bytes, fields: Mapping[str, Any]) -> HttpRequest:
    return HttpRequest("POST", "/predict", {}, body, log_fields=fields)


def _unknown_source(records: list[Any]) -> RequestError:
    first = records[0] if records and isinstance(records[0], dict) else {}
    source = str(first.get("eventSource") or first.get("EventSource") or "an unknown source")[:100]
    return RequestError(f"Events of {source} are not understood; send records, or let messages pass through SQS")


def _function_error(answer: HttpAnswer) -> Exception:
    """Return the exception that Lambda tells a caller about: its class becomes ``errorType``, its text the message."""
    body = answer.body.decode()
    kind = type(json.loads(body)["error"]["code"], (Exception,), {})
    return kind(body)  # type: ignore[no-any-return]  # classes made at run time have no type
