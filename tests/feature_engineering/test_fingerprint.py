import importlib.util
import textwrap

import pytest

from ml_project.errors import FeatureError
from ml_project.feature_engineering.fingerprint import source_fingerprint
from ml_project.feature_engineering.ready_made import Binning, Log
from ml_project.feature_engineering.row_function import RowFeature

SOURCE = '''
import re
from ml_project.feature_engineering.row_function import row_feature

GROUPS = {"Mlle": "Miss"}
UNUSED = 1
TITLE = re.compile("[a-z]+")

def helper(text):
    return GROUPS.get(text, text)

@row_feature(inputs=("name",), kind="category", missing="propagates")
def title(name):
    """Say the title."""
    return helper(TITLE.sub("", name))  # grouped
'''


@pytest.fixture
def fingerprint_of(tmp_path):
    numbers = iter(range(100))

    def fingerprint(source):
        path = tmp_path / f"features_{next(numbers)}.py"
        path.write_text(textwrap.dedent(source))
        specification = importlib.util.spec_from_file_location("features_under_test", path)
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        return source_fingerprint(module.title)

    return fingerprint


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# grouped", "# other comment"),
        ('"""Say the title."""', '"""Another docstring."""'),
        ("helper(TITLE", "helper( TITLE"),
        ("UNUSED = 1", "UNUSED = 2"),
    ],
)
def test_source_fingerprint_comments_and_formatting_do_not_count(fingerprint_of, old, new):
    assert fingerprint_of(SOURCE.replace(old, new)) == fingerprint_of(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('sub("", name)', 'sub(" ", name)'),
        ('"Mlle": "Miss"', '"Mlle": "Mrs"'),
        ("GROUPS.get(text, text)", "GROUPS.get(text)"),
        ("[a-z]+", "[a-z]*"),
        ('missing="propagates"', 'missing="may"'),
    ],
)
def test_source_fingerprint_changed_code_constant_or_declaration_counts(fingerprint_of, old, new):
    assert fingerprint_of(SOURCE.replace(old, new)) != fingerprint_of(SOURCE)


def test_source_fingerprint_parameters_count():
    one, same, other = (Binning("bin", column="age", edges=edges) for edges in [(1, 2), (1, 2), (1, 3)])
    assert source_fingerprint(one) == source_fingerprint(same) != source_fingerprint(other)
    assert source_fingerprint(Log("a", column="x")) != source_fingerprint(Log("a", column="y"))


def test_source_fingerprint_without_source_says_what_to_do():
    namespace = {}
    exec("def typed(name):\n    return name", namespace)  # noqa: S102 - stands for a console
    typed = namespace["typed"]
    typed.__module__ = __name__
    with pytest.raises(FeatureError, match=r"source of typed cannot be read .* in a Python file"):
        source_fingerprint(RowFeature(typed, "typed", ("name",), "category", "may"))
