"""A text means a missing value only where that takes no class and no category away."""

from __future__ import annotations

import pandas as pd
import pytest

from ml_project.errors import TargetError
from scaffolding.plan import ColumnRoles
from scaffolding.profiling.column_rules import profile_columns
from scaffolding.profiling.missing_texts import MissingTexts, find_missing_texts
from scaffolding.profiling.role_checks import check_profiles

GIVEN = ("", "NA", "None")


def _found(**columns: list[str]) -> MissingTexts:
    return find_missing_texts(pd.DataFrame({"y": ["yes", "no", "no"], **columns}), "y", GIVEN)


def test_find_missing_texts_usual_table_has_no_more_and_no_warning():
    assert _found(x=["1", "2", ""], k=["a", "b", "a"]) == MissingTexts(GIVEN, (), ())


@pytest.mark.parametrize("classes", [["yes", "no", "unknown"], ["true", "false", "-"]])
def test_find_missing_texts_usual_mark_among_classes_is_a_class(classes: list[str]):
    found = _found(y=classes)

    assert (found.values, found.in_target) == (GIVEN, ())
    assert f"{classes[-1]!r} was taken for a class of the target 'y' (1 row)" in found.warnings[0]


@pytest.mark.parametrize("mark", ["unknown", "-"])
def test_find_missing_texts_mark_among_classes_is_none_in_other_columns(mark: str):
    found = _found(y=["yes", "no", mark], x=["1", "2", mark])

    assert found.values == GIVEN
    assert found.warnings[0].startswith(f"{mark!r} was not taken for a missing value, because")
    assert "in 'y'; so 'x' became text" in found.warnings[0]


def test_find_missing_texts_default_text_among_classes_is_a_class_and_named():
    found = _found(y=["Some", "None", "None"], k=["a", "None", "b"])

    assert found.values == ("", "NA")
    assert "'None' was taken for a class of the target 'y' (2 rows)" in found.warnings[0]


def test_find_missing_texts_mark_of_the_whole_table_is_no_class():
    found = _found(y=["male", "female", "NA"], x=["1", "NA", "2"])

    assert (found.values, found.in_target) == (GIVEN, ("NA",))
    assert found.warnings[0].startswith("'NA' in 1 row of the target 'y' was taken for a missing value")


def test_find_missing_texts_mark_among_numbers_of_the_target_is_missing_and_named():
    found = _found(y=["1.5", "unknown", "2.5"])

    assert (found.values, found.in_target) == ((*GIVEN, "unknown"), ("unknown",))
    assert found.warnings == (
        "'unknown' was taken for a missing value (data.missing_values): 'y' has it in 1 row.",
    )


def test_find_missing_texts_word_that_is_a_category_elsewhere_stays():
    found = _found(x=["1", "2", "unknown"], k=["known", "unknown", "unknown"])

    assert found.values == GIVEN
    assert found.warnings == (
        "'unknown' was not taken for a missing value, because it may be a category in 'k'; so 'x' became text. Leave "
        "such values empty there to have numbers.",
    )


def test_find_missing_texts_sign_is_missing_everywhere():
    found = _found(x=["1", "2", "-"], k=["a", "-", "b"])

    assert found.values == (*GIVEN, "-")
    assert found.warnings[0] == "'-' was taken for a missing value (data.missing_values): 'x' has it in 1 row."


def test_find_missing_texts_default_text_that_is_often_missing_in_texts_is_named():
    often = pd.DataFrame({"y": ["1", "2"] * 20, "k": ["a", "NA"] * 20, "rare": ["NA", *["a"] * 39]})

    found = find_missing_texts(often, "y", GIVEN)

    assert found.values == GIVEN
    assert len(found.warnings) == 1
    assert found.warnings[0].startswith("'NA' means a missing value in 'k' (50 % of the rows); if it is a category")


def test_find_missing_texts_column_of_marks_only_says_nothing():
    assert _found(x=["-", "-", "NA"]) == MissingTexts(GIVEN, (), ())


def test_check_profiles_constant_beside_missing_texts_names_them():
    profiles = profile_columns(pd.DataFrame({"y": ["3"] * 9 + ["NA"]}), target="y", missing_values=GIVEN)
    with pytest.raises(TargetError, match=r"every row has 3 beside 'NA', which means a missing value"):
        check_profiles(profiles, ColumnRoles("y"), ("NA",))
