"""Google Cloud Run: the options, what Terraform makes, and the log that Cloud Logging reads."""

import json

import pytest

from deployment.deployer.docker_engine import find_fault, run_docker
from deployment.deployer.errors import DeploymentError
from deployment.deployer.planning import make_plan
from deployment.deployer.provider import Options
from deployment.google_cloud_run.provider import SETTINGS_FILE
from deployment.tests import terraform as runtime
from deployment.tests.asking import HttpAsk
from deployment.tests.golden import RECORD
from deployment.tests.project_copies import example_project
from deployment.tests.target_docker import PROJECT, CloudRun
from deployment.tests.terraform import Terraform
from ml_project.serving.messages import HttpRequest

PROVIDER = "google_cloud_run"
REPOSITORY_OF_IMAGES = f"europe-west1-docker.pkg.dev/{PROJECT}/ml-project/ml-project"
needs_docker = pytest.mark.skipif(find_fault() is not None, reason="planned only where docker can be used")


def planned(artifact, **extra):
    options = Options(PROVIDER, artifact, extra={name.replace("_", "-"): value for name, value in extra.items()})
    return make_plan(options, example_project()).plan


def settings_of(plan):
    [content] = [file.content for file in plan.files if file.path == SETTINGS_FILE]
    return json.loads(content)


@pytest.fixture(scope="module")
def terraform(tmp_path_factory, pytestconfig):
    """Terraform in a copy of the files that is initialised."""
    reason = runtime.missing()
    if reason is not None and pytestconfig.getoption("require_all_targets"):
        pytest.fail(f"terraform of {PROVIDER} cannot run here: {reason}", pytrace=False)
    if reason is not None:
        pytest.skip(f"terraform of {PROVIDER}: {reason}")
    copy = Terraform(PROVIDER, tmp_path_factory.mktemp("terraform"))
    copy.must("init", "-backend=false")
    return copy


@needs_docker
@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({}, "--project-id: must be the id of your project"),
        ({"project_id": "My Project"}, "--project-id = 'My Project': must be the id of your project"),
        ({"project_id": PROJECT, "region": "Europe"}, "--region = 'Europe': must be a region, such as europe-west1"),
        ({"project_id": PROJECT, "repository": "a_b"}, "--repository = 'a_b': must be lower-case letters"),
        ({"project_id": PROJECT, "push": "now"}, "--push = 'now': must be no or yes"),
    ],
)
def test_wrong_option_is_refused_with_the_remedy(artifact, extra, message):
    with pytest.raises(DeploymentError, match="nothing was changed") as caught:
        planned(artifact, **extra)
    assert message in str(caught.value)


@needs_docker
def test_plan_names_an_image_by_its_content_and_is_the_same_twice(artifact):
    first = planned(artifact, project_id=PROJECT)
    assert first == planned(artifact, project_id=PROJECT)
    image = settings_of(first)["image"]
    assert image.startswith(f"{REPOSITORY_OF_IMAGES}:")
    options = Options(PROVIDER, artifact, framework="flask", extra={"project-id": PROJECT})
    flask = make_plan(options, example_project()).plan
    assert settings_of(flask)["image"] != image
    assert f"docker push {image}" in first.next_commands


@needs_docker
def test_push_is_a_step_only_where_it_is_wanted(artifact):
    plan = planned(artifact, project_id=PROJECT, push="yes")
    assert [step.command[:2] for step in plan.steps] == [["docker", "build"], ["docker", "push"]]
    assert not [line for line in plan.next_commands if line.startswith("docker push")]


def test_files_are_formatted(terraform):
    terraform.must("fmt", "-check", "-recursive")


def test_own_tests_of_terraform_pass(terraform):
    assert "0 failed" in terraform.must("test")


@needs_docker
def test_release_is_applied_with_the_settings_of_the_set_up_rolled_back_and_destroyed(terraform, artifact):
    settings = settings_of(planned(artifact, project_id=PROJECT))
    (terraform.folder / "setup.auto.tfvars.json").write_text(json.dumps(settings), encoding="utf-8")
    terraform.must("apply", "-auto-approve", "-target=google_artifact_registry_repository.images")
    terraform.must("apply", "-auto-approve")
    assert terraform.must("output", "-raw", "image") == settings["image"]
    older = f"{REPOSITORY_OF_IMAGES}:older"
    terraform.must("apply", "-auto-approve", image=older)
    assert terraform.must("output", "-raw", "image") == older
    terraform.must("destroy", "-auto-approve")


@needs_docker
def test_lines_of_the_log_are_what_cloud_logging_reads(artifact, tmp_path):
    target = CloudRun()
    with target.started(target.build(artifact, tmp_path)) as container:
        ask = HttpAsk(container.url)
        trace = {"content-type": "application/json", "x-cloud-trace-context": f"{'a' * 32}/1;o=1"}
        assert ask(HttpRequest("POST", "/predict", trace, json.dumps(RECORD).encode())).status == 200
        ask.close()
        run_docker(["stop", container.id])
        log = container.ended()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{") and "/predict" in line]
    assert [line["severity"] for line in lines] == ["INFO"]
    assert lines[0]["logging.googleapis.com/trace"] == f"projects/{PROJECT}/traces/{'a' * 32}"
