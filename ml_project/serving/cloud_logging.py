"""Log lines as the log services of Google Cloud and AWS read them: names of severity and time, form of a request.

What a line says of its request's trace, the request brings along as ``HttpRequest.log_fields``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ml_project.serving.json_logging import Shape

LogStyle = Literal["json", "google", "aws"]
_SERVER_ERROR = 500


def google_line(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line in the form of Cloud Logging, which shows requests in a form of their own.

    Parameters
    ----------
    line
        A line of the service.

    Examples
    --------
    >>> google_line({"severity": "INFO", "message": "request", "method": "POST", "path": "/predict", "status": 200,
    ...     "milliseconds": 1.5})["httpRequest"]
    {'requestMethod': 'POST', 'requestUrl': '/predict', 'status': 200, 'latency': '0.001500s'}
    """
    shaped = dict(line)
    if "milliseconds" in line:
        request = {
            "requestMethod": shaped.pop("method"),
            "requestUrl": shaped.pop("path"),
            "status": shaped.pop("status"),
            "latency": f"{shaped.pop('milliseconds') / 1000:.6f}s",
        }
        shaped |= {
            "severity": _severity(line),
            "message": f"{request['requestMethod']} {request['requestUrl']} {request['status']}",
            "httpRequest": request,
        }
    return shaped


def aws_line(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line in the form of CloudWatch Logs, where Lambda filters by ``level`` and ``timestamp``.

    Parameters
    ----------
    line
        A line of the service.
    """
    shaped = {"timestamp": line.get("time"), "level": _severity(line), **line}
    del shaped["time"], shaped["severity"]
    return shaped


STYLES: Mapping[LogStyle, Shape | None] = {"json": None, "google": google_line, "aws": aws_line}
"""Form of the lines by style; the service's own for JSON."""


def _severity(line: Mapping[str, Any]) -> Any:
    """Return a line's severity; answers that are the service's fault are errors, by which alarms are raised."""
    return "ERROR" if "milliseconds" in line and line["status"] >= _SERVER_ERROR else line.get("severity")
