"""The release image beyond its answers: what is in it, what it may do, how it ends, where it stores."""

import json
from contextlib import closing

import pytest

from deployment.deployer.cleaning import clean_up
from deployment.deployer.docker_engine import find_fault, run_docker
from deployment.deployer.errors import DeploymentError, StepFailedError
from deployment.deployer.planning import make_plan
from deployment.deployer.provider import Context, Options
from deployment.deployer.setting_up import set_up
from deployment.docker.image import DOCKERFILE, HARDENED, PORT, build_arguments, requirement_of
from deployment.tests.asking import HttpAsk
from deployment.tests.containers import container_of, copy_project, deploy
from deployment.tests.golden import RECORD, SETTINGS
from deployment.tests.project_copies import copy_parts, example_project
from deployment.tests.target_docker import IMAGE, Docker
from ml_project import __version__
from ml_project.artifacts.manifest import read_manifest
from ml_project.serving.messages import HttpRequest
from tests.artifacts.fitted import fit

COUNT = "import sqlite3; print(*sqlite3.connect('/data/predictions.db').execute('select count(*) from predictions'))"
NOT_FOR_SERVING = (
    "pandas",
    "sklearn",
    "mlflow",
    "optuna",
    "shap",
    "matplotlib",
    "sqlalchemy",
    "pytest",
    "pip",
)


def planned(artifact, **extra):
    options = Options("docker", artifact, extra={name.replace("_", "-"): value for name, value in extra.items()})
    return make_plan(options, example_project())


@pytest.fixture(scope="module")
def image(artifact, tmp_path_factory, pytestconfig):
    """The release image."""
    reason = find_fault()
    if reason is not None and pytestconfig.getoption("require_all_targets"):
        pytest.fail(f"docker cannot be used: {reason}", pytrace=False)
    if reason is not None:
        pytest.skip(reason)
    return Docker().build(artifact, tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module")
def container(image):
    """The image as it should be run."""
    with Docker().started(image) as started:
        yield started


@pytest.mark.skipif(find_fault() is not None, reason="checked only where docker can be used")
@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"storage": "perhaps"}, "--storage = 'perhaps': must be no or yes"),
        ({"image": "Ml Project"}, "image = 'Ml Project': must be a name without a tag"),
        ({"image": "ml-project:1"}, "image = 'ml-project:1': must be a name without a tag"),
        ({"push": "yes"}, "names no registry to push to; give --image REGISTRY/NAME"),
    ],
)
def test_wrong_option_is_refused_with_the_remedy(artifact, extra, message):
    with pytest.raises(DeploymentError, match="nothing was changed") as caught:
        planned(artifact, **extra)
    assert message in str(caught.value)


def test_entry_of_a_package_that_is_not_locked_is_an_error():
    with pytest.raises(LookupError, match="setup is not among"):
        requirement_of("setuptools==1 \\\n    --hash=sha256:0\n", "setup")


def test_push_to_a_registry_that_does_not_answer_says_what_exists(image, artifact, tmp_path):
    options = Options("docker", artifact, extra={"image": "127.0.0.1:1/ml-project-test", "push": "yes"})
    with pytest.raises(StepFailedError, match=r"Step 2 of 2 failed") as caught:
        deploy(options, tmp_path)
    built = f"127.0.0.1:1/ml-project-test:{read_manifest(artifact).version}"
    assert f"docker rmi {built}" in str(caught.value)
    assert run_docker(["image", "inspect", "--format", "{{.Id}}", built])
    run_docker(["rmi", built])


def test_labels_name_versions_and_revision(image, artifact):
    labels = json.loads(run_docker(["image", "inspect", "--format", "{{json .Config.Labels}}", image]))
    assert labels["ml-project.model-version"] == read_manifest(artifact).version
    assert labels["org.opencontainers.image.version"] == __version__
    assert "org.opencontainers.image.revision" in labels


def test_user_is_a_number_that_is_not_root_and_can_change_nothing(container):
    assert container.run("id", "-u") == "10001"
    assert container.inspect()["Config"]["User"] == "10001:10001"
    with pytest.raises(DeploymentError, match="Read-only file system"):
        container.run("touch", "/srv/file")
    found = container.run("python", "-c", "print(open('/proc/1/status').read())")
    assert "CapEff:\t0000000000000000" in found
    assert "NoNewPrivs:\t1" in found


