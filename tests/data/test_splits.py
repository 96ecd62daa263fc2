from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from ml_project.config import SplitsConfig
from ml_project.data.splits import holdout_split, make_folds
from ml_project.errors import ConfigError, InvalidDataError, TargetError

N_ROWS = 100


@pytest.fixture(scope="module")
def raw():
    generator = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "family": generator.integers(0, 30, N_ROWS).astype(str),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(generator.integers(0, 40, N_ROWS), unit="D"),
            "value": generator.normal(size=N_ROWS),
        }
    )


@pytest.fixture(scope="module")
def target():
    return pd.Series(np.where(np.arange(N_ROWS) % 4 == 0, "yes", "no"), name="churn")


CONFIGS = {
    "random": SplitsConfig(strategy="random"),
    "stratified": SplitsConfig(strategy="stratified"),
    "grouped": SplitsConfig(strategy="grouped", group_column="family"),
    "chronological": SplitsConfig(strategy="chronological", time_column="day"),
}


def with_(config, **fields):
    return config.model_copy(update=fields)


def given_target(task, raw, target):
    return raw["value"].to_numpy() if task == "regression" else target


@pytest.mark.parametrize("task", ["binary", "regression"])
@pytest.mark.parametrize("strategy", CONFIGS)
@pytest.mark.parametrize("share", [0.05, 0.2, 0.33, 0.7])
def test_holdout_split_any_strategy_deals_every_row_once(raw, target, strategy, task, share):
    config, y = with_(CONFIGS[strategy], holdout_share=share), given_target(task, raw, target)
    train, holdout = holdout_split(raw, y, config, task=task, seed=1)
    assert train.dtype == holdout.dtype == np.intp
    assert sorted([*train, *holdout]) == list(range(N_ROWS))
    assert len(holdout) == pytest.approx(share * N_ROWS, abs=15 if strategy == "grouped" else 3)


@pytest.mark.parametrize("task", ["binary", "regression"])
@pytest.mark.parametrize("strategy", ["random", "stratified", "grouped"])
def test_make_folds_repeated_validates_every_row_once_per_repeat(raw, target, strategy, task):
    config, y = with_(CONFIGS[strategy], n_folds=4, n_repeats=3), given_target(task, raw, target)
    folds = make_folds(raw, y, config, task=task, seed=1)
    assert len(folds) == 12
    for repeat in range(3):
        validated = np.concatenate([validation for _, validation in folds[4 * repeat : 4 * repeat + 4]])
        assert sorted(validated) == list(range(N_ROWS))
    for train, validation in folds:
        assert train.dtype == np.intp
        assert sorted([*train, *validation]) == list(range(N_ROWS))
    assert folds[0][1].tolist() != folds[4][1].tolist()


@pytest.mark.parametrize("strategy", CONFIGS)
def test_splits_same_seed_are_equal_and_other_seed_differs(raw, target, strategy):
    def deal(seed):
        both = [
            holdout_split(raw, target, CONFIGS[strategy], task="binary", seed=seed),
            *make_folds(raw, target, CONFIGS[strategy], task="binary", seed=seed),
        ]
        return [(train.tolist(), rest.tolist()) for train, rest in both]

    assert deal(2**32 - 1) == deal(2**32 - 1)
    assert (deal(1) == deal(2)) == (strategy == "chronological")


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_grouped_any_task_keeps_groups_whole(raw, target, task):
    y = given_target(task, raw, target)
    splits = [holdout_split(raw, y, CONFIGS["grouped"], task=task, seed=3)]
    splits += make_folds(raw, y, with_(CONFIGS["grouped"], n_repeats=2), task=task, seed=3)
    for train, rest in splits:
        assert not set(raw["family"].iloc[train]) & set(raw["family"].iloc[rest])


def test_stratified_classes_keeps_their_shares(raw, target):
    splits = [holdout_split(raw, target, CONFIGS["stratified"], task="binary", seed=3)]
    splits += make_folds(raw, target, CONFIGS["stratified"], task="binary", seed=3)
    assert all((target.iloc[rest] == "yes").sum() == 5 for _, rest in splits)


def test_stratified_regression_is_random(raw):
    y = raw["value"].to_numpy()
    for deal in (
        lambda c: [holdout_split(raw, y, c, task="regression", seed=3)],
        lambda c: make_folds(raw, y, c, task="regression", seed=3),
    ):
        pairs = zip(deal(CONFIGS["stratified"]), deal(CONFIGS["random"]), strict=True)
        assert all(np.array_equal(one[1], other[1]) for one, other in pairs)


def test_stratified_holdout_two_rows_per_class_has_each_on_both_sides():
    y = np.array(["a", "a", "b", "b", "c", "c"])
    config = with_(CONFIGS["stratified"], holdout_share=0.1)
    train, holdout = holdout_split(pd.DataFrame(index=range(6)), y, config, task="multiclass", seed=0)
    assert set(y[train]) == set(y[holdout]) == {"a", "b", "c"}


def test_chronological_holdout_is_strictly_later(raw, target):
    train, holdout = holdout_split(raw, target, CONFIGS["chronological"], task="binary", seed=0)
    assert raw["day"].iloc[train].max() < raw["day"].iloc[holdout].min()


def test_chronological_holdout_shared_times_are_not_cut():
    raw = pd.DataFrame({"year": [1, 1, 2, 2, 2, 2, 2, 3]})
    config = SplitsConfig(strategy="chronological", time_column="year", holdout_share=0.2)
    train, holdout = holdout_split(raw, np.arange(8.0), config, task="regression", seed=0)
    assert (train.tolist(), holdout.tolist()) == ([0, 1, 2, 3, 4, 5, 6], [7])


