"""The documentation: its Python and YAML blocks work, its links lead somewhere, its tables are up to date."""

import importlib.util
import re
import shlex
import shutil
import sys
import tomllib
import warnings
from pathlib import Path

import pytest
import yaml

from ml_project.cli import main
from ml_project.config import MODELLING, Config
from ml_project.config_sources import ENVIRONMENT_PREFIX, PACKAGE_VARIABLE, load_config

REPOSITORY = Path(__file__).resolve().parent.parent
DATA_VARIABLE = f"{ENVIRONMENT_PREFIX}DATA__SOURCE"
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "documentation").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANY_USE_CASE = Config(
    **MODELLING._asdict(),
    data={"source": "people.csv", "target_column": "income"},
    features={"columns": ("age",), "processes": ()},
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.*?)\s*$", re.MULTILINE)


def blocks(page, language):
    """Return the first line and the text of a page's blocks in a language."""
    text = page.read_text(encoding="utf-8")
    return [
        (text.count("\n", 0, match.start(2)), match[2]) for match in BLOCK.finditer(text) if match[1] == language
    ]


def pages_with(language):
    return [pytest.param(page, id=page.name) for page in PAGES if blocks(page, language)]


@pytest.fixture(scope="module", autouse=True)
def _users_part():
    """The pages are about the user's project, and not about the tests' own; its committed data are there for sure."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(PACKAGE_VARIABLE)
        patch.setenv(DATA_VARIABLE, committed_data())
        yield


def committed_data():
    """Return the address of the data on which the pipeline runs the pages."""
    pipeline = (REPOSITORY / "cicd_pipeline.sh").read_text(encoding="utf-8")
    return shlex.split(re.search(rf"^export {DATA_VARIABLE}=(.*)$", pipeline, re.MULTILINE)[1], comments=True)[0]


@pytest.fixture(scope="module")
def project_copy(tmp_path_factory):
    """Return a folder with data, use cases and a quickly trained model, in which blocks may write."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(REPOSITORY / "use_cases", folder / "use_cases")
    (folder / "data").mkdir()
    (folder / "data/data").symlink_to(REPOSITORY / "data/data")  # which can be large, and nothing is written to
    shutil.copy(REPOSITORY / "project_config.yaml", folder)
    words = "train --modelling.candidates linear --modelling.n_hyperparameter_optimisation_runs 1 --splits.n_folds 2"
    quick = "--evaluation.explain false --tracking.enabled false --compute.n_processes 1"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main([*words.split(), *quick.split()]) == 0
    return folder


@pytest.mark.parametrize("page", pages_with("python"))
def test_python_blocks_of_a_page_run_in_order(page, project_copy, tmp_path, monkeypatch):
    # The blocks become one module, each at the lines that it has on the page, because code without a file has no
    # source that a feature process could be recognised by.
    lines = []
    for start, code in blocks(page, "python"):
        lines += [""] * (start - len(lines)) + code.splitlines()
    name = f"page_{page.stem}"
    file = tmp_path / f"{name}.py"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    monkeypatch.chdir(project_copy)
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    with warnings.catch_warnings():
        spec.loader.exec_module(module)
        for test in [value for key, value in vars(module).items() if key.startswith("test_")]:
            test()


@pytest.mark.parametrize("page", pages_with("yaml"))
def test_yaml_blocks_of_a_page_are_configs(page, tmp_path):
    for _, text in blocks(page, "yaml"):
        assert isinstance(yaml.safe_load(text), dict)
        file = tmp_path / "config.yaml"
        file.write_text(text, encoding="utf-8")
        load_config(ANY_USE_CASE, config_file=file)


@pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in PAGES])
def test_links_of_a_page_lead_to_files_and_headings(page):
    broken = []
    for target in LINK.findall(without_code(page)):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in PAGES])
def test_files_named_on_a_page_exist(page):
    folders = "ml_project|scaffolding|executables|use_cases|tests|documentation|data/data"
    named = re.findall(rf"`((?:{folders})/[\w./-]*\w\.(?:py|sh|md|yaml|parquet))`", page.read_text(encoding="utf-8"))
    assert [name for name in named if not (REPOSITORY / name).exists()] == []


def test_config_reference_is_what_the_config_gives():
    file = REPOSITORY / "executables/write_config_reference.py"
    spec = importlib.util.spec_from_file_location("write_config_reference", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = module.REFERENCE.read_text(encoding="utf-8")
    assert written == module.render(), "run: pipenv run python executables/write_config_reference.py"


def test_dependencies_page_has_every_direct_dependency():
    pipfile = tomllib.loads((REPOSITORY / "Pipfile").read_text(encoding="utf-8"))
    categories = [section for section in pipfile if section not in ("source", "requires")]
    wanted = {name for section in categories for name in pipfile[section]}
    page = (REPOSITORY / "documentation/dependencies.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE)
    assert sorted(documented) == sorted(wanted)


def without_code(page):
    return BLOCK.sub("", page.read_text(encoding="utf-8"))


def anchors(page):
    """Return the anchors that GitHub gives to a page's headings."""
    headings = HEADING.findall(without_code(page))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_architecture_page_has_every_layer_in_order():
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = [name.strip() for layer in contracts["contracts"][0]["layers"] for name in layer.split("|")]
    page = (REPOSITORY / "documentation/architecture.md").read_text(encoding="utf-8")
    rows = re.search(r"^\| layer.*?\n\|---.*?\n(.*?)\n\n", page, re.MULTILINE | re.DOTALL)[1].splitlines()
    assert [name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])] == layers
