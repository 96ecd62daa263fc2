"""The Terraform files of the Cloud Function, run by Terraform itself against a stand-in of Google's provider."""

import hashlib
import shutil

import pytest

from deployment.tests import terraform as runtime
from deployment.tests.environments import REPOSITORY
from deployment.tests.terraform import Terraform

PROVIDER = "google_cloud_function"
PROJECT = "my-project-1"


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


@pytest.fixture
def release(tmp_path):
    """Return a function that makes a zip file of a release."""

    def make(content):
        file = tmp_path / f"{content}.zip"
        file.write_text(content)
        return str(file)

    return make


def source_of(content):
    digest = hashlib.sha256(content.encode()).hexdigest()
    return f"gs://{PROJECT}-ml-project-source/function-{digest}.zip"


def test_files_are_formatted(terraform):
    terraform.must("fmt", "-check", "-recursive")


def test_configuration_is_valid(terraform):
    assert "The configuration is valid" in terraform.must("validate")


def test_own_tests_of_terraform_pass(terraform, release):
    assert "0 failed" in terraform.must("test", zip_path=release("tested"))


def test_releases_are_applied_rolled_back_and_destroyed(terraform, release):
    first, second = release("first"), release("second")

    terraform.must("apply", "-auto-approve", project_id=PROJECT, zip_path=first)
    assert terraform.outputs()["source"] == source_of("first")
    assert terraform.run("plan", "-detailed-exitcode", project_id=PROJECT, zip_path=first).code == 0

    terraform.must("apply", "-auto-approve", project_id=PROJECT, zip_path=second)
    assert terraform.outputs()["source"] == source_of("second")
    changed = terraform.run("plan", "-detailed-exitcode", project_id=PROJECT, zip_path=first)
    assert changed.code == 2
    assert "google_cloudfunctions2_function.predict will be updated in-place" in changed.text

    terraform.must("apply", "-auto-approve", project_id=PROJECT, zip_path=first)
    assert terraform.outputs()["source"] == source_of("first")

    terraform.must("destroy", "-auto-approve", project_id=PROJECT)
    assert terraform.must("state", "list") == ""


def test_deployer_writes_where_terraform_looks(terraform):
    file = terraform.folder.parents[1] / "output" / "function_deployment" / "function_deployment.zip"
    file.parent.mkdir(parents=True)
    file.write_text("found")
    try:
        assert source_of("found") in terraform.must("plan", project_id=PROJECT)
    finally:
        shutil.rmtree(file.parent)


def test_without_project_the_variable_is_named(terraform, release):
    done = terraform.run("plan", zip_path=release("any"))
    assert done.code == 1
    assert "No value for required variable" in done.text
    assert 'variable "project_id"' in done.text


def test_impossible_project_is_refused_with_its_value(terraform, release):
    done = terraform.run("plan", project_id="My Project", zip_path=release("any"))
    assert done.code == 1
    assert "The project id 'My Project' cannot be one" in done.text


def test_missing_zip_says_how_to_make_it(terraform):
    done = terraform.run("plan", project_id=PROJECT)
    assert done.code == 1
    assert "Make it with: bash executables/cloud_setup.sh google_cloud_function" in done.text


def test_example_of_a_remote_state_is_valid(terraform, tmp_path):
    copy = Terraform(PROVIDER, tmp_path)
    shutil.copy(copy.folder / "backend.tf.example", copy.folder / "backend.tf")
    copy.must("init", "-backend=false")
    copy.must("validate")


def test_remote_state_is_named_in_the_documentation():
    page = (REPOSITORY / f"documentation/deployment_{PROVIDER}.md").read_text()
    assert "backend.tf.example" in page
