"""Hosted endpoints, against the control planes of the stand-in."""

from __future__ import annotations

import hashlib
import re

import boto3
import pytest

from deployment.sagemaker.endpoint import EndpointPlan, deploy_endpoint, find_problems
from deployment.sagemaker.model_archive import pack_model
from deployment.sagemaker.setup_sagemaker_endpoint import main
from deployment.tests.aws_stand_in import ACCOUNT, REGION

ROLE = f"arn:aws:iam::{ACCOUNT}:role/sagemaker"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/ml-project-sagemaker:1"
BUCKET = f"ml-project-sagemaker-{ACCOUNT}-{REGION}"


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "model.tar.gz"
    path.write_bytes(pack_model(b"the model"))
    return path


@pytest.fixture
def words(archive):
    """A function that gives the words of a set-up."""

    def make(*further, instance_type="ml.m5.large", name="titanic", model=archive):
        options = {"--endpoint-name": name, "--instance-type": instance_type, "--role": ROLE, "--image": IMAGE}
        flat = [word for pair in options.items() for word in pair]
        return [*flat, "--model", str(model), "--poll-seconds", "0.01", *further]

    return make


def sagemaker():
    return boto3.client("sagemaker")


def names_of(kind):
    return [found[f"{kind}Name"] for found in getattr(sagemaker(), f"list_{PLURALS[kind]}")()[f"{kind}s"]]


PLURALS = {"Endpoint": "endpoints", "EndpointConfig": "endpoint_configs", "Model": "models"}


def test_set_up_without_anything_there_uploads_creates_waits_and_prints_the_name(aws, words, archive, capsys):
    aws.states.extend([("Creating", None), ("Creating", None), ("InService", None)])

    assert main(words("--env", "ML_PROJECT_SERVING__MAX_BATCH_ROWS=7")) == 0

    output = capsys.readouterr().out.splitlines()
    assert output[-1] == "titanic"
    assert any(line.startswith("titanic: Creating") for line in output)
    endpoint = sagemaker().describe_endpoint(EndpointName="titanic")
    config = sagemaker().describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    [variant] = config["ProductionVariants"]
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.m5.large", 1)
    model = sagemaker().describe_model(ModelName=variant["ModelName"])
    assert model["ExecutionRoleArn"] == ROLE
    container = model["PrimaryContainer"]
    assert container["Image"] == IMAGE
    assert container["Environment"] == {"ML_PROJECT_SERVING__MAX_BATCH_ROWS": "7"}
    bucket, _, key = container["ModelDataUrl"].removeprefix("s3://").partition("/")
    stored = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    assert stored == archive.read_bytes()
    assert key == f"titanic/{hashlib.sha256(stored).hexdigest()}/model.tar.gz"


def test_bucket_that_is_created_is_closed_to_the_public(aws, words):
    assert main(words()) == 0

    closed = boto3.client("s3").get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"]
    assert set(closed.values()) == {True}


def test_set_up_twice_changes_nothing(aws, words, capsys):
    assert main(words()) == 0
    before = [names_of(kind) for kind in PLURALS]
    aws.calls.clear()

    assert main(words()) == 0

    assert [names_of(kind) for kind in PLURALS] == before
    assert not {call for call in aws.calls if call.startswith(("Create", "Update", "Delete"))}
    assert "is there already" in capsys.readouterr().out


