"""An endpoint hosted by SageMaker: model, endpoint config and endpoint, created or updated, and waited for."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deployment.deployer.aws import explained, find_account, open_client, open_session
from deployment.deployer.ecr import CREATED_BY
from deployment.deployer.errors import DeploymentError
from deployment.sagemaker.model_bucket import default_bucket, upload_archive
from deployment.sagemaker.own_resources import describe_or_none, is_own, own_tags, wait_until_settled
from ml_project.errors import Problem
from ml_project.suggestions import suggest

VARIANT = "all"
SCRIPT = "deployment/sagemaker/setup_sagemaker_endpoint.py"
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,49}")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+", re.ASCII)


@dataclass(frozen=True)
class EndpointPlan:
    """What shall be hosted.

    Attributes
    ----------
    name
        Name of the endpoint; models and configs are named after it and their content.
    image
        Address of the inference image in ECR.
    archive
        The file ``model.tar.gz``.
    role
        ARN of the role that SageMaker takes to read image and archive.
    instance_type, n_instances
        What it runs on.
    bucket
        Bucket for the archive; by default one of this project for each account and region.
    environment
        Variables of the container.
    """

    name: str
    image: str
    archive: Path
    role: str
    instance_type: str
    n_instances: int = 1
    bucket: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


def find_problems(plan: EndpointPlan) -> list[Problem]:
    """Return what is wrong with a plan, as far as it can be known without AWS."""
    problems = []
    if not _NAME.fullmatch(plan.name):
        problems.append(
            Problem("must have up to 50 letters, digits and single hyphens", "--endpoint-name", None, plan.name)
        )
    if not _ROLE.fullmatch(plan.role):
        hint = "must be the ARN of a role (aws iam get-role --role-name NAME --query Role.Arn)"
        problems.append(Problem(hint, "--role", None, plan.role or None))
    known = _known_instance_types()
    if plan.instance_type not in known:
        similar = suggest(plan.instance_type, _similar(plan.instance_type, known))
        hint = f"is no instance type of SageMaker's endpoints{similar}"
        problems.append(Problem(hint, "--instance-type", None, plan.instance_type))
    if plan.n_instances < 1:
        problems.append(Problem("must be at least 1", "--n-instances", None, plan.n_instances))
    if not plan.image:
        hint = "is missing; push one: bash executables/cloud_setup.sh sagemaker --account-id ID --region REGION"
        problems.append(Problem(hint, "--image"))
    if not plan.archive.is_file():
        problems.append(Problem(f"{plan.archive} is missing; write it: bash executables/cloud_setup.sh sagemaker"))
    return problems


def deploy_endpoint(
    plan: EndpointPlan, *, region: str | None = None, say: Callable[[str], None] = print, poll_seconds: float = 15
) -> None:
    """Create an endpoint, or update it without an interruption, and wait until it answers.

    Parameters
    ----------
    plan
        What shall be hosted. Where the endpoint is like that already, nothing is done.
    region
        AWS region; by default that of the environment or the profile.
    say
        Told what is done.
    poll_seconds
        Time between two looks at the endpoint's state.

    Raises
    ------
    DeploymentError
        With what exists by then, how to go on and how to undo.
    """
    problems = find_problems(plan)
    if problems:
        raise DeploymentError("The endpoint cannot be set up", problems)
    session = open_session(region)
    account = find_account(session)
    client = open_client(session, "sagemaker")
    done: list[str] = []

    def note(text: str) -> None:
        done.append(text)
        say(text)

    try:
        bucket = plan.bucket or default_bucket(account, session.region_name)
        url = upload_archive(session, plan.archive, bucket=bucket, folder=plan.name, account=account, say=note)
        model = _ensure_model(client, plan, url, note)
        config = _ensure_config(client, plan, model, note)
        use_config(client, plan.name, config, say=note, poll_seconds=poll_seconds)
    except (DeploymentError, KeyboardInterrupt) as error:
        raise _with_state(error, plan.name, str(session.region_name), done) from error


def use_config(
    client: Any, name: str, config: str, *, say: Callable[[str], None] = print, poll_seconds: float = 15
) -> None:
    """Let an endpoint have an endpoint config, old or new, and wait until it does.

    Raises
    ------
    DeploymentError
        When AWS refuses, the endpoint fails, or it went back to what it had.
    """
    endpoint = _describe(client, name)
    if endpoint is not None:
        _check_owner(client, endpoint)
        endpoint = wait_until_settled(client, name, say=say, poll_seconds=poll_seconds)
    if endpoint is not None and endpoint["EndpointStatus"] == "Failed":
        say(f"The endpoint {name} failed before ({endpoint.get('FailureReason', 'no reason given')}); it is made anew")
        with explained(f"Deleting the failed endpoint {name}"):
            client.delete_endpoint(EndpointName=name)
        wait_until_settled(client, name, say=say, poll_seconds=poll_seconds)
        endpoint = None
    if endpoint is None:
        with explained(f"Creating the endpoint {name}"):
            client.create_endpoint(EndpointName=name, EndpointConfigName=config, Tags=own_tags(name))
        say(f"Creating the endpoint {name}; this takes some minutes")
    elif endpoint["EndpointConfigName"] != config:
        with explained(f"Updating the endpoint {name}"):
            client.update_endpoint(EndpointName=name, EndpointConfigName=config)
        say(f"Updating the endpoint {name} from {endpoint['EndpointConfigName']}; the old instances answer until then")
    _check_outcome(wait_until_settled(client, name, say=say, poll_seconds=poll_seconds), name, config)


def _check_outcome(endpoint: dict[str, Any] | None, name: str, config: str) -> None:
    if endpoint is None:
        raise DeploymentError(f"The endpoint {name} was deleted by somebody else while it was waited for")
    status, reason = endpoint["EndpointStatus"], endpoint.get("FailureReason", "AWS gives no reason")
    logs = f"what the container wrote: aws logs tail /aws/sagemaker/Endpoints/{name}"
    if status != "InService":
        raise DeploymentError(f"The endpoint {name} is {status}: {reason}\n{logs}")
    if endpoint["EndpointConfigName"] != config:
        raise DeploymentError(
            f"The endpoint {name} could not take {config} and went back to {endpoint['EndpointConfigName']}, which "
            f"answers: {reason}\n{logs}"
        )


def _ensure_model(client: Any, plan: EndpointPlan, url: str, say: Callable[[str], None]) -> str:
    container = {"Image": plan.image, "ModelDataUrl": url, "Environment": dict(plan.environment)}
    name = f"{plan.name}-{_digest([container, plan.role])}"
    if describe_or_none(client.describe_model, f"the model {name}", ModelName=name) is not None:
        return name
    with explained(f"Creating the model {name}"):
        client.create_model(
            ModelName=name, PrimaryContainer=container, ExecutionRoleArn=plan.role, Tags=own_tags(plan.name)
        )
    say(f"Created the model {name}")
    return name


def _ensure_config(client: Any, plan: EndpointPlan, model: str, say: Callable[[str], None]) -> str:
    variant = {
        "VariantName": VARIANT,
        "ModelName": model,
        "InstanceType": plan.instance_type,
        "InitialInstanceCount": plan.n_instances,
        "InitialVariantWeight": 1.0,
    }
    name = f"{plan.name}-{_digest(variant)}"
    found = describe_or_none(client.describe_endpoint_config, f"the endpoint config {name}", EndpointConfigName=name)
    if found is not None:
        return name
    with explained(f"Creating the endpoint config {name}"):
        client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], Tags=own_tags(plan.name))
    say(f"Created the endpoint config {name}")
    return name


def _describe(client: Any, name: str) -> dict[str, Any] | None:
    return describe_or_none(client.describe_endpoint, f"the endpoint {name}", EndpointName=name)


def _check_owner(client: Any, endpoint: Mapping[str, Any]) -> None:
    if not is_own(client, endpoint["EndpointArn"], endpoint["EndpointName"]):
        raise DeploymentError(
            f"The endpoint {endpoint['EndpointName']} was not made by this project (it lacks the tag "
            f"{CREATED_BY['Key']}={CREATED_BY['Value']}); choose another --endpoint-name"
        )


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def _known_instance_types() -> list[str]:
    """Return the instance types that this version of botocore knows."""
    import botocore.session

    model = botocore.session.get_session().get_service_model("sagemaker")
    return list(model.shape_for("ProductionVariantInstanceType").metadata["enum"])


def _similar(given: str, known: list[str]) -> list[str]:
    """Return the instance types of the same family, or some usual ones."""
    family = [name for name in known if name.split(".")[1:2] == given.split(".")[1:2]]
    return family or ["ml.t2.medium", "ml.m5.large", "ml.m5.xlarge", "ml.c5.large", "ml.c5.xlarge"]


def _with_state(error: BaseException, name: str, region: str, done: list[str]) -> DeploymentError:
    """Return the error with what exists now, how to go on and how to undo."""
    what = "Interrupted; AWS goes on with what it was told" if isinstance(error, KeyboardInterrupt) else str(error)
    steps = "\n".join(f"  - {step}" for step in done) or "  - nothing was created or changed"
    undo = f"python {SCRIPT} --endpoint-name {name} --region {region} --delete"
    return DeploymentError(
        f"{what}\nDone so far:\n{steps}\n"
        f"To go on, run the same command again, which takes up what is there.\nTo undo: {undo}"
    )
