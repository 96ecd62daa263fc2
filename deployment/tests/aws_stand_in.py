"""AWS's control planes on this machine: moto's server, with what SageMaker does over time and when it fails."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from deployment.tests.asking import HttpAsk
from ml_project.serving.messages import HttpRequest

ACCOUNT = "123456789012"
REGION = "eu-central-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_MAX_ATTEMPTS": "1",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}
"""Environment of who talks to the stand-in, beside AWS_ENDPOINT_URL."""


class ControlPlanes:
    """moto's web application, and what tests want SageMaker to do.

    Parameters
    ----------
    application
        moto's own.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self.url = ""
        self._moto = application
        self._start_anew()

    def forget(self) -> None:
        """Start anew, with nothing in the account."""
        HttpAsk(self.url)(HttpRequest("POST", "/moto-api/reset", {}))
        self._start_anew()

    def _start_anew(self) -> None:
        self.calls: list[str] = []
        self.failures: dict[str, tuple[str, str]] = {}
        """Code and message with which operations are refused, by their name."""
        self.states: deque[tuple[str, str | None]] = deque()
        """What DescribeEndpoint says next, one after the other: status and reason of failure; the last one stays."""
        self.owner_of_buckets = ACCOUNT
        self.takes_updates = True
        """Whether an update ends with the new config, or SageMaker goes back to the old one."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request as a WSGI application."""
        operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        self.calls.append(operation)
        if operation in self.failures:
            code, message = self.failures[operation]
            return _answer(start_response, HTTPStatus.BAD_REQUEST, {"__type": code, "message": message})
        if environ.get("HTTP_X_AMZ_EXPECTED_BUCKET_OWNER", self.owner_of_buckets) != self.owner_of_buckets:
            return _answer(start_response, HTTPStatus.FORBIDDEN, {})  # which moto does not look at
        if operation == "UpdateEndpoint":
            return self._update(environ, start_response)
        if operation == "DescribeEndpoint" and self.states:
            self._enter_next_state()
        return self._moto(environ, start_response)

    def endpoints(self) -> dict[str, Any]:
        """Return moto's own objects of the endpoints, by their names."""
        from moto.sagemaker.models import sagemaker_backends

        found: dict[str, Any] = sagemaker_backends[ACCOUNT][REGION].endpoints
        return found

    def _update(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        # moto does not know this operation and answers with 500.
        request = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        endpoint = self.endpoints()[request["EndpointName"]]
        if self.takes_updates:
            endpoint.endpoint_config_name = request["EndpointConfigName"]
        return _answer(start_response, HTTPStatus.OK, {"EndpointArn": endpoint.arn})

    def _enter_next_state(self) -> None:
        status, reason = self.states.popleft() if len(self.states) > 1 else self.states[0]
        for endpoint in self.endpoints().values():
            endpoint.endpoint_status, endpoint.failure_reason = status, reason


@contextmanager
def control_planes() -> Iterator[ControlPlanes]:
    """Serve all control planes on a free port of the loopback interface until the end of a with-block."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    planes = ControlPlanes(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, planes, threaded=True)
    planes.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        # What it keeps belongs to the process, so it would know the resources of earlier tests.
        planes.forget()
        yield planes
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(start_response: Callable[..., Any], status: HTTPStatus, content: Any) -> Iterable[bytes]:
    body = json.dumps(content).encode()
    head = [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(body)))]
    start_response(f"{status.value} {status.phrase}", head)
    return [body]