def test_chronological_folds_grow_and_validate_later_rows(raw, target):
    shuffled = raw.sample(frac=1, random_state=0)
    folds = make_folds(shuffled, target.loc[shuffled.index], CONFIGS["chronological"], task="binary", seed=0)
    days = shuffled["day"]
    assert len(folds) == 5
    assert all(days.iloc[train].max() < days.iloc[validation].min() for train, validation in folds)
    assert all(set(earlier[0]) < set(later[0]) for earlier, later in pairwise(folds))
    assert set(folds[-1][0]) | set(folds[-1][1]) == set(range(N_ROWS))


def test_splits_leave_their_arguments_unchanged(raw, target):
    raw_before, target_before = raw.copy(), target.copy()
    for config in CONFIGS.values():
        make_folds(raw, target, config, task="binary", seed=0)
    pd.testing.assert_frame_equal(raw, raw_before)
    pd.testing.assert_series_equal(target, target_before)


@pytest.mark.parametrize("strategy", ["random", "stratified", "grouped"])
def test_make_folds_rare_class_is_named(raw, target, strategy):
    rare = target.where(target.index > 2, "maybe")
    with pytest.raises(
        TargetError, match=r"(?s)'churn'.*5 folds.*Use fewer folds, merge.*or drop.*class 'maybe' has 3 rows"
    ):
        make_folds(raw, rare, CONFIGS[strategy], task="multiclass", seed=0)


def test_holdout_split_class_of_one_row_is_named(raw, target):
    with pytest.raises(TargetError, match=r"class 'maybe' has 1 rows"):
        holdout_split(raw, target.where(target.index > 0, "maybe"), CONFIGS["stratified"], task="multiclass", seed=0)


@pytest.mark.parametrize("strategy", CONFIGS)
def test_splits_too_few_rows_are_refused(raw, target, strategy):
    with pytest.raises(TargetError, match=r"3 rows are too few for 5 folds \(splits.n_folds\)"):
        make_folds(raw.head(3), target.head(3), CONFIGS[strategy], task="binary", seed=0)
    for n_rows in (0, 1):
        with pytest.raises(TargetError, match=rf"{n_rows} rows are too few for a holdout"):
            holdout_split(raw.head(n_rows), target.head(n_rows), CONFIGS[strategy], task="binary", seed=0)


def test_splits_missing_label_is_refused(raw, target):
    holed = target.where(target.index != 7)
    with pytest.raises(TargetError, match=r"row 7: the target is missing"):
        make_folds(raw, holed, CONFIGS["stratified"], task="binary", seed=0)


def test_make_folds_one_class_in_early_rows_is_refused(raw):
    y = np.where(raw["day"] > raw["day"].quantile(0.8), "late", "early")
    with pytest.raises(TargetError, match=r"fold 1 trains on .* rows of the one class 'early'"):
        make_folds(raw, y, CONFIGS["chronological"], task="binary", seed=0)


@pytest.mark.parametrize(("strategy", "field"), [("grouped", "group_column"), ("chronological", "time_column")])
def test_splits_absent_column_names_a_near_one(raw, target, strategy, field):
    column = getattr(CONFIGS[strategy], field)
    config = with_(CONFIGS[strategy], **{field: f"{column} "})
    for deal in (holdout_split, make_folds):
        with pytest.raises(ConfigError, match=rf"splits.{field} is '{column} '.*did you mean '{column}'"):
            deal(raw, target, config, task="binary", seed=0)


@pytest.mark.parametrize(("strategy", "field"), [("grouped", "group_column"), ("chronological", "time_column")])
def test_splits_column_with_missing_values_is_refused(raw, target, strategy, field):
    column = getattr(CONFIGS[strategy], field)
    holed = raw.assign(**{column: raw[column].where(raw.index % 10 != 3)})
    for deal in (holdout_split, make_folds):
        with pytest.raises(InvalidDataError, match=rf"missing in 10 of 100 rows(?s:.*)row 3, {column}"):
            deal(holed, target, CONFIGS[strategy], task="binary", seed=0)


@pytest.mark.parametrize(("strategy", "column"), [("grouped", "family"), ("chronological", "day")])
def test_splits_column_with_too_few_values_is_refused(raw, target, strategy, column):
    coarse = raw.assign(**{column: raw[column].iloc[0]})
    for deal in (holdout_split, make_folds):
        with pytest.raises(InvalidDataError, match=rf"'{column}' has 1 different values"):
            deal(coarse, target, CONFIGS[strategy], task="binary", seed=0)


def test_splits_text_as_time_is_refused(raw, target):
    texts = raw.assign(day=raw["day"].dt.strftime("%d.%m.%Y"))
    with pytest.raises(InvalidDataError, match=r"'day' holds str such as .*declare it as a date or number"):
        holdout_split(texts, target, CONFIGS["chronological"], task="binary", seed=0)


def test_grouped_classes_bound_to_groups_still_deals(raw):
    y = np.where(raw["family"].astype(int) < 3, "few", "many")
    config = with_(CONFIGS["grouped"], n_folds=2)
    train, holdout = holdout_split(raw, y, config, task="binary", seed=0)
    assert len(train) + len(holdout) == N_ROWS
    assert len(make_folds(raw, y, config, task="binary", seed=0)) == 2
