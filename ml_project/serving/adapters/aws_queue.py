"""Messages of SQS: each holds what the body of ``POST /predict`` holds, and is answered on its own.

Nobody waits for the answers, so they are logged, one JSON line per message. What Lambda wants to know is which messages
shall be delivered again. A failure of the service may pass, so its messages always are. A message that can never be
answered is delivered again too, until the queue moves it to its dead-letter queue, where somebody can look at it; where
that is not wanted, it is logged as an error and taken off the queue.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import from_json

from ml_project.serving.messages import HttpAnswer

_LOG = logging.getLogger("ml_project.serving.queue")
SOURCE = "aws:sqs"

AskMessage = Callable[[str, bytes], HttpAnswer]
"""Answers the body of a message with the given identifier."""


def is_queue_batch(event: Mapping[str, Any]) -> bool:
    """Return whether an event holds messages of SQS."""
    records = event.get("Records")
    return (
        isinstance(records, list)
        and bool(records)
        and all(isinstance(record, dict) and record.get("eventSource") == SOURCE for record in records)
    )


class QueueBatch:
    """The messages of one invocation.

    Parameters
    ----------
    event
        What Lambda got from the queue.
    drops_refused
        Whether a message that can never be answered is taken off the queue and only logged.
    log_fields
        What each line tells of the invocation.
    """

    def __init__(self, event: Mapping[str, Any], *, drops_refused: bool, log_fields: Mapping[str, Any]) -> None:
        self._messages: list[dict[str, Any]] = event["Records"]
        self._drops_refused = drops_refused
        self._log_fields = log_fields

    def answer(self, ask: AskMessage) -> dict[str, Any]:
        """Answer each message, and return which are to be delivered again, in the form that Lambda wants.

        In a FIFO queue, messages behind a failed one of the same group are left for the next delivery, in their order.
        """
        failed: list[str] = []
        waiting: set[str] = set()
        for message in self._messages:
            group = _ordered_group(message)
            if group in waiting or not self._is_done(message, ask):
                failed.append(message["messageId"])
                if group is not None:
                    waiting.add(group)
        return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}

    def _is_done(self, message: Mapping[str, Any], ask: AskMessage) -> bool:
        answer = ask(message["messageId"], message["body"].encode("utf-8", "surrogatepass"))
        is_refused = 400 <= answer.status < 500
        known = {
            **self._log_fields,
            "message_id": message["messageId"],
            "status": answer.status,
            "answer": from_json(answer.body),
        }
        if answer.status < 400:
            _LOG.info("message answered", extra=known)
            return True
        if is_refused and self._drops_refused:
            _LOG.error("message refused and taken off the queue", extra=known)
            return True
        deliveries = (message.get("attributes") or {}).get("ApproximateReceiveCount")
        text = "message refused" if is_refused else "message failed"
        _LOG.warning("%s; it will be delivered again", text, extra={**known, "deliveries": deliveries})
        return False


def _ordered_group(message: Mapping[str, Any]) -> str | None:
    """Return the group of a message in which order counts; only those of FIFO queues are such."""
    if not str(message.get("eventSourceARN", "")).endswith(".fifo"):
        return None
    return str((message.get("attributes") or {}).get("MessageGroupId"))
