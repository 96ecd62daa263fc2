"""Requirements of a deployment: those of the lock, refused where the lock cannot be trusted."""

import json
import re
import shutil
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement

from deployment.deployer.errors import DeploymentError
from deployment.deployer.requirements import categories_for, locked_requirements, pipfile_hash

REPOSITORY = Path(__file__).parents[2]
PIPFILE = """
[[source]]
url = "https://pypi.org/simple"
verify_ssl = true
name = "pypi"

[packages]
one = "*"

[other]
one = "*"
"""
ONE = {"version": "==1.0", "hashes": ["sha256:b", "sha256:a"]}


@pytest.fixture
def project(tmp_path):
    """Return a function that writes a small project and returns its folder."""

    def write(default, other, pipfile=PIPFILE, lock_of=PIPFILE):
        (tmp_path / "Pipfile").write_text(pipfile, encoding="utf-8")
        lock = {"_meta": {"hash": {"sha256": pipfile_hash(tomllib.loads(lock_of))}}, "default": default, "other": other}
        (tmp_path / "Pipfile.lock").write_text(json.dumps(lock), encoding="utf-8")
        return tmp_path

    return write


def parse(text):
    lines = text.replace("\\\n", "").splitlines()
    return [Requirement(line.split(" --hash")[0].strip()) for line in lines if not line.startswith("#")]


@pytest.mark.parametrize("category", ["packages", "models", "catboost", "fastapi", "store", "aws-lambda", "train"])
def test_locked_requirements_of_this_project_are_pinned_and_hashed(category):
    text = locked_requirements(REPOSITORY, [category])
    lock = json.loads((REPOSITORY / "Pipfile.lock").read_text(encoding="utf-8"))
    locked = lock["default" if category == "packages" else category]
    requirements = parse(text)
    assert {one.name: str(one.specifier) for one in requirements} == {
        name: one["version"] for name, one in locked.items()
    }
    assert [one.name for one in requirements] == sorted(locked)
    assert set(re.findall(r"--hash=(\S+)", text)) == {digest for one in locked.values() for digest in one["hashes"]}


def test_locked_requirements_for_an_onnx_service_have_no_library_of_training():
    names = {one.name for one in parse(locked_requirements(REPOSITORY, ["packages", "fastapi", "aws-lambda"]))}
    trained_with = {"pandas", "scikit-learn", "scipy", "mlflow", "xgboost-cpu", "catboost", "pyarrow", "matplotlib"}
    assert names.isdisjoint(trained_with | {"requests", "sqlalchemy", "ml-project"})


def test_locked_requirements_of_development_leave_the_project_itself_out():
    assert "ml-project" not in {one.name for one in parse(locked_requirements(REPOSITORY, ["dev-packages"]))}


def test_locked_requirements_are_the_same_each_time(project):
    root = project({"two": ONE, "one": ONE}, {})
    text = locked_requirements(root, ["packages"])
    assert text == locked_requirements(root, ["packages"])
    assert text.splitlines()[1:] == [
        "one==1.0 \\", "    --hash=sha256:a \\", "    --hash=sha256:b",
        "two==1.0 \\", "    --hash=sha256:a \\", "    --hash=sha256:b",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        pytest.param({}, {}, "one==1.0", id="alike"),
        pytest.param({"extras": ["x"]}, {"extras": ["y"]}, "one[x,y]==1.0", id="extras of both"),
        pytest.param({"markers": "os_name == 'nt'"}, {}, "one==1.0", id="one wants it everywhere"),
        pytest.param({"markers": "a"}, {"markers": "a"}, "one==1.0 ; a", id="same marker"),
        pytest.param({"markers": "a"}, {"markers": "b"}, "one==1.0 ; (a) or (b)", id="either marker"),
    ],
)
def test_locked_requirements_of_a_package_in_two_categories_suit_both(project, mine, theirs, expected):
    root = project({"one": {**ONE, **mine}}, {"one": {**ONE, **theirs}})
    text = locked_requirements(root, ["packages", "other"])
    assert text.splitlines()[1].removesuffix(" \\") == expected


def test_locked_requirements_in_two_versions_are_refused(project):
    root = project({"one": ONE}, {"one": {**ONE, "version": "==2.0"}})
    with pytest.raises(DeploymentError, match=r"one = '==1.0 and ==2.0': is locked in two versions"):
        locked_requirements(root, ["packages", "other"])


def test_locked_requirements_without_hash_are_refused(project):
    with pytest.raises(DeploymentError, match="one: is locked without version or hash"):
        locked_requirements(project({"one": {"git": "https://example.com/one"}}, {}), ["packages"])


def test_locked_requirements_of_a_stale_lock_are_refused_with_the_command(project):
    root = project({"one": ONE}, {}, pipfile=PIPFILE + 'two = "*"\n')
    with pytest.raises(DeploymentError, match=r'another Pipfile .* run pipenv lock --categories "packages other"'):
        locked_requirements(root, ["packages"])


def test_locked_requirements_of_unknown_categories_name_the_known_ones_closest_first(project):
    with pytest.raises(DeploymentError) as caught:
        locked_requirements(project({"one": ONE}, {}), ["pakages", "othr"])
    assert str(caught.value).splitlines()[1:] == [
        "  - category = 'pakages': is no category; Pipfile has packages, other",
        "  - category = 'othr': is no category; Pipfile has other, packages",
    ]


def test_locked_requirements_without_files_name_both(tmp_path):
    with pytest.raises(DeploymentError) as caught:
        locked_requirements(tmp_path, ["packages"])
    assert [Path(problem.field).name for problem in caught.value.problems] == ["Pipfile", "Pipfile.lock"]


def test_locked_requirements_of_a_damaged_lock_name_it(project):
    root = project({"one": ONE}, {})
    (root / "Pipfile.lock").write_text("{", encoding="utf-8")
    with pytest.raises(DeploymentError, match=r"Pipfile\.lock: cannot be read"):
        locked_requirements(root, ["packages"])


def test_pipfile_hash_is_pipenvs(tmp_path):
    shutil.copy(REPOSITORY / "Pipfile", tmp_path)
    shutil.copy(REPOSITORY / "Pipfile.lock", tmp_path)
    assert locked_requirements(tmp_path, ["packages"])  # would be refused as stale otherwise
    changed = (tmp_path / "Pipfile").read_text(encoding="utf-8").replace('numpy = "~=2.5"', 'numpy = "~=2.6"')
    (tmp_path / "Pipfile").write_text(changed, encoding="utf-8")
    with pytest.raises(DeploymentError, match="another Pipfile"):
        locked_requirements(tmp_path, ["packages"])


@pytest.mark.parametrize(
    ("engine", "libraries", "storage", "expected"),
    [
        ("onnx", ("sklearn", "xgboost"), False, ("packages", "fastapi")),
        ("onnx", ("sklearn",), True, ("packages", "fastapi", "store")),
        ("mixed", ("sklearn", "lightgbm"), False, ("packages", "fastapi", "models", "lightgbm")),
        ("native", ("sklearn",), True, ("packages", "fastapi", "models", "store")),
    ],
)
def test_categories_for_engine_libraries_and_storage(engine, libraries, storage, expected):
    manifest = SimpleNamespace(engine=SimpleNamespace(name=engine), model_packages=libraries)
    assert categories_for(manifest, "fastapi", storage=storage) == expected
