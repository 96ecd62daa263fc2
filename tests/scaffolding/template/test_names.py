"""Tests of scaffolding.template.names."""

from pathlib import Path

import pytest

from scaffolding.template.copying import copy_template, package_of
from scaffolding.template.names import MAX_LENGTH, check_name
from tests.scaffolding.small_template import make_small_template

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return make_small_template(tmp_path_factory.mktemp("names") / "template")


def problems(name, root):
    return "\n".join(map(str, check_name(name, root)))


@pytest.mark.parametrize("name", ["ab", "churn_of_2026", "breast_cancer", "a" * MAX_LENGTH, "x2"])
def test_check_name_usable_name_has_no_problem(template, name):
    assert check_name(name, template) == []


def test_check_name_of_no_module_variable_or_file_of_this_project_has_no_problem():
    assert check_name("zebra_crossings", ROOT) == []


@pytest.mark.parametrize(
    ("name", "corrected"),
    [
        ("customer-churn", "write customer_churn"),
        ("CustomerChurn", "write customer_churn"),
        ("Kundentreue 2026", "write kundentreue_2026"),
        ("größen", "write grossen"),
        ("2nd_try", "write nd_try"),
        ("_churn_", "write churn"),
        ("churn__x", "write churn_x"),
        ("../churn", "write churn"),
        ("churn\n", "write churn"),
        ("顧客", "for instance customer_churn"),
        ("", "for instance customer_churn"),
    ],
)
def test_check_name_wrong_characters_are_refused_with_the_corrected_name(template, name, corrected):
    found = problems(name, template)
    assert f"--name = {name!r}: must consist of lower-case letters" in found
    assert found.endswith(corrected)


@pytest.mark.parametrize("name", ["a", "a" * (MAX_LENGTH + 1)])
def test_check_name_wrong_length_is_refused(template, name):
    wanted = f"must have 2 to {MAX_LENGTH} characters, since clouds allow no more; it has {len(name)}"
    assert wanted in problems(name, template)


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("class", "a word of Python itself"),
        ("match", "a word of Python itself"),
        ("statistics", "a module of Python's standard library"),
        ("pandas", "a package that the project installs"),
        ("sklearn", "a package that the project installs"),
        ("moto", "a package that the project installs"),
        ("use_cases", "a file or folder of the template"),
        ("model", "a file or folder of the template"),
        ("titanic", "the name of the template"),
        ("animal", "a name in a module that imports the package"),
        ("output", "the name of a folder that git ignores"),
    ],
)
def test_check_name_of_something_else_is_refused(template, name, use):
    found = problems(name, template)
    assert f"is {use}, so it could be taken for it" in found
    assert f"choose another name, for instance {name[:14]}_project" in found


@pytest.mark.parametrize("name", ["tests", "scikit_learn"])
def test_check_name_of_something_in_this_project_is_refused(name):
    assert "so it could be taken for it" in problems(name, ROOT)


def test_check_name_of_the_template_itself_is_refused():
    assert "is the name of the template" in problems(package_of(ROOT), ROOT)


def test_check_name_of_the_first_template_is_refused_in_a_copy_too(template, tmp_path):
    copy_template(template, tmp_path / "copy", "zebra")
    assert "is the name of the template" in problems("first_try", tmp_path / "copy")


def test_check_name_that_makes_settings_of_variables_is_refused(template, monkeypatch):
    monkeypatch.setenv("KENNEL_HOST", "x")
    assert "KENNEL_HOST a setting of the project, which reads all that begin" in problems("kennel", template)
    monkeypatch.delenv("KENNEL_HOST")
    assert problems("kennel", template) == ""
