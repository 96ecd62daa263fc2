"""Rules hold for the table and for tomorrow's rows, and still catch nonsense."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml_project.data.coercion import coerce
from ml_project.data.raw_schema import ColumnRule, RawSchema
from ml_project.validation.expectations import check_batch
from ml_project.validation.frames import check_raw
from ml_project.validation.records import RecordValidator
from scaffolding.profiling.column_profile import profile_column
from scaffolding.profiling.column_rules import infer_rule, infer_schema

MISSING = ("", "NA")


def _rule(values: Any, **options: Any) -> ColumnRule:
    return infer_rule(profile_column(pd.Series(values, name="x"), missing_values=MISSING), **options)


@pytest.mark.parametrize(
    ("values", "minimum", "maximum"),
    [
        ([17, 39, 80], 0, 200),
        ([0.1, 0.9], 0, 1),
        ([0.0, 1.5], 0, 5),
        ([1, 2, 3], 0, 5),
        ([-5.0, 20.0], -50, 50),
        ([-8, -2], -20, 0),
        ([-8, 0], -20, 0),
        ([0, 0], 0, 1),
        ([1013.25, 992.0, 1033.0], 0, 2000),
        ([1e300, 5e299], 0, None),
        ([1.81, 20.5, 37.11], -50, 100),
        ([0.1, 20.5, 37.11], -50, 100),
        ([0.1, 2.5, 37.11], 0, 100),
        ([4, 20, 37], 0, 100),
        ([-37.11, -1.81], -100, 50),
    ],
)
def test_infer_rule_numbers_have_wide_round_bounds(values: list[float], minimum: float, maximum: float | None):
    rule = _rule(values)

    assert (rule.minimum, rule.maximum) == (minimum, maximum)


def test_infer_rule_flags_allow_both_values_only():
    rule = _rule([0, 1] * 30)

    assert (rule.kind, rule.allowed, rule.minimum) == ("integer", (0, 1), None)


def test_infer_rule_places_in_time_counted_from_zero_go_on():
    rule = infer_rule(profile_column(pd.Series([0, 1] * 30, name="yr"), missing_values=MISSING))

    assert (rule.allowed, rule.minimum, rule.maximum) == (None, 0, 2)


@pytest.mark.parametrize(
    ("values", "allowed"),
    [
        (["red", "green"] * 20, ("green", "red")),
        (["red", "green"] * 20 + ["blue"], None),
        (["red", "green"] * 5, None),
        ([f"c{number}" for number in range(21)] * 10, None),
        ([f"c{number}" for number in range(10, 30)] * 10, tuple(f"c{number}" for number in range(10, 30))),
    ],
)
def test_infer_rule_texts_are_categories_only_where_others_are_unlikely(
    values: list[str], allowed: tuple[str, ...] | None
):
    rule = _rule(values)

    assert rule.allowed == allowed
    assert rule.kind == ("category" if allowed else "text")
    assert (rule.max_length is None) == (allowed is not None)


def test_infer_rule_free_text_has_room_and_shows_no_name():
    rule = _rule([f"Miss. Ann Number {number}" for number in range(60)])

    assert (rule.max_length, rule.example) == (50, None)
    assert "Ann" not in str(rule.description)


def test_infer_rule_missing_values_are_allowed_only_where_they_are():
    assert _rule([1, 2]).nullable is False
    rule = _rule(["1", "", "3", "4"] * 25)
    assert rule.nullable is True
    assert rule.expectations.max_missing_rate == 0.38


def test_infer_rule_identifier_is_unique_and_unbounded():
    rule = _rule(range(100), is_id=True)

    assert (rule.unique, rule.minimum, rule.maximum, rule.expectations.mean_between) == (True, None, None, None)


def test_infer_rule_other_unique_column_may_repeat_tomorrow():
    assert _rule(range(100)).unique is False


@pytest.mark.parametrize(
    ("dates", "earliest"),
    [
        (["2011-01-01", "2012-12-31"], dt.datetime(2000, 1, 1)),
        (["1950-06-01", "2010-01-01"], dt.datetime(1900, 1, 1)),
        (["1850-06-01", "2010-01-01"], None),
    ],
)
def test_infer_rule_dates_have_a_wide_earliest_bound(dates: list[str], earliest: dt.datetime | None):
    rule = _rule(dates)

    assert (rule.kind, rule.earliest, rule.latest) == ("datetime", earliest, None)


@pytest.mark.parametrize(
    ("values", "classes", "allowed", "share"),
    [
        (["no"] * 70 + ["yes"] * 30, ("no", "yes"), ("no", "yes"), {"yes": (0.06, 0.69)}),
        ([0] * 999 + [1], (0, 1), (0, 1), {"1": (0.0, 0.02)}),
        ([True] * 50 + [False] * 50, (False, True), None, {"true": (0.15, 0.85)}),
        (["a", "b", "c"], ("a", "b", "c"), ("a", "b", "c"), None),
    ],
)
def test_infer_rule_target_allows_all_its_classes(values: Any, classes: Any, allowed: Any, share: Any):
    profile = profile_column(pd.Series(values, name="x"), missing_values=MISSING, texts_stay=True)

    rule = infer_rule(profile, classes=classes)

    assert rule.allowed == allowed
    assert rule.expectations.share_between == share


@pytest.mark.parametrize("size", [30, 200, 2000])
def test_infer_rule_expected_mean_holds_in_samples(size: int):
    draws = np.random.default_rng(1)
    whole = pd.Series(draws.lognormal(size=20_000), name="x")
    schema = RawSchema(columns=(_rule(whole),))

    problems = [check_batch(whole.sample(size, random_state=seed).to_frame(), schema) for seed in range(50)]

    assert sum(map(bool, problems)) == 0


def _table() -> pd.DataFrame:
    draws = np.random.default_rng(0)
    n_rows = 300
    return pd.DataFrame(
        {
            "id": range(n_rows),
            'a "b"': draws.normal(size=n_rows),
            "größe": draws.integers(0, 9, n_rows),
            "1st": draws.choice(["x", " y", None], n_rows),
            "class": draws.choice([True, False], n_rows),
            "when": pd.date_range("2020-01-01", periods=n_rows).strftime("%Y-%m-%d"),
            "note": [f"note {number}" for number in range(n_rows)],
            "empty": [None] * n_rows,
            "listed": [[1]] * n_rows,
            "y": draws.choice([0.0, 1.0], n_rows),
        }
    )


def _schema(frame: pd.DataFrame) -> RawSchema:
    return infer_schema(frame, target="y", classes=(0, 1), id_column="id", missing_values=MISSING)


def test_infer_schema_every_row_of_the_table_fits():
    frame = _table()

    schema = _schema(frame)

    raw = coerce(frame, schema, missing_values=MISSING)
    assert check_raw(raw, schema) == []
    assert check_batch(raw, schema) == []
    assert schema.names == tuple(name for name in frame.columns if name != "listed")


def test_infer_schema_other_order_of_rows_gives_the_same():
    frame = _table()

    assert _schema(frame.sample(frac=1, random_state=3).reset_index(drop=True)) == _schema(frame)


def test_infer_schema_examples_are_valid_records():
    frame = _table()
    validator = RecordValidator(_schema(frame), missing_values=MISSING)

    validated = validator.validate(validator.example())

    assert validated["note"] == "example"
    assert validated["1st"] in {"x", "y"}
    assert validated["when"] == dt.datetime(2020, 5, 29)


@pytest.mark.parametrize(("column", "value"), [("größe", 1000), ('a "b"', -1e6), ("1st", "z"), ("when", "1066-10-14")])
def test_infer_schema_nonsense_is_caught(column: str, value: Any):
    frame = _table().astype({column: object})
    schema = _schema(frame)

    frame.loc[0, column] = value

    assert check_raw(coerce(frame, schema, missing_values=MISSING), schema)
