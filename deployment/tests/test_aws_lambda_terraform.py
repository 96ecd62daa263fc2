"""The Terraform files of the Lambda function: against a stand-in that knows the newest schema, and against moto."""

from __future__ import annotations

import os
import shutil
import subprocess

import boto3
import pytest

from deployment.tests import terraform as runtime
from deployment.tests.aws_stand_in import ACCOUNT, CREDENTIALS, REGION, control_planes
from deployment.tests.environments import REPOSITORY
from deployment.tests.terraform import Terraform

PROVIDER = "aws_lambda"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/ml-project-lambda"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:records"
REAL_PROVIDERS = REPOSITORY / ".runtimes" / "terraform.tfrc"
RUN_SECONDS = 300


def stop_where_missing(reason, config):
    if reason is not None and config.getoption("require_all_targets"):
        pytest.fail(f"terraform of {PROVIDER} cannot run here: {reason}", pytrace=False)
    if reason is not None:
        pytest.skip(f"terraform of {PROVIDER}: {reason}")


@pytest.fixture(scope="module")
def terraform(tmp_path_factory, pytestconfig):
    """Terraform in a copy of the files that is initialised."""
    stop_where_missing(runtime.missing(), pytestconfig)
    copy = Terraform(PROVIDER, tmp_path_factory.mktemp("terraform"))
    copy.must("init", "-backend=false")
    return copy


@pytest.fixture
def package(tmp_path):
    file = tmp_path / "package.zip"
    file.write_bytes(b"a package")
    return str(file)


def test_files_are_formatted_and_valid(terraform):
    terraform.must("fmt", "-check", "-recursive")
    assert "The configuration is valid" in terraform.must("validate")


def test_releases_are_exchanged_and_destroyed(terraform):
    first, second = ({"region": REGION, "image_uri": f"{REGISTRY}:{tag}"} for tag in ("1", "2"))
    terraform.must("apply", "-auto-approve", **first)
    outputs = terraform.outputs()
    assert outputs["function_name"] == "ml-project:live"
    assert outputs["log_group"] == "/aws/lambda/ml-project"
    assert "public_url_command" not in outputs

    text = terraform.must("apply", "-auto-approve", **second)
    assert f'"{REGISTRY}:1" -> "{REGISTRY}:2"' in text
    assert "0 to destroy" in text

    terraform.must("destroy", "-auto-approve", **second)
    assert terraform.must("state", "list") == ""


def test_closed_url_is_the_default(terraform):
    plan = terraform.must("plan", region=REGION, image_uri=f"{REGISTRY}:1")
    assert 'authorization_type = "AWS_IAM"' in plan
    assert "aws_lambda_permission" not in plan
    assert "aws_lambda_event_source_mapping" not in plan
    assert "sqs:ReceiveMessage" not in plan


def test_public_url_queue_and_key_are_planned(terraform):
    key = "only-an-example-0123456789"
    given = {"url_auth": "NONE", "cors_origins": ["https://app.example.com"], "queue_arn": QUEUE, "api_key": key}
    plan = terraform.must("plan", region=REGION, image_uri=f"{REGISTRY}:1", **given)
    assert 'authorization_type = "NONE"' in plan
    assert "aws_lambda_permission.public_url" in plan
    assert "--invoked-via-function-url" in plan
    assert 'allow_origins = [ + "https://app.example.com", ]' in plan
    assert "ReportBatchItemFailures" in plan
    assert "sqs:ReceiveMessage" in plan
    assert key not in plan


def test_package_goes_directly_or_through_s3(terraform, package):
    direct = terraform.must("plan", region=REGION, package_file=package, url_auth="OFF")
    assert "aws_s3_object.package" not in direct
    assert "aws_lambda_function_url" not in direct
    assert 'runtime = "python3.12"' in direct
    assert "aws_s3_object.package" in terraform.must("plan", region=REGION, package_file=package, package_bucket="mine")


