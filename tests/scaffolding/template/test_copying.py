"""Tests of copying, renaming, files and lock_file in scaffolding.template."""

import filecmp
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ml_project.errors import ConfigError
from scaffolding.template.copying import copy_template, package_of
from scaffolding.template.files import list_template_files
from scaffolding.template.lock_file import pipfile_hash
from scaffolding.template.renaming import forms, read_template
from tests.scaffolding.small_template import FILES, make_small_template

ROOT = Path(__file__).resolve().parents[3]
LONG = "a_really_long_project_name_30c"


@pytest.fixture
def template(tmp_path):
    return make_small_template(tmp_path / "template")


def read_all(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def differences(one, other):
    found = filecmp.dircmp(one, other, ignore=[])
    here = [Path(one, name) for name in (*found.left_only, *found.diff_files)]
    here += [Path(other, name) for name in found.right_only]
    return here + [path for name in found.common_dirs for path in differences(Path(one, name), Path(other, name))]


def test_copy_template_own_project_is_left_out(template, tmp_path):
    written = copy_template(template, tmp_path / "copy", "blue_cheese")
    own = {"use_cases/use_case_config.py", "tests/project/test_own.py", "data/data/own.csv"}
    own |= {"first_try/project/schema.py"}
    assert set(FILES) - own == {path.replace("blue_cheese", "first_try") for path in written} - {"Pipfile.lock"}
    assert set(read_all(tmp_path / "copy")) == set(written)


def test_copy_template_all_forms_get_the_new_name(template, tmp_path):
    copy_template(template, tmp_path / "copy", "blue_cheese")
    run = (tmp_path / "copy" / "run.sh").read_text()
    assert run == "export BLUE_CHEESE_SEED=1; python -m blue_cheese serve blue_cheese\n"
    assert 'name = "blue-cheese"' in (tmp_path / "copy" / "pyproject.toml").read_text()


def test_copy_template_example_gets_the_name_only_where_it_means_the_project(template, tmp_path):
    copy_template(template, tmp_path / "copy", "blue_cheese")
    page = (tmp_path / "copy" / "docs" / "page.md").read_text()
    assert page == "python -m blue_cheese predict data/blue_cheese.zip  # of the Titanic\n"
    assert (tmp_path / "copy" / "docs" / "figures.md").read_text() == "measured on titanic\n"


def test_copy_template_modes_links_and_binaries_are_kept(template, tmp_path):
    (template / "link").symlink_to("first_try/model.py")
    (template / "image.bin").write_bytes(b"\0first_try\xff")
    (template / "latin.txt").write_bytes("größer als first_try".encode("latin-1"))
    subprocess.run(["git", "add", "--all"], cwd=template, check=True)
    copy_template(template, tmp_path / "copy", "zebra")
    copy = tmp_path / "copy"
    assert (copy / "run.sh").stat().st_mode & 0o111
    assert not (copy / "docs" / "page.md").stat().st_mode & 0o111
    assert (copy / "link").readlink() == Path("zebra/model.py")
    assert (copy / "image.bin").read_bytes() == b"\0first_try\xff"
    assert (copy / "latin.txt").read_bytes() == "größer als first_try".encode("latin-1")


def test_copy_template_untracked_and_deleted_files_are_not_copied(template, tmp_path):
    (template / "notes.txt").write_text("mine")
    (template / "docs" / "figures.md").unlink()
    written = copy_template(template, tmp_path / "copy", "zebra")
    assert not {"notes.txt", "docs/figures.md"} & set(written)


def test_copy_template_files_of_a_deployment_are_not_copied(template, tmp_path):
    (template / "Procfile").write_text("web: serve\n")
    (template / ".deployment_manifest.json").write_text('{"files": {"Procfile": {}}}')
    subprocess.run(["git", "add", "Procfile"], cwd=template, check=True)
    assert "Procfile" not in copy_template(template, tmp_path / "copy", "zebra")


def test_copy_template_without_git_ignored_files_are_not_copied(tmp_path):
    template = make_small_template(tmp_path / "template", with_git=False)
    (template / "output" / "deep").mkdir(parents=True)
    (template / "output" / "deep" / "report.txt").write_text("x")
    (template / "docs" / "run.log").write_text("x")
    with_git = make_small_template(tmp_path / "with_git")
    assert list_template_files(template, "first_try") == list_template_files(with_git, "first_try")


def test_copy_template_imports_are_in_the_order_of_the_new_name(template, tmp_path):
    copy_template(template, tmp_path / "copy", "aardvark")
    text = (tmp_path / "copy" / "aardvark" / "model.py").read_text()
    assert text == "from zoo import animal\n\nimport aardvark\n\nNAME = 'aardvark'\n"


@pytest.mark.parametrize(("package", "length"), [("ab", 120), ("a" * 22, 122)])
def test_copy_template_line_length_is_as_large_as_the_name_needs(template, tmp_path, package, length):
    (template / "first_try" / "model.py").write_text(f"NAME = 'first_try{'x' * 91}'\n")
    copy_template(template, tmp_path / "copy", package)
    settings = (tmp_path / "copy" / "pyproject.toml").read_text()
    assert re.findall(r"line[-_]length = (\d+)", settings) == [str(length)] * 2


def test_copy_template_rule_for_a_large_table_of_a_project_is_dropped(template, tmp_path):
    rules = (template / ".gitignore").read_text()
    own_rule = "\n# the whole table; a sample of it is committed\n/data/data/own.csv\n"
    (template / ".gitignore").write_text(rules + own_rule)
    copy_template(template, tmp_path / "copy", "zebra")
    assert (tmp_path / "copy" / ".gitignore").read_text() == rules


def test_copy_template_lock_has_the_new_name_and_the_hash_of_the_new_pipfile(template, tmp_path):
    copy_template(template, tmp_path / "copy", "blue_cheese")
    lock = json.loads((tmp_path / "copy" / "Pipfile.lock").read_text())
    assert list(lock["develop"]) == ["blue-cheese", "moto"]
    assert lock["_meta"]["hash"]["sha256"] == pipfile_hash((tmp_path / "copy" / "Pipfile").read_text())


def test_pipfile_hash_of_this_project_is_what_pipenv_wrote():
    lock = json.loads((ROOT / "Pipfile.lock").read_text())
    assert pipfile_hash((ROOT / "Pipfile").read_text()) == lock["_meta"]["hash"]["sha256"]


def test_copy_template_lock_of_this_project_differs_in_name_and_hash_alone(tmp_path):
    copy_template(ROOT, tmp_path, "zz_top")
    before = (ROOT / "Pipfile.lock").read_text().splitlines()
    after = (tmp_path / "Pipfile.lock").read_text().splitlines()
    own = f'        "{forms(package_of(ROOT))[2]}": {{'
    assert sorted(set(before) - set(after)) == sorted({own, before[3]})
    assert len(before) == len(after)


def test_copy_template_folder_without_template_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"holds no template: pyproject\.toml is missing"):
        copy_template(tmp_path, tmp_path / "copy", "zebra")


@pytest.mark.parametrize("between", ["wine", "ab", LONG])
def test_copy_template_of_a_copy_is_as_of_the_template(tmp_path, between):
    copy_template(ROOT, tmp_path / "between", between)
    copy_template(ROOT, tmp_path / "directly", "customer_sales")
    copy_template(tmp_path / "between", tmp_path / "twice", "customer_sales")
    assert differences(tmp_path / "directly", tmp_path / "twice") == []


@pytest.mark.parametrize("package", ["ab", LONG])
def test_copy_template_of_this_project_is_clean_and_names_nothing_of_it(tmp_path, package):
    copy_template(ROOT, tmp_path, package)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    for tool in (("ruff", "check", "--no-cache", "."), ("isort", "--check-only", "--quiet", ".")):
        done = subprocess.run([sys.executable, "-m", *tool], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    first = forms(read_template(ROOT).package)
    files = {path: text for path, text in read_all(tmp_path).items() if not path.startswith(".git/")}
    naming = {path for path, text in files.items() if any(form.encode() in text for form in first)}
    assert naming <= {"scaffolding/template/template.json"}
