"""AWS Lambda beyond the golden requests: other events at the real runtime, its log, the zip package, the plans."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from deployment.aws_lambda.package import check_unpacked_size
from deployment.aws_lambda.provider import FOLDER, PROVIDER, find_account_problems
from deployment.deployer.errors import DeploymentError
from deployment.deployer.requirements import locked_requirements
from deployment.tests import target_aws_lambda as runtime
from deployment.tests.aws_stand_in import ACCOUNT, CREDENTIALS, REGION
from deployment.tests.environments import REPOSITORY, environment_with
from deployment.tests.golden import GOLDEN, RECORD
from deployment.tests.golden_request import predict
from tests.serving.adapters.aws_events import CLOCK_EVENT, queue_event, rest_event

VALID = next(golden for golden in GOLDEN if golden.name == "valid")


@pytest.fixture(scope="module")
def emulated(pytestconfig):
    target = runtime.Emulated()
    reason = target.missing()
    if reason is not None and pytestconfig.getoption("require_all_targets"):
        pytest.fail(f"aws_lambda cannot run here: {reason}", pytrace=False)
    if reason is not None:
        pytest.skip(f"aws_lambda: {reason}")
    return target


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("function")


@pytest.fixture(scope="module")
def function(emulated, artifact, folder):
    with emulated.running(artifact, folder) as client:
        yield client


@pytest.fixture(scope="module")
def package(artifact):
    """The zip package."""
    plan = PROVIDER.plan(runtime.make_context(artifact, package="zip"))
    return {file.path: file.content for file in plan.files}[f"{FOLDER}/package.zip"]


def log_lines(folder, message):
    lines = (folder / "function.log").read_text().splitlines()
    parsed = [json.loads(line) for line in lines if line.startswith("{")]
    return [line for line in parsed if line["message"] == message]


class TestEvents:
    def test_direct_invocation_is_predicted_to_the_last_bit(self, function, loaded):
        answer = function.invoke(RECORD)
        wanted = {**predict(loaded, [RECORD])[0], "prediction_id": answer["prediction_id"]}
        assert json.dumps(answer) == json.dumps(wanted)

    def test_list_is_predicted(self, function):
        assert len(function.invoke({"records": [RECORD, RECORD]})["predictions"]) == 2

    def test_refused_record_is_function_error_with_body_of_contract(self, function):
        answer = function.invoke({"sex": "f"})
        assert answer["errorType"] == "data_invalid"
        assert json.loads(answer["errorMessage"])["error"]["details"]

    def test_rest_api_is_answered(self, function):
        answer = function.invoke(rest_event("POST", "/predict", VALID.body, dict(VALID.headers)))
        assert answer["statusCode"] == 200
        assert answer["multiValueHeaders"]["Content-Type"] == ["application/json"]

    def test_queue_is_answered_and_logged(self, function, folder):
        answer = function.invoke(queue_event(VALID.body.decode(), "{"))
        assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
        [line] = log_lines(folder, "message answered")
        assert line["answer"]["probas"]
        [line] = log_lines(folder, "message refused; it will be delivered again")
        assert (line["level"], line["status"], line["message_id"]) == ("WARNING", 400, "message-1")
        assert line["requestId"]

    def test_clock_is_answered(self, function, loaded):
        assert function.invoke(CLOCK_EVENT) == {"status": "ready", "model_version": loaded.model_version}

    def test_live_function_is_asked_by_its_name(self, function, emulated, monkeypatch):
        monkeypatch.setenv("AWS_ENDPOINT_URL", function.endpoint)
        for name, value in CREDENTIALS.items():
            monkeypatch.setenv(name, value)
        live = emulated.live("function")
        assert live(VALID.make_request()).status == 200
        live.close()

    def test_each_request_is_one_line_that_names_the_invocation(self, function, folder):
        function.invoke(RECORD)
        line = log_lines(folder, "request")[-1]
        assert line["status"] == 200
        assert line["requestId"] == line["request_id"]
        assert f"START RequestId: {line['requestId']}" in (folder / "function.log").read_text()


class TestPackage:
    def test_it_runs_with_nothing_beside_the_runtime(self, emulated, package, tmp_path):
        task = tmp_path / "task"
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            archive.extractall(task)
        client_only = environment_with(locked_requirements(REPOSITORY, ("aws-lambda",)))
        with runtime.emulate(task, client_only, tmp_path / "function.log") as client:
            assert client(VALID.make_request()).status == 200

    def test_it_can_be_uploaded_directly(self, package):
        assert len(package) < 52_428_800

    def test_bytecode_is_beside_each_source(self, package):
        names = set(zipfile.ZipFile(io.BytesIO(package)).namelist())
        assert {"app.py", "__pycache__/app.cpython-312.pyc", "numpy/__pycache__/__init__.cpython-312.pyc"} <= names

    def test_too_much_is_refused_with_the_largest(self):
        sizes = {"onnxruntime/a.so": 200_000_000, "numpy/b.so": 70_000_000, "app.py": 10}
        with pytest.raises(DeploymentError, match=r"270 MB unpacked \(onnxruntime 200 MB, numpy 70 MB, app.py 0 MB\)"):
            check_unpacked_size(sizes)

    def test_package_that_pip_cannot_install_is_refused(self):
        from deployment.aws_lambda.package import build_package

        with pytest.raises(DeploymentError, match="pip could not install what the function needs"):
            build_package("no-hash==1.0\n", {})


class TestPlan:
    def paths(self, plan):
        return {file.path.removeprefix(f"{FOLDER}/") for file in plan.files}

    def test_image_has_what_the_function_needs_and_no_more(self, artifact):
        plan = PROVIDER.plan(runtime.make_context(artifact))
        paths = self.paths(plan)
        wanted = {"Dockerfile", ".dockerignore", "app.py", "model.zip", "requirements.txt", "event.json"}
        assert wanted <= paths
        assert {path.split("/")[0] for path in paths} == {*wanted, "ml_project"}
        assert not [path for path in paths if "modelling" in path or "tracking" in path]

    def test_equal_input_gives_equal_plan(self, artifact):
        context = runtime.make_context(artifact)
        first, second = PROVIDER.plan(context), PROVIDER.plan(context)
        assert (first.files, first.next_commands) == (second.files, second.next_commands)
        assert runtime.image_of(first) == runtime.image_of(second)

    def test_tag_names_model_and_content(self, artifact, loaded, tmp_path):
        tag = runtime.image_of(PROVIDER.plan(runtime.make_context(artifact))).partition(":")[2]
        assert tag.startswith(f"{loaded.model_version}-")

    def test_without_docker_a_zip_is_made(self, artifact, monkeypatch, tmp_path):
        from deployment.deployer.provider import Options

        monkeypatch.setenv("PATH", str(tmp_path))
        assert [tool.name for tool in PROVIDER.tools(Options("aws_lambda", artifact))] == ["terraform"]

    def test_account_needs_docker(self, artifact, monkeypatch, tmp_path):
        from deployment.deployer.provider import Options

        monkeypatch.setenv("PATH", str(tmp_path))
        options = Options("aws_lambda", artifact, extra={"account-id": ACCOUNT})
        [docker, _] = PROVIDER.tools(options)
        assert (docker.name, docker.required) == ("docker", True)

    def test_unknown_package_is_refused(self, artifact):
        [problem] = PROVIDER.check(runtime.make_context(artifact, package="tar"))
        assert "must be image or zip" in str(problem)

    def test_storage_takes_its_packages_along(self, artifact):
        files = {file.path: file.content for file in PROVIDER.plan(runtime.make_context(artifact, storage="yes")).files}
        assert b"sqlalchemy==" in files[f"{FOLDER}/requirements.txt"]
        [problem] = PROVIDER.check(runtime.make_context(artifact, storage="maybe"))
        assert "must be yes or no" in str(problem)

    def test_account_with_zip_is_refused(self, artifact):
        context = runtime.make_context(artifact, package="zip", **{"account-id": ACCOUNT})
        [problem] = PROVIDER.check(context)
        assert "is for images" in str(problem)


class TestAccount:
    def check(self, account=ACCOUNT):
        return list(map(str, find_account_problems({"account-id": account})))

    def test_right_account_has_no_problem(self, aws, artifact):
        assert list(PROVIDER.check(runtime.make_context(artifact, **{"account-id": ACCOUNT}))) == []

    def test_number_that_is_no_account_is_refused(self, aws):
        [problem] = self.check("12345")
        assert "'12345'" in problem
        assert "12 digits" in problem

    def test_other_account_is_refused(self, aws):
        [problem] = self.check("999999999999")
        assert f"of account {ACCOUNT}, not of 999999999999" in problem

    def test_absent_credentials_are_named(self, aws, monkeypatch):
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        [problem] = self.check()
        assert "no AWS credentials" in problem

    def test_plan_names_the_image_in_the_registry(self, aws, artifact):
        plan = PROVIDER.plan(runtime.make_context(artifact, **{"account-id": ACCOUNT}))
        variables = json.loads(next(file.content for file in plan.files if file.path.endswith("tfvars.json")))
        image = runtime.image_of(plan)
        assert variables == {"image_uri": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{image}", "region": REGION}
        assert [step.title.split()[0] for step in plan.steps] == ["build", "push"]
        assert f"-var-file=../../{FOLDER}/terraform.tfvars.json" in plan.next_commands[-1]


def test_entry_has_less_than_forty_lines_of_code():
    lines = Path(REPOSITORY / "deployment" / "aws_lambda" / "app.py").read_text().splitlines()
    assert len([line for line in lines if line.strip() and not line.strip().startswith("#")]) < 40
