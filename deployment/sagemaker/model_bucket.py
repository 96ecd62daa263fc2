"""Archives of models in S3, from where SageMaker fetches them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deployment.deployer.aws import error_code, explained, open_client
from deployment.deployer.ecr import CREATED_BY
from deployment.deployer.errors import DeploymentError
from deployment.sagemaker.model_archive import hash_of

if TYPE_CHECKING:
    import boto3

_HASH = "sha256"
_MISSING = {"404", "NoSuchBucket", "NotFound", "NoSuchKey", "NoSuchTagSet"}


def default_bucket(account: str, region: str) -> str:
    """Return the name of the bucket that is used where none is given; names are unique among all accounts."""
    return f"ml-project-sagemaker-{account}-{region}"


def upload_archive(
    session: boto3.Session,
    archive: Path,
    *,
    bucket: str,
    folder: str,
    account: str,
    say: Callable[[str], None] = print,
) -> str:
    """Store an archive under a key with its hash and return its address; what is there already is not sent again.

    Parameters
    ----------
    session
        Who stores it, and in which region.
    archive
        The file ``model.tar.gz``.
    bucket
        Created where it is missing: closed to the public, and emptied and deleted with the endpoint.
    folder
        Start of the key.
    account
        Owner of the bucket; a model is not given to anybody else's bucket, whose name may be known to strangers.
    say
        Told what is done.

    Raises
    ------
    DeploymentError
        When S3 refuses, or holds something else afterwards than what was sent.
    """
    content = archive.read_bytes()
    key = f"{folder}/{hash_of(content)}/model.tar.gz"
    url = f"s3://{bucket}/{key}"
    client = open_client(session, "s3")
    _ensure_bucket(client, bucket, session.region_name, account, say)
    with explained(f"Looking for {url}"):
        if _stored_size(client, bucket, key) == len(content):
            say(f"{url} is there already")
            return url
    with explained(f"Uploading {archive} to {url}"):
        # S3 computes the checksum too, and refuses what was changed on the way.
        client.put_object(
            Bucket=bucket, Key=key, Body=content, ChecksumAlgorithm="SHA256", Metadata={_HASH: hash_of(content)}
        )
        stored = _stored_size(client, bucket, key)
    if stored != len(content):
        raise DeploymentError(f"{url} has {stored} bytes instead of {len(content)}; run the same command again")
    say(f"Uploaded {url} ({len(content):,} bytes)")
    return url


def remove_archives(
    session: boto3.Session, *, bucket: str, folder: str, account: str, say: Callable[[str], None] = print
) -> None:
    """Delete all archives of an endpoint, and the bucket if it was created for them and holds nothing else."""
    client = open_client(session, "s3")
    with explained(f"Deleting the archives in s3://{bucket}/{folder}"):
        if not _has_bucket(client, bucket, account):
            return
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{folder}/"):
            for entry in page.get("Contents", ()):
                client.delete_object(Bucket=bucket, Key=entry["Key"])
                say(f"Deleted s3://{bucket}/{entry['Key']}")
        if _is_ours(client, bucket) and client.list_objects_v2(Bucket=bucket, MaxKeys=1)["KeyCount"] == 0:
            client.delete_bucket(Bucket=bucket)
            say(f"Deleted the bucket {bucket}")


def _ensure_bucket(client: Any, bucket: str, region: str, account: str, say: Callable[[str], None]) -> None:
    with explained(f"Looking for the bucket {bucket}"):
        if _has_bucket(client, bucket, account):
            return
    # The oldest region is S3's default, which it refuses when it is named.
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    with explained(f"Creating the bucket {bucket}"):
        client.create_bucket(Bucket=bucket, **place)
    say(f"Created the bucket {bucket}")
    with explained(f"Closing the bucket {bucket} to the public"):
        client.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [CREATED_BY]})
        closed = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(closed, True))


def _has_bucket(client: Any, bucket: str, account: str) -> bool:
    try:
        client.head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
    except client.exceptions.ClientError as error:
        if error_code(error) in _MISSING:
            return False
        if error_code(error) in {"403", "301"}:
            raise DeploymentError(
                f"The bucket {bucket} is of another account or region, or you may not use it; give another --bucket"
            ) from error
        raise
    return True


def _is_ours(client: Any, bucket: str) -> bool:
    try:
        return CREATED_BY in client.get_bucket_tagging(Bucket=bucket)["TagSet"]
    except client.exceptions.ClientError as error:
        if error_code(error) in _MISSING:
            return False
        raise


def _stored_size(client: Any, bucket: str, key: str) -> int | None:
    try:
        return int(client.head_object(Bucket=bucket, Key=key)["ContentLength"])
    except client.exceptions.ClientError as error:
        if error_code(error) in _MISSING:
            return None
        raise
