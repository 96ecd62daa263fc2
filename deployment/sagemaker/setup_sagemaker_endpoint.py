"""Set up, look at or delete a SageMaker endpoint, on this machine or hosted.

::

    python deployment/sagemaker/setup_sagemaker_endpoint.py --instance-type local
    python deployment/sagemaker/setup_sagemaker_endpoint.py --instance-type ml.m5.large --role ARN --region REGION
    python deployment/sagemaker/setup_sagemaker_endpoint.py --region REGION --delete

Image and model are those that ``bash executables/cloud_setup.sh sagemaker`` wrote.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__" and str(ROOT) not in sys.path:  # started by its path
    sys.path.insert(0, str(ROOT))

from deployment.deployer.aws import open_client, open_session  # noqa: E402
from deployment.deployer.errors import DeploymentError, UsageError  # noqa: E402
from deployment.sagemaker.endpoint import EndpointPlan, deploy_endpoint, use_config  # noqa: E402
from deployment.sagemaker.local_endpoint import CONTAINER_PORT, LocalPlan, start_local, stop_local  # noqa: E402
from deployment.sagemaker.own_resources import delete_all, delete_old, list_own  # noqa: E402
from deployment.sagemaker.provider import ARCHIVE, DESCRIPTION, FOLDER  # noqa: E402
from ml_project.errors import MlProjectError  # noqa: E402
from ml_project.termination import sigterm_raises  # noqa: E402

LOCAL = "local"
DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        with sigterm_raises():
            (_work_here if options.instance_type == LOCAL else _work_hosted)(options)
    except UsageError as error:
        return _fail(str(error), WRONG_USAGE)
    except MlProjectError as error:
        return _fail(str(error), FAILED)
    except KeyboardInterrupt:
        return _fail("Interrupted; --list tells what there is, the same command goes on", INTERRUPTED)
    return DONE


def _work_here(options: argparse.Namespace) -> None:
    folder = ROOT / FOLDER / LOCAL
    if options.delete:
        stop_local(options.endpoint_name, folder, say=_tell)
        return
    if options.list or options.delete_old or options.endpoint_config:
        raise UsageError("--list, --delete-old and --endpoint-config are for hosted endpoints; see 'docker ps'")
    plan = LocalPlan(
        name=options.endpoint_name,
        image=options.image or _described()["image"],
        archive=options.model,
        folder=folder,
        port=options.port,
        memory=options.memory,
        environment=dict(options.env),
    )
    start_local(plan, say=_tell)


def _work_hosted(options: argparse.Namespace) -> None:
    name = options.endpoint_name
    chosen = [options.delete, options.list, options.delete_old, options.endpoint_config is not None]
    if sum(chosen) > 1:
        raise UsageError("--delete, --list, --delete-old and --endpoint-config are four commands; give one of them")
    if options.instance_type is None and not any(chosen):
        raise UsageError("What shall the endpoint run on? --instance-type local, or ml.m5.large and so on")
    if any(chosen):
        session = open_session(options.region)
        client = open_client(session, "sagemaker")
        if options.delete:
            delete_all(session, name, bucket=options.bucket, say=_tell, poll_seconds=options.poll_seconds)
        elif options.list:
            list_own(client, name, say=_tell)
        elif options.delete_old:
            delete_old(client, name, say=_tell)
        else:
            use_config(client, name, options.endpoint_config, say=_tell, poll_seconds=options.poll_seconds)
            _tell(name)
        return
    plan = EndpointPlan(
        name=name,
        image=options.image or _described().get("image_uri") or "",
        archive=options.model,
        role=options.role or "",
        instance_type=options.instance_type,
        n_instances=options.n_instances,
        bucket=options.bucket,
        environment=dict(options.env),
    )
    deploy_endpoint(plan, region=options.region, say=_tell, poll_seconds=options.poll_seconds)
    _tell(name)


def _described() -> dict[str, Any]:
    """Return what the set-up wrote about the image."""
    path = ROOT / DESCRIPTION
    try:
        described: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise DeploymentError(f"{path} is missing; write it: bash executables/cloud_setup.sh sagemaker") from error
    except ValueError as error:
        raise DeploymentError(f"{path} is no JSON ({error}); run bash executables/cloud_setup.sh sagemaker") from error
    return described


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="setup_sagemaker_endpoint.py", description=__doc__.splitlines()[0])
    commands = parser.add_argument_group("what to do, instead of setting up")
    commands.add_argument("--delete", action="store_true", help="remove the endpoint and all that was made for it")
    commands.add_argument("--list", action="store_true", help="show its configs and models, those in use and old ones")
    commands.add_argument("--delete-old", action="store_true", help="remove its configs and models that are not in use")
    commands.add_argument("--endpoint-config", metavar="NAME", help="let it have this config of --list: go back")
    parser.add_argument("--instance-type", metavar="TYPE", help="local, or SageMaker's instance type, e.g. ml.m5.large")
    parser.add_argument("--endpoint-name", default="ml-project", metavar="NAME", help="default: %(default)s")
    parser.add_argument("--image", metavar="ADDRESS", help="default: the image of the last cloud_setup.sh sagemaker")
    parser.add_argument("--model", type=Path, default=ROOT / ARCHIVE, metavar="FILE", help=f"default: {ARCHIVE}")
    parser.add_argument(
        "--env", action="append", type=_variable, default=[], metavar="NAME=VALUE", help="for the container"
    )
    hosted = parser.add_argument_group("hosted")
    role = os.environ.get("SAGEMAKER_ROLE")
    hosted.add_argument(
        "--role", default=role, metavar="ARN", help="role that SageMaker takes; default: $SAGEMAKER_ROLE"
    )
    hosted.add_argument("--region", help="default: that of the environment or the profile")
    hosted.add_argument("--bucket", metavar="NAME", help="default: one of the project, made where it is missing")
    hosted.add_argument("--n-instances", type=int, default=1, metavar="N", help="default: %(default)s")
    hosted.add_argument("--poll-seconds", type=float, default=15.0, metavar="S", help="default: %(default)s")
    local = parser.add_argument_group("local")
    local.add_argument("--port", type=int, default=CONTAINER_PORT, help="default: %(default)s")
    local.add_argument("--memory", metavar="SIZE", help="most memory of the container, e.g. 1g")
    return parser


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"{text!r} has to be NAME=VALUE")
    return name, value


def _tell(text: str) -> None:
    print(text, flush=True)  # noqa: T201  a command's output


def _fail(message: str, code: int) -> int:
    print(message, file=sys.stderr)  # noqa: T201
    return code


if __name__ == "__main__":
    sys.exit(main())