WRONG = {
    "region": ("europe", "Name a region"),
    "function_name": ("a b", "Take up to 50 letters"),
    "image_uri": ("ml-project-lambda", "Name an image with its registry and its tag"),
    "memory_mb": (64, "Lambda has 128 to 10240 MB"),
    "timeout_seconds": (901, "Lambda has 1 to 900 seconds"),
    "reserved_concurrency": (-2, "Take -1 for no bound"),
    "provisioned_concurrency": (-1, "Take 0 or a number of instances"),
    "log_retention_days": (8, "CloudWatch keeps logs for"),
    "url_auth": ("none", "Take AWS_IAM, NONE or OFF"),
    "cors_origins": (["app.example.com"], "An origin has a scheme"),
    "api_key": ("short", "Take at least 16 characters"),
    "queue_arn": ("records", "Name a queue by its ARN"),
    "refused_messages": ("keep", "Take retry or drop"),
}


def test_wrong_variables_are_refused_all_together(terraform):
    done = terraform.run("plan", **{name: value for name, (value, _) in WRONG.items()})
    assert done.code == 1
    assert [message for _, message in WRONG.values() if message not in done.text] == []


def test_neither_image_nor_package_is_refused(terraform):
    done = terraform.run("plan", region=REGION)
    assert done.code == 1
    assert "Set either image_uri or package_file" in done.text


@pytest.fixture
def moto(tmp_path, pytestconfig, monkeypatch):
    """A function that runs Terraform with AWS's real provider against moto."""
    lacking = runtime.missing() or (None if REAL_PROVIDERS.exists() else "the real provider of AWS cannot be had here")
    stop_where_missing(lacking, pytestconfig)
    for file in (REPOSITORY / "deployment" / PROVIDER).glob("*.tf"):
        shutil.copy(file, tmp_path)
    with control_planes() as planes:
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": planes.url}.items():
            monkeypatch.setenv(name, value)
        environment = {
            **os.environ,
            "TF_CLI_CONFIG_FILE": str(REAL_PROVIDERS),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
        }

        def run(*words):
            done = subprocess.run(
                ["terraform", *words, "-no-color"],
                cwd=tmp_path,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=RUN_SECONDS,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout

        yield run


def test_real_provider_makes_and_removes_everything(moto):
    boto3.client("sqs").create_queue(QueueName="records")
    boto3.client("ecr").create_repository(repositoryName="ml-project-lambda")
    given = {"region": REGION, "image_uri": f"{REGISTRY}:1", "queue_arn": QUEUE, "url_auth": "NONE"}
    words = [f"-var={name}={value}" for name, value in given.items()]
    moto("init")
    moto("apply", "-auto-approve", *words)

    function = boto3.client("lambda").get_function(FunctionName="ml-project:live")
    assert function["Code"]["ImageUri"] == f"{REGISTRY}:1"
    assert function["Configuration"]["Environment"]["Variables"]["ML_PROJECT_SERVING__MAX_BODY_BYTES"] == "4500000"
    assert (
        boto3.client("lambda").get_function_url_config(FunctionName="ml-project", Qualifier="live")["AuthType"]
        == "NONE"
    )
    policy = boto3.client("iam").get_role_policy(RoleName="ml-project-lambda", PolicyName="run")["PolicyDocument"]
    allowed = {statement["Sid"]: statement["Resource"] for statement in policy["Statement"]}
    log = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/ml-project:*"
    assert allowed == {"WriteLog": log, "WriteTraces": "*", "ReadQueue": QUEUE}
    [group] = boto3.client("logs").describe_log_groups()["logGroups"]
    assert group["retentionInDays"] == 30

    moto("destroy", "-auto-approve", *words)
    assert boto3.client("lambda").list_functions()["Functions"] == []
    assert boto3.client("iam").list_roles()["Roles"] == []
    assert boto3.client("logs").describe_log_groups()["logGroups"] == []