def test_set_up_with_another_model_updates_the_endpoint_and_leaves_the_old_parts(aws, words, archive, capsys):
    assert main(words()) == 0
    [old] = names_of("EndpointConfig")
    archive.write_bytes(pack_model(b"a better model"))
    aws.states.extend([("InService", None), ("Updating", None), ("InService", None)])

    assert main(words()) == 0

    assert "UpdateEndpoint" in aws.calls
    assert "DeleteEndpoint" not in aws.calls
    assert sagemaker().describe_endpoint(EndpointName="titanic")["EndpointConfigName"] != old
    capsys.readouterr()
    assert main(["--endpoint-name", "titanic", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.rpartition(" ")[2] for line in lines if line.startswith(f"endpoint config {old}")] == ["old"]
    assert sum(line.endswith("in use") for line in lines) == 2

    assert main(["--endpoint-name", "titanic", "--delete-old"]) == 0
    assert old not in names_of("EndpointConfig")
    assert len(names_of("EndpointConfig")) == len(names_of("Model")) == 1
    assert names_of("Endpoint") == ["titanic"]


def test_going_back_gives_the_endpoint_its_old_config(aws, words):
    assert main(words()) == 0
    [old] = names_of("EndpointConfig")
    assert main(words(instance_type="ml.c5.large")) == 0
    assert sagemaker().describe_endpoint(EndpointName="titanic")["EndpointConfigName"] != old

    assert main(["--endpoint-name", "titanic", "--endpoint-config", old]) == 0

    assert sagemaker().describe_endpoint(EndpointName="titanic")["EndpointConfigName"] == old


def test_update_that_sagemaker_takes_back_fails_with_the_reason(aws, words, capsys):
    assert main(words()) == 0
    [old] = names_of("EndpointConfig")
    aws.takes_updates = False
    reason = "The container did not pass the ping health check"
    aws.states.extend([("InService", None), ("Updating", None), ("RollingBack", None), ("InService", reason)])

    assert main(words(instance_type="ml.c5.large")) == 1

    message = capsys.readouterr().err
    assert f"went back to {old}, which answers: {reason}" in message


def test_creation_that_fails_says_why_where_the_logs_are_and_how_to_undo(aws, words, capsys):
    aws.states.extend([("Creating", None), ("Failed", "CannotStartContainerError")])

    assert main(words()) == 1

    message = capsys.readouterr().err
    assert "The endpoint titanic is Failed: CannotStartContainerError" in message
    assert "aws logs tail /aws/sagemaker/Endpoints/titanic" in message
    assert re.search(r"Done so far:\n  - Created the bucket .*\n  - Uploaded .*\n  - Created the model", message)
    assert "--endpoint-name titanic --region eu-central-1 --delete" in message


def test_endpoint_that_failed_before_is_made_anew(aws, words, capsys):
    aws.states.extend([("Failed", "CannotStartContainerError")])
    assert main(words()) == 1
    aws.states.clear()
    aws.states.append(("Failed", "CannotStartContainerError"))
    aws.calls.clear()

    assert main(words()) == 1

    assert [call for call in aws.calls if call in ("DeleteEndpoint", "CreateEndpoint")] == [
        "DeleteEndpoint",
        "CreateEndpoint",
    ]
    assert "it is made anew" in capsys.readouterr().out


def test_quota_that_is_used_up_says_what_exists_and_what_to_do(aws, words, capsys):
    aws.failures["CreateEndpoint"] = ("ResourceLimitExceeded", "The account-level service limit is 0 Instances.")

    assert main(words()) == 1

    message = capsys.readouterr().err
    assert "The account-level service limit is 0 Instances (ResourceLimitExceeded); a quota" in message
    assert "Created the endpoint config titanic-" in message
    del aws.failures["CreateEndpoint"]
    assert main(words()) == 0
    assert len(names_of("Model")) == 1


@pytest.mark.parametrize("operation", ["CreateModel", "CreateEndpointConfig", "CreateEndpoint", "DescribeEndpoint"])
def test_set_up_that_is_refused_half_way_goes_on_when_it_is_repeated(aws, words, operation, capsys):
    aws.failures[operation] = ("AccessDeniedException", "User: x is not authorized to perform: sagemaker")

    assert main(words()) == 1

    message = capsys.readouterr().err
    assert "lacks this permission" in message
    assert "To go on, run the same command again" in message
    aws.failures.clear()
    assert main(words()) == 0
    assert [len(names_of(kind)) for kind in PLURALS] == [1, 1, 1]


def test_delete_removes_everything_that_was_made_and_nothing_else(aws, words, capsys):
    assert main(words()) == 0
    assert main(words(name="titanic-two")) == 0
    stranger = {"ModelName": "titanic-of-somebody-else", "ExecutionRoleArn": ROLE}
    sagemaker().create_model(**stranger, PrimaryContainer={"Image": IMAGE})

    assert main(["--endpoint-name", "titanic", "--delete"]) == 0

    assert names_of("Endpoint") == ["titanic-two"]
    assert sorted(name.rpartition("-")[0] for name in names_of("Model")) == ["titanic-of-somebody", "titanic-two"]
    keys = [found["Key"] for found in boto3.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert [key.partition("/")[0] for key in keys] == ["titanic-two"]

    assert main(["--endpoint-name", "titanic-two", "--delete"]) == 0
    assert names_of("Endpoint") == names_of("EndpointConfig") == []
    assert boto3.client("s3").list_buckets()["Buckets"] == []


def test_delete_leaves_a_bucket_that_was_there_before(aws, words):
    place = {"LocationConstraint": REGION}
    boto3.client("s3").create_bucket(Bucket="of-the-team", CreateBucketConfiguration=place)
    assert main(words("--bucket", "of-the-team")) == 0

    assert main(["--endpoint-name", "titanic", "--delete"]) == 0

    assert [bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"]] == ["of-the-team"]
    assert boto3.client("s3").list_objects_v2(Bucket="of-the-team")["KeyCount"] == 0


def test_delete_that_is_refused_half_way_goes_on_when_it_is_repeated(aws, words, capsys):
    assert main(words()) == 0
    aws.failures["DeleteEndpointConfig"] = ("ThrottlingException", "Rate exceeded")
    assert main(["--endpoint-name", "titanic", "--delete"]) == 1
    assert "Run the same command again to delete the rest" in capsys.readouterr().err
    aws.failures.clear()

    assert main(["--endpoint-name", "titanic", "--delete"]) == 0

    assert [names_of(kind) for kind in PLURALS] == [[], [], []]


def test_delete_waits_for_what_sagemaker_is_doing(aws, words, capsys):
    assert main(words()) == 0
    aws.states.extend([("Updating", None), ("Updating", None), ("InService", None)])

    assert main(["--endpoint-name", "titanic", "--poll-seconds", "0.01", "--delete"]) == 0

    assert "titanic: Updating" in capsys.readouterr().out
    calls = [call for call in aws.calls if call in ("DescribeEndpoint", "DeleteEndpoint")]
    assert calls.index("DeleteEndpoint") >= 3
    assert names_of("Endpoint") == []


def test_delete_of_nothing_says_so(aws, capsys):
    assert main(["--endpoint-name", "titanic", "--delete"]) == 0
    assert "SageMaker has nothing that this project made for an endpoint titanic" in capsys.readouterr().out


def test_endpoint_of_somebody_else_is_neither_updated_nor_deleted(aws, words, capsys):
    sagemaker().create_model(ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE})
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker().create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker().create_endpoint(EndpointName="titanic", EndpointConfigName="c")

    assert main(words()) == 1
    assert "The endpoint titanic was not made by this project" in capsys.readouterr().err
    assert main(["--endpoint-name", "titanic", "--delete"]) == 0
    assert names_of("Endpoint") == ["titanic"]


def test_plan_with_several_faults_names_all_of_them_without_asking_aws(tmp_path):
    plan = EndpointPlan("a_b", "", tmp_path / "absent", "admin", "ml.m5.larg", n_instances=0)

    found = [str(problem) for problem in find_problems(plan)]

    assert [text.partition(":")[0] for text in found[:5]] == [
        "--endpoint-name = 'a_b'",
        "--role = 'admin'",
        "--instance-type = 'ml.m5.larg'",
        "--n-instances = 0",
        "--image",
    ]
    assert "did you mean 'ml.m5.large'" in found[2]
    assert "absent is missing" in found[5]
    assert len(found) == 6


def test_plan_for_a_name_that_is_too_long_for_its_parts_is_refused(archive):
    plan = EndpointPlan("a" * 51, IMAGE, archive, ROLE, "ml.m5.large")
    assert [problem.field for problem in find_problems(plan)] == ["--endpoint-name"]


@pytest.mark.parametrize(
    ("absent", "message"),
    [
        ("AWS_ACCESS_KEY_ID", "There are no AWS credentials"),
        ("AWS_DEFAULT_REGION", "No AWS region is set; give --region"),
    ],
)
def test_set_up_without_credentials_or_region_says_what_to_set(aws, words, monkeypatch, capsys, absent, message):
    monkeypatch.delenv(absent)
    if absent == "AWS_ACCESS_KEY_ID":
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert main(words()) == 1
    assert message in capsys.readouterr().err


def test_set_up_without_a_network_says_so(aws, words, monkeypatch, capsys):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert main(words()) == 1
    assert "check the network and the region" in capsys.readouterr().err


def test_bucket_of_another_account_gets_no_model(aws, words, capsys):
    aws.owner_of_buckets = "210987654321"
    assert main(words()) == 1
    message = capsys.readouterr().err
    assert f"The bucket {BUCKET} is of another account or region" in message
    assert "nothing was created or changed" in message


def test_bucket_whose_name_is_none_is_refused(aws, words, capsys):
    assert main(words("--bucket", "No Bucket")) == 1
    assert "Looking for the bucket No Bucket failed: Parameter validation failed:" in capsys.readouterr().err


def test_interruption_while_waiting_says_that_aws_goes_on(aws, archive):
    aws.states.append(("Creating", None))

    def say(text):
        if text.startswith("titanic: Creating"):
            raise KeyboardInterrupt

    plan = EndpointPlan("titanic", IMAGE, archive, ROLE, "ml.m5.large")
    with pytest.raises(Exception, match=r"Interrupted; AWS goes on with what it was told\nDone so far:\n"):
        deploy_endpoint(plan, say=say, poll_seconds=0.01)
