"""An artifact with nothing but what is deployed: served, or refused with the missing module and who imports it."""

import re

import pytest

from deployment.deployer.imports import check_imports
from deployment.deployer.requirements import categories_for, locked_requirements
from deployment.tests.project_copies import example_project
from ml_project.artifacts.loading import load_artifact
from tests.artifacts.fitted import fit
from tests.example.features import FEATURE_PROCESSES

SERVING = ("ml_project.cli", "ml_project.web", "ml_project.serving.server")


def check(artifact, categories, modules=()):
    return check_imports(artifact, locked_requirements(example_project(), categories), example_project(), modules)


@pytest.fixture(scope="module")
def native_artifact(tmp_path_factory):
    return export_native("decision_tree", tmp_path_factory.mktemp("native") / "model.zip")


def export_native(name, path):
    model = fit(name)
    return model.export(path, config=model.with_engine("native"))


@pytest.mark.parametrize(
    ("categories", "modules"),
    [
        (["packages"], SERVING),
        (["packages", "fastapi"], (*SERVING, "ml_project.serving.fastapi_app", "ml_project.serving.uvicorn_server")),
        (["packages", "flask"], (*SERVING, "ml_project.serving.flask_app", "ml_project.serving.gunicorn_worker")),
        (["packages", "aws-lambda"], ("awslambdaric", "ml_project.serving.adapters.aws")),
        (["packages", "google-cloud-function"], ("functions_framework", "ml_project.serving.adapters.google")),
        (["packages", "store"], ("ml_project.monitoring.database",)),
    ],
)
def test_onnx_artifact_is_served_with_what_is_deployed(artifact, categories, modules):
    assert check(artifact, categories, modules) == []


@pytest.mark.parametrize("name", ["decision_tree", "xgboost", "lightgbm", "catboost"])
def test_native_artifact_is_served_with_its_own_library_only(tmp_path, name):
    artifact = export_native(name, tmp_path / "model.zip")
    categories = categories_for(load_artifact(artifact, FEATURE_PROCESSES).manifest)
    assert categories == ("packages", "models", *(() if name == "decision_tree" else (name,)))
    assert check(artifact, categories) == []


def test_native_artifact_without_the_models_libraries_names_them(native_artifact):
    (problem,) = check(native_artifact, ["packages"])
    assert problem.field == str(native_artifact)
    assert re.search(r"ArtifactIncompatibleError: .* sklearn: is not installed", problem.problem)


def test_missing_package_is_named_with_who_imports_it(artifact):
    (problem,) = check(artifact, ["store"])
    assert str(problem) == "numpy: is not in the deployed packages, and ml_project.errors imports it"


def test_package_that_only_a_prediction_imports_is_missed_too(artifact):
    requirements = locked_requirements(example_project(), ["packages"])
    without = re.sub(r"^onnxruntime==.*\n(?:    --hash.*\n)+", "", requirements, flags=re.MULTILINE)
    (problem,) = check_imports(artifact, without, example_project())
    assert "onnxruntime: is not installed; the model was exported with" in problem.problem


def test_module_that_is_not_deployed_is_named(artifact):
    problems = check(artifact, ["packages"], ["ml_project.serving.fastapi_app", "ml_project.modelling.training"])
    assert [str(problem) for problem in problems] == [
        "fastapi: is not in the deployed packages, and ml_project.serving.fastapi_app imports it",
        "ml_project.modelling: is not in the deployed sources, and it has to be there",
    ]


def test_package_that_is_installed_in_another_version_is_named(artifact):
    requirements = "numpy==1.0 \\\n    --hash=sha256:0\nno-such-package[extra]==2.0 ; python_version >= '3'\n"
    first, second = check_imports(artifact, requirements, example_project())
    assert re.fullmatch(r"numpy: 1\.0 is locked, and here is 2\.\S+, so the imports cannot be checked; .*", str(first))
    assert str(second).startswith("no-such-package: 2.0 is locked, and here is none")


def test_damaged_artifact_is_named(tmp_path):
    (tmp_path / "model.zip").write_bytes(b"PK")
    (problem,) = check(tmp_path / "model.zip", ["packages"])
    assert problem.field == str(tmp_path / "model.zip")
    assert "ArtifactDamagedError" in problem.problem


def test_nothing_is_left_behind(artifact, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert check(artifact, ["packages"]) == []
    assert list(tmp_path.iterdir()) == []
