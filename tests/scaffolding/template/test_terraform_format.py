"""Tests of scaffolding.template.terraform_format."""

from scaffolding.template.terraform_format import align_arguments

WITHOUT_NAME = """\
a = 1
long = 2
"""


def test_align_arguments_only_neighbours_of_a_name_are_moved():
    text = WITHOUT_NAME + "\n  first = 1\n  NEW_AND_LONG_SEED = 2\n    deeper = 3\n  x = [\n  ]\n"
    aligned = "\n  first             = 1\n  NEW_AND_LONG_SEED = 2\n    deeper = 3\n  x = [\n  ]\n"
    assert align_arguments(text, ["NEW"]) == WITHOUT_NAME + aligned


def test_align_arguments_a_name_in_a_value_moves_nothing():
    text = 'a = "NEW"\nlong = 2\n'
    assert align_arguments(text, ["NEW"]) == text
