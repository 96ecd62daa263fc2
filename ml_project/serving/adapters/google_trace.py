"""What Cloud Logging joins the lines of one request by: its trace, and Google's identifier of the execution."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

EXECUTION_ID = "function-execution-id"
PROJECT_VARIABLE = "GOOGLE_CLOUD_PROJECT"
TRACE = "logging.googleapis.com/trace"
SPAN = "logging.googleapis.com/spanId"
IS_SAMPLED = "logging.googleapis.com/trace_sampled"
LABELS = "logging.googleapis.com/labels"
_W3C = re.compile(r"(?!ff)[0-9a-f]{2}-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(-.*)?")
_GOOGLE = re.compile(r"(?P<trace>[0-9a-fA-F]{32})(/(?P<span>[0-9]{1,20}))?(;o=(?P<sampled>[01]))?")
_MOST_SPAN = 2**64


def log_fields(headers: Mapping[str, str], project: str | None) -> dict[str, Any]:
    """Return the fields by which Cloud Logging finds all lines of a request.

    Parameters
    ----------
    headers
        Of the request, by lower-case name. The trace stands in ``traceparent``, or else in ``X-Cloud-Trace-Context``;
        one that is not well-formed counts for nothing.
    project
        Project that the trace belongs to; without one its identifier stands alone.

    Examples
    --------
    >>> fields = log_fields({"x-cloud-trace-context": "0123456789abcdef0123456789abcdef/10;o=1"}, "my-project")
    >>> fields["logging.googleapis.com/trace"], fields["logging.googleapis.com/spanId"]
    ('projects/my-project/traces/0123456789abcdef0123456789abcdef', '000000000000000a')
    """
    fields = _w3c_fields(headers.get("traceparent", "")) or _google_fields(headers.get("x-cloud-trace-context", ""))
    if fields and project is not None:
        fields[TRACE] = f"projects/{project}/traces/{fields[TRACE]}"
    execution = headers.get(EXECUTION_ID)
    if execution is not None:
        fields[LABELS] = {"execution_id": execution}
    return fields


def _w3c_fields(header: str) -> dict[str, Any]:
    found = _W3C.fullmatch(header.strip())
    if found is None or not int(found["trace"], 16) or not int(found["span"], 16):
        return {}
    return {TRACE: found["trace"], SPAN: found["span"], IS_SAMPLED: bool(int(found["flags"], 16) & 1)}


def _google_fields(header: str) -> dict[str, Any]:
    found = _GOOGLE.fullmatch(header.strip())
    if found is None or not int(found["trace"], 16):
        return {}
    fields: dict[str, Any] = {TRACE: found["trace"].lower()}
    span = int(found["span"] or 0)  # in decimal here, while Cloud Logging wants it in hexadecimal
    if 0 < span < _MOST_SPAN:
        fields[SPAN] = f"{span:016x}"
    if found["sampled"] is not None:
        fields[IS_SAMPLED] = found["sampled"] == "1"
    return fields
