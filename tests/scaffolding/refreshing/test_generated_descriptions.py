"""Every description that a new schema is written with is known again."""

import numpy as np
import pandas as pd
import pytest

from scaffolding.profiling.column_profile import profile_column
from scaffolding.profiling.column_rules import infer_rule
from scaffolding.refreshing.generated_descriptions import is_generated

ROWS = np.arange(60)


@pytest.mark.parametrize("missing", [0, 1, 30, 59])
@pytest.mark.parametrize(
    "values",
    [
        ROWS,
        ROWS / 7,
        ROWS % 2 == 0,
        pd.Timestamp("2024-01-01") + pd.to_timedelta(ROWS, unit="D"),
        pd.Timestamp("2024-01-01") + pd.to_timedelta(ROWS, unit="h"),
        np.where(ROWS % 2, "a (b)", "c.\n"),
        [f"text {row}" for row in ROWS],
        ["one text"] * 60,
        [None] * 60,
    ],
    ids=["integer", "number", "boolean", "day", "moment", "category", "text", "constant", "empty"],
)
def test_is_generated_description_of_a_new_schema_is(values, missing):
    column = pd.Series(values, name="x", dtype=object).mask(missing > ROWS)
    profile = profile_column(column, missing_values=())
    rule = infer_rule(profile) if profile.kind is not None else None

    assert rule is None or is_generated(rule.description), rule.description


@pytest.mark.parametrize("text", [None, "", "Year of the visit.", "Text, by hand.", "One of two.", "Number, 1 to 2."])
def test_is_generated_words_of_a_user_are_not(text):
    assert not is_generated(text)
