"""Sessions with AWS, and errors of its services that say what to do."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from deployment.deployer.errors import DeploymentError

if TYPE_CHECKING:
    import boto3

_ACCOUNT_ID = re.compile(r"\d{12}")
_REMEDIES = (
    (
        re.compile("AccessDenied|Unauthorized|NotAuthorized"),
        "the identity of your credentials lacks this permission; have it added, or choose another AWS_PROFILE",
    ),
    (re.compile("Expired"), "the session of your credentials has ended; log in again (aws sso login)"),
    (
        re.compile("InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClient|InvalidAccessKeyId|InvalidSignature"),
        "AWS does not know these credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, anew",
    ),
    (
        re.compile("LimitExceeded|QuotaExceeded"),
        "a quota of the account is used up; ask for a higher one under Service Quotas, take another instance type, "
        "or delete what is not needed",
    ),
    (
        re.compile("Throttling|TooManyRequests|RequestLimit|SlowDown"),
        "AWS wants fewer requests; run it again in a minute",
    ),
)


def open_session(region: str | None = None) -> boto3.Session:
    """Return a session whose region and credentials are known to be there.

    Parameters
    ----------
    region
        Region such as eu-central-1; by default that of the environment or the profile.

    Raises
    ------
    DeploymentError
        Without boto3, region or credentials.
    """
    try:
        import boto3
    except ImportError as error:
        raise DeploymentError("boto3 is missing, which talks to AWS; install it: pip install boto3") from error
    with explained("Reading the AWS configuration"):
        session = boto3.Session(region_name=region or os.environ.get("AWS_REGION"))
        if session.region_name is None:
            raise DeploymentError(
                "No AWS region is set; give --region, for instance eu-central-1, or AWS_DEFAULT_REGION"
            )
        if session.get_credentials() is None:
            raise DeploymentError(
                "There are no AWS credentials; run 'aws configure sso' and set AWS_PROFILE, or set AWS_ACCESS_KEY_ID "
                "and AWS_SECRET_ACCESS_KEY"
            )
    return session


def open_client(session: boto3.Session, service: str) -> Any:
    """Return a client of a service that repeats throttled calls and does not wait for ever."""
    from botocore.config import Config

    config = Config(connect_timeout=10, read_timeout=60, retries={"mode": "standard"})
    with explained(f"Opening {service}"):
        return session.client(service, config=config)  # type: ignore[call-overload, unused-ignore]  # any service


def find_account(session: boto3.Session, expected: str | None = None) -> str:
    """Return the identifier of the account that the credentials belong to.

    Parameters
    ----------
    session
        Whose credentials.
    expected
        The account that is meant, 12 digits; any by default.

    Raises
    ------
    DeploymentError
        When AWS refuses the credentials, or they belong to another account.
    """
    if expected is not None and not _ACCOUNT_ID.fullmatch(expected):
        raise DeploymentError(
            f"The account id {expected!r} is none; AWS's have 12 digits (aws sts get-caller-identity)"
        )
    with explained("Asking AWS for the account of these credentials"):
        account: str = open_client(session, "sts").get_caller_identity()["Account"]
    if expected is not None and account != expected:
        raise DeploymentError(
            f"The credentials are of account {account}, not of {expected}; choose another AWS_PROFILE or --account-id"
        )
    return account


def error_code(error: Exception) -> str:
    """Return the code of an error that a service answered with, such as ``ValidationException``, or an empty text."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


@contextmanager
def explained(action: str) -> Iterator[None]:
    """Turn what botocore raises into errors that say what to do.

    Parameters
    ----------
    action
        What is being done, as the start of a sentence: "Creating the bucket x".

    Raises
    ------
    DeploymentError
        Instead of any error of botocore.
    """
    import botocore.exceptions as aws

    try:
        yield
    except aws.ClientError as error:
        raise DeploymentError(f"{action} failed: {_explain(error)}") from error
    except (aws.NoCredentialsError, aws.PartialCredentialsError, aws.CredentialRetrievalError) as error:
        raise DeploymentError(
            f"{action} failed: no usable AWS credentials ({error}); set AWS_PROFILE or log in"
        ) from error
    except aws.ProfileNotFound as error:
        raise DeploymentError(f"{action} failed: {error}; correct AWS_PROFILE (aws configure list-profiles)") from error
    except (aws.HTTPClientError, aws.ConnectionError) as error:
        raise DeploymentError(f"{action} failed: {error}; check the network and the region") from error
    except aws.BotoCoreError as error:
        raise DeploymentError(f"{action} failed: {error}") from error


def _explain(error: Any) -> str:
    code, message = error_code(error), error.response.get("Error", {}).get("Message", "no reason given").strip()
    said = f"{message.rstrip('.')} ({code})"
    for pattern, remedy in _REMEDIES:
        if pattern.search(code) or (code == "ValidationException" and pattern.search(message)):
            return f"{said}; {remedy}"
    return said
