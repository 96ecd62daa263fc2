"""Engineered data that no model can use is refused."""

import numpy as np
import pandas as pd
import pytest

from ml_project.errors import FeatureError
from ml_project.validation.engineered import check_engineered

KINDS = {"size": "number", "title": "category"}


@pytest.fixture
def engineered():
    return pd.DataFrame({"size": [1.0, np.nan, 2.0], "title": pd.Series(["Mr", np.nan, "Mrs"], dtype=object)})


def test_check_engineered_usable_data_passes(engineered):
    check_engineered(engineered, KINDS, training=True)
    check_engineered(engineered.iloc[:0], KINDS)
    check_engineered(engineered.iloc[[1]], KINDS)
    check_engineered(engineered.astype({"title": "str"}), KINDS)


def test_check_engineered_wrong_values_are_all_named(engineered):
    wrong = engineered.assign(size=[np.inf, 1.0, -np.inf], title=[1, "a", np.nan])

    with pytest.raises(FeatureError, match="cannot be used") as caught:
        check_engineered(wrong, KINDS)

    assert [str(problem) for problem in caught.value.problems] == [
        "row 0, size = inf: must be finite or missing (2 rows in all)",
        "row 0, title = 1: must be text or missing",
    ]


def test_check_engineered_wrong_dtype_is_named(engineered):
    with pytest.raises(FeatureError, match="size: must be floats"):
        check_engineered(engineered.assign(size=[1, 2, 3]), KINDS)


def test_check_engineered_wrong_columns_are_all_named(engineered):
    wrong = pd.concat([engineered[["size", "size"]], engineered["title"].rename("name")], axis=1)

    with pytest.raises(FeatureError, match="cannot be used") as caught:
        check_engineered(wrong, KINDS)

    assert {problem.field: problem.problem for problem in caught.value.problems} == {
        "size": "appears 2 times",
        "title": "the feature is missing",
        "name": "the feature is not declared",
    }


def test_check_engineered_all_missing_feature_is_refused_in_training_only(engineered):
    empty = engineered.assign(size=np.nan, title=pd.Series([np.nan] * 3, dtype=object))

    check_engineered(empty, KINDS)
    with pytest.raises(FeatureError, match="nothing can be learned") as caught:
        check_engineered(empty, KINDS, training=True)
    assert [problem.field for problem in caught.value.problems] == ["size", "title"]
