"""A client of a Lambda function: any event through boto3, and HTTP requests as a function URL would hand them over."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from deployment.tests.asking import ANSWER_SECONDS
from ml_project.serving.messages import HttpAnswer, HttpRequest

NOWHERE = {"aws_access_key_id": "none", "aws_secret_access_key": "none", "region_name": "eu-central-1"}
"""Credentials for the emulator, which looks at none."""


class LambdaClient:
    """Invokes a function with boto3, as events of a function URL or directly.

    Parameters
    ----------
    name
        Name of the function.
    endpoint
        Address of the emulator; ``None`` asks AWS, with the credentials of the environment.
    headers
        Sent with each request.

    Attributes
    ----------
    endpoint
        Address that is asked.
    """

    def __init__(self, name: str, *, endpoint: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        import boto3
        from botocore.config import Config

        given: dict[str, Any] = {} if endpoint is None else {"endpoint_url": endpoint, **NOWHERE}
        config = Config(read_timeout=ANSWER_SECONDS, retries={"total_max_attempts": 1})
        self._client: Any = boto3.client("lambda", config=config, **given)
        self.endpoint: str = self._client.meta.endpoint_url
        self._name = name
        self._headers = dict(headers or {})

    def __call__(self, request: HttpRequest) -> HttpAnswer:
        """Return the answer to a request, asked as through a function URL."""
        response = self.invoke(url_event(request, self._headers))
        if "errorMessage" in response:
            raise AssertionError(f"the function failed: {response}")
        body = base64.b64decode(response["body"]) if response["isBase64Encoded"] else response["body"].encode()
        headers = {name.lower(): value for name, value in response["headers"].items()}
        return HttpAnswer(response["statusCode"], body, headers.pop("content-type", ""), headers)

    def invoke(self, event: Any) -> Any:
        """Return what the function gives back for any event; an error has the field ``errorMessage``."""
        response = self._client.invoke(FunctionName=self._name, Payload=json.dumps(event).encode())
        return json.loads(response["Payload"].read())

    def close(self) -> None:
        """End the connections."""
        self._client.close()


def url_event(request: HttpRequest, headers: Mapping[str, str]) -> dict[str, Any]:
    """Return the event that a function URL makes of a request."""
    try:
        body = {"body": request.body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        body = {"body": base64.b64encode(request.body).decode(), "isBase64Encoded": True}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": request.path,
        "rawQueryString": "",
        "headers": {**request.headers, **headers},
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "url",
            "domainName": "url.lambda-url.eu-central-1.on.aws",
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "golden",
            },
            "requestId": "8f507cfc-0000-4697-b07a-ac58fc914c95",
            "routeKey": "$default",
            "stage": "$default",
            "timeEpoch": 1_583_348_638_390,
        },
        **(body if request.body else {"isBase64Encoded": False}),
    }
