"""Images in Amazon's container registry: the repository, and a push under a tag that never changes."""

from __future__ import annotations

import base64
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployment.deployer.aws import error_code, explained, find_account, open_client, open_session
from deployment.deployer.docker_engine import run_docker
from deployment.deployer.errors import DeploymentError

if TYPE_CHECKING:
    import boto3

CREATED_BY = {"Key": "created-by", "Value": "ml-project"}
"""Tag of everything that the deployers create at AWS."""


@dataclass(frozen=True)
class Repository:
    """A repository of the registry.

    Attributes
    ----------
    name
        Name inside of the registry.
    uri
        Address of its images, without a tag.
    """

    name: str
    uri: str


def push_to_ecr(
    image: str,
    *,
    repository: str,
    tag: str,
    account_id: str,
    region: str | None = None,
    registry: str | None = None,
    say: Callable[[str], None] = print,
) -> str:
    """Push a local image to Amazon's registry and return its address there.

    The repository is created where it is missing, with tags that cannot be moved and a scan of each push. An image that
    is there already under this tag is not pushed again: name images by a hash of their content.

    Parameters
    ----------
    image
        Local name, ``NAME:TAG``.
    repository, tag
        Name and tag at Amazon's.
    account_id
        12 digits; has to be the account of the credentials.
    region
        By default that of the environment or the profile.
    registry
        ``HOST[:PORT]`` of a registry that takes the image instead of the repository's own.
    say
        Told what is done.

    Raises
    ------
    DeploymentError
        When AWS or docker refuses; says what exists by then and how to go on or undo.
    """
    session = open_session(region)
    find_account(session, account_id)
    found = ensure_repository(session, repository, say=say)
    target = f"{found.uri if registry is None else f'{registry}/{repository}'}:{tag}"
    if has_image(session, repository, tag):
        say(f"{target} is there already")
        return target
    try:
        _push(session, image, target, say)
    except DeploymentError as error:
        raise DeploymentError(
            f"{error}\nThe repository {repository} exists, without this image. Run the same command again to go on, or "
            f"undo with: {deletion_command(repository, session.region_name)}"
        ) from error
    return target


def ensure_repository(session: boto3.Session, name: str, *, say: Callable[[str], None] = print) -> Repository:
    """Return a repository, which is created where it is missing: immutable tags, scan on push."""
    client = open_client(session, "ecr")
    with explained(f"Looking for the repository {name}"):
        existing = _find_repository(client, name)
    if existing is not None:
        if existing["imageTagMutability"] == "MUTABLE":
            say(f"The repository {name} was there before, and its tags can be moved to other images")
        return Repository(name, existing["repositoryUri"])
    with explained(f"Creating the repository {name}"):
        created = client.create_repository(
            repositoryName=name,
            imageTagMutability="IMMUTABLE",
            imageScanningConfiguration={"scanOnPush": True},
            tags=[CREATED_BY],
        )["repository"]
    say(f"Created the repository {created['repositoryUri']}")
    return Repository(name, created["repositoryUri"])


def has_image(session: boto3.Session, repository: str, tag: str) -> bool:
    """Return whether a repository has an image under a tag."""
    client = open_client(session, "ecr")
    with explained(f"Looking for {repository}:{tag}"):
        try:
            client.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
        except client.exceptions.ClientError as error:
            if error_code(error) == "ImageNotFoundException":
                return False
            raise
    return True


def image_address(repository: str, tag: str, *, account_id: str, region: str) -> str:
    """Return the address that an image gets.

    Examples
    --------
    >>> image_address("titanic", "1", account_id="123456789012", region="eu-central-1")
    '123456789012.dkr.ecr.eu-central-1.amazonaws.com/titanic:1'
    """
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"{account_id}.dkr.ecr.{region}.{domain}/{repository}:{tag}"


def deletion_command(repository: str, region: str | None) -> str:
    """Return the command that deletes a repository with its images."""
    where = "" if region is None else f" --region {region}"
    return f"aws ecr delete-repository --force --repository-name {repository}{where}"


def _find_repository(client: Any, name: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = client.describe_repositories(repositoryNames=[name])["repositories"][0]
    except client.exceptions.RepositoryNotFoundException:
        return None
    return found


def _push(session: boto3.Session, image: str, target: str, say: Callable[[str], None]) -> None:
    with explained("Asking for a password of the registry"):
        token = open_client(session, "ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = base64.b64decode(token).decode().partition(":")
    # The password is written to a folder of its own, which goes away, and not to the user's docker configuration. That
    # also says which engine is meant, so it is asked for the engine's address first.
    engine = os.environ.get("DOCKER_HOST") or run_docker(
        ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
    )
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "DOCKER_CONFIG": folder, "DOCKER_HOST": engine}
        login = ["login", "--username", user, "--password-stdin", target.split("/", maxsplit=1)[0]]
        run_docker(login, environment=environment, stdin=password)
        run_docker(["tag", image, target], environment=environment)
        say(f"Pushing {target}")
        run_docker(["push", target], environment=environment)
