"""Events as AWS makes them, shortened to what they have in common in practice."""

import base64
from types import SimpleNamespace

CONTEXT = SimpleNamespace(aws_request_id="8f507cfc-xmpl-4697-b07a-ac58fc914c95")


def body_fields(body):
    """Return a body as AWS gives it: as text where it is text, else in base64."""
    try:
        return {"body": body.decode() if body else None, "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def url_event(method, path, body=b"", headers=None, *, stage="$default", parameters=None):
    """Return the event of a function URL, and of an HTTP API with the format 2.0."""
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "abc.lambda-url.eu-central-1.on.aws", **(headers or {})},
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "abc",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "curl",
            },
            "requestId": "e1506fd5",
            "routeKey": "$default",
            "stage": stage,
            "timeEpoch": 1583348638390,
        },
        **body_fields(body),
    }
    if parameters is not None:
        event["pathParameters"] = parameters
    return event


def rest_event(method, path, body=b"", headers=None, *, stage="prod", parameters=None):
    """Return the event of a REST API, and of an HTTP API with the format 1.0."""
    headers = {"Host": "abc.execute-api.eu-central-1.amazonaws.com", **(headers or {})}
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "pathParameters": parameters,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": "/{proxy+}",
            "httpMethod": method,
            "path": f"/{stage}{path}",
            "stage": stage,
        },
        **body_fields(body),
    }


def balancer_event(method, path, body=b"", headers=None, *, several_values=False):
    """Return the event of a load balancer."""
    arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/lambda/49e9d65c45c6791a"
    headers = {"host": "lambda-123578498.eu-central-1.elb.amazonaws.com", **(headers or {})}
    event = {"requestContext": {"elb": {"targetGroupArn": arn}}, "httpMethod": method, "path": path}
    if several_values:
        event |= {"multiValueHeaders": {name: [value] for name, value in headers.items()}}
        event |= {"multiValueQueryStringParameters": {}}
    else:
        event |= {"headers": headers, "queryStringParameters": {}}
    fields = body_fields(body)
    return {**event, **fields, "body": fields["body"] or ""}


def queue_event(*bodies, groups=None):
    """Return the event of a queue; with groups, one per message, that of a FIFO queue."""
    arn = f"arn:aws:sqs:eu-central-1:123456789012:records{'.fifo' if groups else ''}"
    return {
        "Records": [
            {
                "messageId": f"message-{number}",
                "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    **({"MessageGroupId": groups[number]} if groups else {}),
                },
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": arn,
                "awsRegion": "eu-central-1",
            }
            for number, body in enumerate(bodies)
        ]
    }


CLOCK_EVENT = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-10-08T16:53:06Z",
    "region": "eu-central-1",
    "resources": ["arn:aws:events:eu-central-1:123456789012:rule/warm"],
    "detail": {},
}
