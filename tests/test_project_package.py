"""The package with the user's part: which one it is, and what is said when it cannot be used."""

import subprocess
import sys

import pytest

from ml_project.config_sources import PACKAGE_VARIABLE, read_environment_layer
from ml_project.errors import ConfigError
from ml_project.project_package import USUAL_PACKAGE, load_feature_processes, load_project
from tests.example.candidates import CANDIDATES
from tests.example.features import FEATURE_PROCESSES
from tests.workspace import REPOSITORY

SCHEMA = """
import pandera.pandas as pa
from pandera.typing.pandas import Series
class RawData(pa.DataFrameModel):
    s_1: Series[float] = pa.Field(alias="s 1")
    s_2: Series[float] = pa.Field(alias="s 2")
"""
FEATURES = """
from ml_project.feature_engineering.ready_made import Sum
FEATURE_PROCESSES = (Sum("both", columns=("s 1", "s 2")),)
"""


@pytest.fixture
def write(tmp_path, monkeypatch, request):
    """Return a function that writes a package from the text of its modules, and gives its name."""
    name = f"package_of_{request.node.name.partition('[')[0]}"
    monkeypatch.syspath_prepend(str(tmp_path))

    def to_package(**modules):
        (tmp_path / name).mkdir()
        for module, text in modules.items():
            (tmp_path / name / f"{module}.py").write_text(text)
        return name

    yield to_package
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]


def test_load_project_without_a_name_takes_the_package_of_the_environment():
    project = load_project()
    assert project.processes is load_feature_processes() is FEATURE_PROCESSES
    assert project.candidates is CANDIDATES
    assert "survived" in project.schema.names


def test_load_project_name_counts_more_than_the_environment(write):
    package = write(schema=SCHEMA, features=FEATURES, candidates="CANDIDATES = ()")
    project = load_project(package)
    assert project.schema.names == ("s 1", "s 2")
    assert [process.name for process in project.processes] == ["both"]
    assert project.candidates == ()


@pytest.mark.parametrize("unset", ["", None])
def test_load_feature_processes_without_any_name_takes_the_usual_package(unset, monkeypatch):
    if unset is None:
        monkeypatch.delenv(PACKAGE_VARIABLE)
    else:
        monkeypatch.setenv(PACKAGE_VARIABLE, unset)
    load_feature_processes()
    assert f"{USUAL_PACKAGE}.features" in sys.modules


@pytest.mark.parametrize(
    ("package", "told"),
    [
        ("no_such_package", "there is no package 'no_such_package' on the path; correct the name"),
        ("tests.exmaple", "there is no package 'tests.exmaple' on the path; correct the name"),
        ("tests.data", "has no module 'features'; name the package with schema, features and candidates"),
        ("..project", "is no name of a package"),
        ("tests/example", "is no name of a package"),
    ],
)
def test_load_feature_processes_of_no_package_is_refused(package, told, monkeypatch):
    monkeypatch.setenv(PACKAGE_VARIABLE, package)
    with pytest.raises(ConfigError) as refused:
        load_feature_processes()
    assert f"{PACKAGE_VARIABLE} = {package!r}: {told}" in str(refused.value)


@pytest.mark.parametrize(
    ("features", "told"),
    [
        ("", "its module 'features' does not define FEATURE_PROCESSES; add it"),
        ("import no_such_library", "its module 'features' imports 'no_such_library', which is not installed here"),
        ("from json import nothing", "its module 'features' cannot be imported: cannot import name 'nothing'"),
    ],
)
def test_load_feature_processes_of_an_unusable_module_is_refused(features, told, write):
    package = write(features=features)
    with pytest.raises(ConfigError) as refused:
        load_feature_processes(package)
    assert told in str(refused.value)
    assert refused.value.__cause__ is not None


def test_load_feature_processes_defect_of_the_module_is_shown_as_it_is(write):
    package = write(features="import json\njson.FEATURE_TABLE")
    with pytest.raises(AttributeError, match="FEATURE_TABLE"):
        load_feature_processes(package)


@pytest.mark.parametrize(
    ("lacking", "told"),
    [("schema", "does not define RawData"), ("candidates", "does not define CANDIDATES")],
)
def test_load_project_that_lacks_something_is_refused(lacking, told, write):
    package = write(**{"schema": SCHEMA, "features": FEATURES, "candidates": "CANDIDATES = ()", lacking: ""})
    with pytest.raises(ConfigError, match=f"its module '{lacking}' {told}; add it"):
        load_project(package)


def test_load_feature_processes_imports_no_schema_and_nothing_heavy():
    code = "from ml_project.project_package import load_feature_processes as f; f(); import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    assert "tests.example.features" in modules
    heavy = {"tests.example.schema", "tests.example.candidates", "pandera", "sklearn", "pandas", "ml_project.modelling"}
    assert not heavy & modules


def test_read_environment_layer_package_variable_is_no_field():
    layer = read_environment_layer({PACKAGE_VARIABLE: "tests.example", "ML_PROJECT_PACKAGES": "x"})
    assert [problem.field for problem in layer.problems] == ["packages"]
