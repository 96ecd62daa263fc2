"""What changed in a table against a schema; and that a training agrees with it."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_project.config import Config, DataConfig, FeaturesConfig, SplitsConfig
from ml_project.data.coercion import coerce
from ml_project.data.raw_schema import BatchExpectations, ColumnRule, RawSchema
from ml_project.errors import InvalidDataError, TargetError
from ml_project.validation.expectations import check_batch
from ml_project.validation.frames import check_raw
from scaffolding.refreshing.comparison import Comparison, compare

N_ROWS = 40
TARGET = ColumnRule(name="churn", kind="category", allowed=("no", "yes"))
CONFIG = Config(data=DataConfig(source="customers.csv", target_column="churn"), features=FeaturesConfig(columns=("x",)))


def with_target(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"churn": ["no", "yes"] * (N_ROWS // 2), **columns})


def compare_one(values: object, config: Config = CONFIG, **rule: object) -> Comparison:
    schema = RawSchema(columns=(TARGET, ColumnRule(name="x", **rule)))
    return compare(with_target(x=values), schema, config)


def spread(*values: object, rest: object) -> pd.Series:
    return pd.Series([*values, *[rest] * (N_ROWS - len(values))])


@pytest.mark.parametrize(
    ("values", "rule", "found", "new"),
    [
        (
            spread(-5.0, 3.0, -7.25, rest=1.0),
            {"kind": "number", "minimum": 0},
            "below 0 in 2 rows (5.0%), first row 0: -5, -7.25",
            {"minimum": -7.3},
        ),
        (spread(1512.0, rest=1.0), {"kind": "number", "maximum": 1000}, "above 1000 in 1 row", {"maximum": 1600.0}),
        (
            spread(0, rest=1),
            {"kind": "integer", "exclusive_minimum": 0},
            "not above 0 in 1 row (2.5%), row 0: 0",
            {"exclusive_minimum": None, "minimum": 0.0},
        ),
        (
            spread("X", "C", rest="S"),
            {"kind": "category", "allowed": ("C", "S")},
            "not among the values allowed in 1 row (2.5%), row 0: 'X'",
            {"allowed": ("C", "S", "X")},
        ),
        (spread(4, 3, rest=1), {"kind": "integer", "allowed": (1, 2)}, "row 0: 4, 3", {"allowed": (1, 2, 3, 4)}),
        (spread(None, 2.5, rest=1.0), {"kind": "number"}, "missing, though none may be, in 1 row", {"nullable": True}),
        (spread("?", rest="a"), {"kind": "text"}, "missing, though none may be, in 1 row", {"nullable": True}),
        (spread("abc", rest="a"), {"kind": "text", "max_length": 2}, "longer than 2 characters", {"max_length": 3}),
        (spread("", rest="abc"), {"kind": "text", "min_length": 4, "nullable": True}, "shorter than 4 characters",
         {"min_length": 3}),
        (spread("b1", rest="A1"), {"kind": "text", "pattern": "[A-Z]"}, "not of the pattern '[A-Z]' in 1 row",
         {"pattern": None}),
        (
            spread("2019-06-01T10:00", rest="2021-01-01"),
            {"kind": "datetime", "earliest": dt.datetime(2020, 1, 1)},
            "before 2020-01-01 in 1 row (2.5%), row 0: 2019-06-01 10:00:00",
            {"earliest": dt.datetime(2019, 6, 1)},
        ),
        (
            pd.Series([*range(N_ROWS - 1), 3]),
            {"kind": "integer", "unique": True},
            "unique, but an earlier value repeats in 1 row (2.5%), row 39: 3",
            {"unique": False},
        ),
        (spread("1.5", rest="2"), {"kind": "integer", "maximum": 5}, "is not a whole number in 1 row (2.5%), row 0",
         {"kind": "number"}),
    ],
)  # fmt: skip
def test_compare_column_breaks_rule_says_where_and_widens_it(values, rule, found, new):
    (change,) = compare_one(values, **rule).changes

    assert found in change.findings[0]
    assert change.new == change.old.model_copy(update=new)


def test_compare_numbers_became_text_names_values_and_takes_limits_of_a_new_column():
    (change,) = compare_one(spread("cheap", rest="3"), kind="number", minimum=0, maximum=9).changes

    assert change.findings == (
        "is not a number in 1 row (2.5%), row 0: 'cheap'",
        "the column now holds text, no longer numbers",
    )
    assert (change.new.kind, change.new.minimum, change.new.maximum) == ("text", None, None)


def test_compare_numbers_with_a_mark_of_missing_values_stay_numbers():
    (change,) = compare_one(spread("-", rest="3"), kind="number").changes

    assert change.new == change.old
    assert change.findings[1] == "'-' probably means a missing value: add it to data.missing_values of the config"


def test_compare_categories_became_other_ones_asks_for_the_coding():
    (change,) = compare_one([0, 1] * (N_ROWS // 2), kind="category", allowed=("m", "f")).changes

    assert change.findings[0].endswith("none of the values allowed so far is left: was the coding changed?")
    assert change.new.allowed == ("m", "f", "0", "1")


def test_compare_many_new_categories_become_a_text():
    (change,) = compare_one([f"name {row}" for row in range(N_ROWS)], kind="category", allowed=("a", "b")).changes

    assert (change.new.kind, change.new.allowed) == ("text", None)


def test_compare_expectations_broken_says_what_is_expected_and_widens_the_broken_side():
    expectations = BatchExpectations(
        max_missing_rate=0.1, mean_between=(0, 1), share_between={"9": (0.5, 0.6), "1": (0.0, 1.0)}
    )
    values = pd.Series([9.0] * 30 + [None] * 10)

    (change,) = compare_one(values, kind="number", nullable=True, expectations=expectations).changes

    assert change.findings == (
        "25.0% of the values are missing, expected at most 10.0%",
        "the mean is 9, expected 0 to 1",
        "100.0% of the values are 9, expected 50.0% to 60.0%",
    )
    assert change.new.expectations == BatchExpectations(
        max_missing_rate=0.25, mean_between=(0, 9), share_between={"9": (0.5, 1.0), "1": (0.0, 1.0)}
    )


def test_compare_target_with_missing_values_allows_none():
    frame = with_target()
    frame.loc[3, "churn"] = None

    (change,) = compare(frame, RawSchema(columns=(TARGET,)), CONFIG).changes

    assert change.new == change.old
    assert "training needs the column" in change.findings[0]


def test_compare_time_of_chronological_split_with_missing_values_allows_none():
    splits = SplitsConfig(strategy="chronological", time_column="x")

    (change,) = compare_one(spread(None, rest=1.0), CONFIG.model_copy(update={"splits": splits}), kind="number").changes

    assert not change.new.nullable


def test_compare_columns_new_gone_renamed_are_told_apart():
    rules = [ColumnRule(name=name, kind="integer") for name in ("fare", "age", "cabin")]
    frame = with_target(Fare=1, level=[1, 2, 3, 4] * 10, age=2, boat=["a", "b"] * (N_ROWS // 2))

    found = compare(frame, RawSchema(columns=(TARGET, *rules)), CONFIG, left_out=["boat"])

    assert found.renamed == {"fare": "Fare"}
    assert found.gone == ("cabin",)
    assert [(column.name, column.rule.kind, column.can_be_feature) for column in found.new] == [
        ("level", "integer", True)
    ]
    assert found.changes == ()


def test_compare_similar_name_with_other_values_is_no_renaming():
    frame = with_target(Fare="cheap")

    found = compare(frame, RawSchema(columns=(TARGET, ColumnRule(name="fare", kind="number"))), CONFIG)

    assert (found.renamed, found.gone, [column.name for column in found.new]) == ({}, ("fare",), ["Fare"])


def test_compare_new_column_that_tells_the_target_is_no_feature():
    rows = 100
    frame = pd.DataFrame({"churn": ["no", "yes"] * (rows // 2), "closed": [0, 1] * (rows // 2)})

    (column,) = compare(frame, RawSchema(columns=(TARGET,)), CONFIG).new

    assert "target" in column.reason_against
    assert not column.can_be_feature


def test_compare_target_gone_is_refused_with_the_nearest_name():
    with pytest.raises(TargetError, match="'churn' is not in the table; did you mean 'churned'"):
        compare(pd.DataFrame({"churned": [1]}), RawSchema(columns=(TARGET,)), CONFIG)


def test_compare_what_no_longer_occurs_is_a_note_and_no_change():
    found = compare_one(["a"] * N_ROWS, kind="category", allowed=("a", "b"), nullable=True)

    assert found.is_empty
    assert found.notes == (("x", "no row has 'b'"), ("x", "nullable, but no value is missing"))


VALUES = st.one_of(
    st.integers(-10_000, 10_000),
    st.floats(-1e6, 1e6, allow_nan=False).map(lambda number: round(number, 3)),
    st.sampled_from(["a", "b", " b ", "A1", "long text of words", "", "NA", "2021-05-17", "17.05.2021", "yes", "007"]),
    st.none(),
    st.booleans(),
)
COLUMNS = st.one_of(
    st.lists(VALUES, min_size=1, max_size=45),
    st.lists(st.integers(-50, 50), min_size=1, max_size=45),
    st.lists(st.one_of(st.floats(-9, 9), st.just(float("nan"))), min_size=30, max_size=45),
    st.lists(st.text(max_size=6), min_size=1, max_size=45),
    st.lists(st.booleans(), min_size=1, max_size=45),
    st.lists(st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2030, 1, 1)), min_size=1, max_size=45),
)
NUMBERS = st.one_of(st.none(), st.integers(-20, 20).map(float))
RATES = st.one_of(st.none(), st.floats(0, 1))
PAIRS = st.one_of(st.none(), st.tuples(st.floats(-5, 0), st.floats(0, 5)))


@st.composite
def rules(draw: st.DrawFn) -> ColumnRule:
    kind = draw(st.sampled_from(["integer", "number", "boolean", "category", "text", "datetime"]))
    numeric, textual = kind in {"integer", "number"}, kind == "text"
    shares = {"a": (0.2, 0.4)} if kind == "category" else {"1": (0.5, 1.0)}
    return ColumnRule(
        name="x",
        kind=kind,
        nullable=draw(st.booleans()),
        unique=draw(st.booleans()),
        minimum=draw(NUMBERS) if numeric else None,
        exclusive_minimum=draw(NUMBERS) if numeric else None,
        maximum=draw(NUMBERS) if numeric else None,
        exclusive_maximum=draw(NUMBERS) if numeric else None,
        earliest=dt.datetime(2000, 1, 1) if kind == "datetime" else None,
        latest=dt.datetime(2010, 1, 1) if kind == "datetime" else None,
        allowed={"category": ("a", "NA"), "integer": draw(st.sampled_from([None, (1, 2)]))}.get(kind),
        pattern=draw(st.sampled_from([None, "[a-z]"])) if textual else None,
        min_length=draw(st.sampled_from([None, 2])) if textual else None,
        max_length=draw(st.sampled_from([None, 4])) if textual else None,
        expectations=BatchExpectations(
            max_missing_rate=draw(RATES),
            mean_between=draw(PAIRS) if numeric else None,
            share_between=draw(st.sampled_from([None, shares])) if kind in {"category", "integer"} else None,
        ),
    )


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(values=COLUMNS, rule=rules(), as_text=st.booleans())
def test_compare_any_column_agrees_with_a_training_before_and_after_the_change(values, rule, as_text):
    texts = ["" if value is None else str(value) for value in values]
    frame = pd.DataFrame({"x": pd.Series(texts if as_text else values, dtype="str" if as_text else object)})
    frame["churn"] = np.where(np.arange(len(frame)) % 2, "yes", "no")
    schema = RawSchema(columns=(rule, TARGET))

    changes = compare(frame, schema, CONFIG).changes

    assert bool(changes) == bool(problems_of(frame, schema))
    by_hand = ("no single kind", "probably means a missing value")
    if changes and not any(words in finding for words in by_hand for finding in changes[0].findings):
        fitting = RawSchema(columns=(changes[0].new, TARGET))
        assert problems_of(frame, fitting) == []
        assert compare(frame, fitting, CONFIG).is_empty


def problems_of(frame: pd.DataFrame, schema: RawSchema) -> list:
    """Return what a training says of a table."""
    try:
        raw = coerce(frame, schema, missing_values=CONFIG.data.missing_values)
    except InvalidDataError as error:
        return list(error.problems)
    return [*check_raw(raw, schema), *check_batch(raw, schema)]
