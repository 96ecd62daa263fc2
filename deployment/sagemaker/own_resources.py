"""What this project made at SageMaker for an endpoint: found by its tags, listed, deleted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from deployment.deployer.aws import error_code, explained, find_account, open_client
from deployment.deployer.ecr import CREATED_BY
from deployment.deployer.errors import DeploymentError
from deployment.sagemaker.model_bucket import default_bucket, remove_archives

if TYPE_CHECKING:
    import boto3

_SETTLED = {"InService", "OutOfService", "Failed", "UpdateRollbackFailed"}
_ENDPOINT_TAG = "ml-project-endpoint"


@dataclass(frozen=True)
class OwnResources:
    """What belongs to an endpoint.

    Attributes
    ----------
    endpoint
        SageMaker's description of it, or ``None``.
    configs
        Model of each endpoint config, by the config's name, the newest first.
    models
        Address of each model's archive, by the model's name, the newest first.
    """

    endpoint: dict[str, Any] | None
    configs: dict[str, str]
    models: dict[str, str]

    def current_config(self) -> str | None:
        """Return the config that the endpoint has."""
        return None if self.endpoint is None else str(self.endpoint["EndpointConfigName"])

    def current_model(self) -> str | None:
        """Return the model that the endpoint has."""
        return self.configs.get(self.current_config() or "")


def own_tags(endpoint: str) -> list[dict[str, str]]:
    """Return the tags of all that is made for an endpoint."""
    return [CREATED_BY, {"Key": _ENDPOINT_TAG, "Value": endpoint}]


def is_own(client: Any, arn: str, endpoint: str) -> bool:
    """Return whether something at SageMaker was made by this project for an endpoint."""
    with explained(f"Reading the tags of {arn}"):
        pages = client.get_paginator("list_tags").paginate(ResourceArn=arn)
        tags = [tag for page in pages for tag in page["Tags"]]
    return all(tag in tags for tag in own_tags(endpoint))


def describe_or_none(describe: Callable[..., dict[str, Any]], what: str, **name: str) -> dict[str, Any] | None:
    """Return what SageMaker says of something, or ``None`` where it does not exist."""
    from botocore.exceptions import ClientError

    with explained(f"Looking for {what}"):
        try:
            return describe(**name)
        except ClientError as error:
            # SageMaker has no code of its own for what is missing.
            if error_code(error) == "ValidationException" and "Could not find" in str(error):
                return None
            raise


def wait_until_settled(
    client: Any, name: str, *, say: Callable[[str], None], poll_seconds: float
) -> dict[str, Any] | None:
    """Return an endpoint once nothing is being done to it any more, or ``None`` once it is gone.

    Parameters
    ----------
    client
        SageMaker's.
    name
        Name of the endpoint.
    say
        Told each new state.
    poll_seconds
        Time between two looks.
    """
    started, said = time.monotonic(), ""
    while True:
        endpoint = describe_or_none(client.describe_endpoint, f"the endpoint {name}", EndpointName=name)
        if endpoint is None or endpoint["EndpointStatus"] in _SETTLED:
            return endpoint
        if endpoint["EndpointStatus"] != said:
            said = endpoint["EndpointStatus"]
            say(f"{name}: {said} ({time.monotonic() - started:.0f} s)")
        time.sleep(poll_seconds)


def find_own(client: Any, name: str) -> OwnResources:
    """Return all that was made for an endpoint."""
    endpoint = describe_or_none(client.describe_endpoint, f"the endpoint {name}", EndpointName=name)
    if endpoint is not None and not is_own(client, endpoint["EndpointArn"], name):
        endpoint = None
    configs, models = {}, {}
    for found, arn in _list(client, "list_endpoint_configs", "EndpointConfig", name):
        if is_own(client, arn, name):
            with explained(f"Looking for the endpoint config {found}"):
                variants = client.describe_endpoint_config(EndpointConfigName=found)["ProductionVariants"]
            configs[found] = str(variants[0]["ModelName"])
    for found, arn in _list(client, "list_models", "Model", name):
        if is_own(client, arn, name):
            with explained(f"Looking for the model {found}"):
                models[found] = str(client.describe_model(ModelName=found)["PrimaryContainer"]["ModelDataUrl"])
    return OwnResources(endpoint, configs, models)


def list_own(client: Any, name: str, *, say: Callable[[str], None] = print) -> None:
    """Say what was made for an endpoint, and what of it is in use."""
    own = find_own(client, name)
    if own.endpoint is None:
        say(f"There is no endpoint {name} of this project")
    else:
        say(f"{name}: {own.endpoint['EndpointStatus']}")
    for kind, found, current in (
        ("endpoint config", own.configs, own.current_config()),
        ("model", own.models, own.current_model()),
    ):
        for resource, origin in found.items():
            say(f"{kind} {resource} ({origin}): {'in use' if resource == current else 'old'}")


def delete_old(client: Any, name: str, *, say: Callable[[str], None] = print) -> None:
    """Delete the configs and models of an endpoint that it does not use."""
    own = find_own(client, name)
    if own.endpoint is None:
        raise DeploymentError(f"There is no endpoint {name} of this project; --delete removes what is left of one")
    _delete_parts(client, own, say, keep={own.current_config(), own.current_model()})


def delete_all(
    session: boto3.Session,
    name: str,
    *,
    bucket: str | None = None,
    say: Callable[[str], None] = print,
    poll_seconds: float = 5,
) -> None:
    """Delete an endpoint and all that was made for it: configs, models, archives, and the bucket if it was made too.

    Parameters
    ----------
    session
        Whose account and region.
    name
        Name of the endpoint.
    bucket
        Where archives lie; by default the project's bucket.
    say
        Told what is done.
    poll_seconds
        Time between two looks whether the endpoint is gone.

    Raises
    ------
    DeploymentError
        When AWS refuses; what was deleted by then stays so, and the same command goes on.
    """
    account = find_account(session)
    bucket = bucket or default_bucket(account, session.region_name)
    client = open_client(session, "sagemaker")
    own = find_own(client, name)
    if own == OwnResources(None, {}, {}):
        say(f"SageMaker has nothing that this project made for an endpoint {name}")
    try:
        if own.endpoint is not None:
            _delete_endpoint(client, name, say, poll_seconds)
        # Before the models, which know where the archives are.
        for place in sorted({bucket} | {urlsplit(url).netloc for url in own.models.values()}):
            remove_archives(session, bucket=place, folder=name, account=account, say=say)
        _delete_parts(client, own, say, keep=set())
    except DeploymentError as error:
        raise DeploymentError(f"{error}\nRun the same command again to delete the rest") from error


def _delete_endpoint(client: Any, name: str, say: Callable[[str], None], poll_seconds: float) -> None:
    # SageMaker refuses to delete what it is still creating or updating.
    if wait_until_settled(client, name, say=say, poll_seconds=poll_seconds) is None:
        return
    with explained(f"Deleting the endpoint {name}"):
        client.delete_endpoint(EndpointName=name)
    say(f"Deleting the endpoint {name}")
    while wait_until_settled(client, name, say=say, poll_seconds=poll_seconds) is not None:
        time.sleep(poll_seconds)
    say(f"Deleted the endpoint {name}")


def _delete_parts(client: Any, own: OwnResources, say: Callable[[str], None], keep: set[str | None]) -> None:
    for config in own.configs:
        if config not in keep:
            with explained(f"Deleting the endpoint config {config}"):
                client.delete_endpoint_config(EndpointConfigName=config)
            say(f"Deleted the endpoint config {config}")
    for model in own.models:
        if model not in keep:
            with explained(f"Deleting the model {model}"):
                client.delete_model(ModelName=model)
            say(f"Deleted the model {model}")


def _list(client: Any, operation: str, kind: str, name: str) -> Iterator[tuple[str, str]]:
    """Yield name and ARN of what bears a name that starts with an endpoint's, the newest first."""
    with explained(f"Listing what was made for {name}"):
        pages = client.get_paginator(operation).paginate(
            NameContains=name, SortBy="CreationTime", SortOrder="Descending"
        )
        for page in pages:
            for found in page[f"{kind}s"]:
                if found[f"{kind}Name"].startswith(f"{name}-"):
                    yield found[f"{kind}Name"], found[f"{kind}Arn"]