def test_image_has_neither_sources_nor_packages_that_serving_does_not_need(container):
    look = "import importlib.util as u, sys; print(*[n for n in sys.argv[1:] if u.find_spec(n)])"
    assert container.run("python", "-c", look, *NOT_FOR_SERVING) == ""
    assert container.run("ls", "/srv").split() == ["check_service.py", "model.zip"]
    assert container.run("python", "-c", "import ml_project; print(ml_project.__file__)").startswith("/opt/service/")


def test_whatever_is_imported_has_bytecode(container):
    look = "ls /opt/service/lib/python3.12/site-packages/{ml_project,onnxruntime,numpy,uvicorn}/__pycache__/*.pyc"
    assert container.run("bash", "-c", look)
    assert container.run("ls", "/usr/local/lib/python3.12/asyncio/__pycache__")


def test_health_check_finds_the_service_ready_without_curl(container):
    health_check = container.inspect()["Config"]["Healthcheck"]["Test"]
    assert health_check == ["CMD", "python", "-I", "-S", "/srv/check_service.py"]
    assert container.run(*health_check[1:]) == ""


def test_health_check_fails_where_nothing_answers(image):
    command = ["run", "--rm", "--entrypoint", "python", image, "-I", "-S", "/srv/check_service.py"]
    with pytest.raises(DeploymentError):
        run_docker(command)


def test_predictions_outlive_the_container_in_a_volume_and_clean_up_names_the_image(artifact, tmp_path, image):
    stores = f"{IMAGE}-stores"
    deploy(Options("docker", artifact, extra={"image": stores, "storage": "yes"}), tmp_path)
    volume = run_docker(["volume", "create"])
    mount = ("--mount", f"type=volume,source={volume},target=/data")
    settings = {**SETTINGS, "ML_PROJECT_MONITORING__STORAGE__URL": "sqlite:////data/predictions.db"}
    tag = f"{stores}:{read_manifest(artifact).version}"
    request = HttpRequest("POST", "/predict", {"content-type": "application/json"}, json.dumps(RECORD).encode())
    try:
        with (
            container_of(tag, *HARDENED, *mount, inner_port=PORT, environment=settings) as container,
            closing(HttpAsk(container.url)) as ask,
        ):
            assert ask(request).status == 200
        found = run_docker(["run", "--rm", *mount, "--entrypoint", "python", tag, "-c", COUNT])
    finally:
        run_docker(["volume", "rm", volume])
    assert found == "(1,)"
    told: list[str] = []
    clean_up(told.append, root=tmp_path)
    assert f"docker rmi {tag}" in "\n".join(told)
    assert not (tmp_path / ".dockerignore").exists()
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize(("engine", "packages"), [("onnx", ""), ("native", "libgomp1")])
def test_model_of_lightgbm_gets_the_library_that_its_wheel_lacks(tmp_path, engine, packages):
    forest = fit("lightgbm")
    artifact = forest.export(tmp_path / "model.zip", config=forest.with_engine(engine))
    context = Context(example_project(), Options("docker", artifact), read_manifest(artifact))
    assert build_arguments(context)["SYSTEM_PACKAGES"] == packages
    assert ("lightgbm==" in context.requirements("fastapi")) == bool(packages)


def test_build_image_runs_tests(image, artifact, tmp_path, pytestconfig):
    """Made in CI only, because its layers take minutes and more than a gigabyte."""
    if not pytestconfig.getoption("require_all_targets"):
        pytest.skip("made with --require-all-targets only")
    copy_project(tmp_path)
    copy_parts(tmp_path, "tests", "executables", "use_cases")
    set_up(Options("docker", artifact, extra={"image": IMAGE}), print, tmp_path)
    tag = f"{IMAGE}-build"
    run_docker(["build", "--file", str(tmp_path / DOCKERFILE), "--target", "build", "--tag", tag, str(tmp_path)])
    told = run_docker(
        ["run", "--rm", tag, "pytest", "-q", "tests/prediction/test_pipeline.py", "tests/artifacts/test_loading.py"]
    )
    assert " passed" in told
