"""Every ready-made process: on plain values, one row, all-null, no rows, and the conformance check."""

import json

import numpy as np
import pandas as pd
import pytest

from ml_project.errors import FeatureError
from ml_project.feature_engineering.conformance import check_process
from ml_project.feature_engineering.engineered import check_result
from ml_project.feature_engineering.process import all_missing, fit_state
from ml_project.feature_engineering.ready_made import (
    Binning,
    Combination,
    DatePart,
    Difference,
    ElapsedDays,
    GroupStatistic,
    Log,
    MissingIndicator,
    Product,
    Ratio,
    Sum,
    TextLength,
    TextMatch,
    date_parts,
)

NAN = np.nan
COLUMNS = {
    "a": np.array([1.0, -2.0, NAN, 4.0, 0.0]),
    "b": np.array([2.0, 0.0, 1.0, NAN, 5.0]),
    "c": np.array(["x", "y", "x", None, "z"], dtype=object),
    "d": np.array(["u", None, "v", "v", "u"], dtype=object),
    "t": np.array(["1912-04-15T02:20", "NaT", "2024-02-29T23:59", "1969-12-31T12:00", "2023-07-08"], "datetime64[us]"),
    "s": np.array(["1912-04-14T02:20", "2000-01-01", "NaT", "1969-12-31", "2023-07-09"], "datetime64[us]"),
}
EXPECTED = [
    (Sum("f", columns=("a", "b")), [3.0, -2.0, NAN, NAN, 5.0]),
    (Product("f", columns=("a", "b")), [2.0, 0.0, NAN, NAN, 0.0]),
    (Difference("f", minuend="a", subtrahend="b"), [-1.0, -2.0, NAN, NAN, -5.0]),
    (Ratio("f", numerator="a", denominator="b"), [0.5, NAN, NAN, NAN, 0.0]),
    (Log("f", column="a"), [np.log(2), NAN, NAN, np.log(5), 0.0]),
    (MissingIndicator("f", column="c"), [0.0, 0.0, 0.0, 1.0, 0.0]),
    (MissingIndicator("f", column="a"), [0.0, 0.0, 1.0, 0.0, 0.0]),
    (MissingIndicator("f", column="t"), [0.0, 1.0, 0.0, 0.0, 0.0]),
    (Binning("f", column="a", edges=(0, 2)), ["0 to 2", "below 0", None, "2 or more", "0 to 2"]),
    (Binning("f", column="a", edges=(0.5,), kind="number"), [1.0, 0.0, NAN, 1.0, 0.0]),
    (Binning("f", column="a", n_quantiles=2, kind="number"), [1.0, 0.0, NAN, 1.0, 0.0]),
    (GroupStatistic("f", group="c", column="b", statistic="mean"), [1.5, 0.0, 1.5, 2.0, 5.0]),
    (GroupStatistic("f", group="c", column="b", statistic="median"), [1.5, 0.0, 1.5, 1.5, 5.0]),
    (GroupStatistic("f", group="c", column="b", statistic="count"), [2.0, 1.0, 2.0, 0.0, 1.0]),
    (GroupStatistic("f", group="d", column="a", statistic="std"), [0.5, np.std([1, -2, 4, 0]), 0.0, 0.0, 0.5]),
    (DatePart("f", column="t", part="year"), [1912.0, NAN, 2024.0, 1969.0, 2023.0]),
    (DatePart("f", column="t", part="quarter"), [2.0, NAN, 1.0, 4.0, 3.0]),
    (DatePart("f", column="t", part="month"), [4.0, NAN, 2.0, 12.0, 7.0]),
    (DatePart("f", column="t", part="day"), [15.0, NAN, 29.0, 31.0, 8.0]),
    (DatePart("f", column="t", part="day_of_year"), [106.0, NAN, 60.0, 365.0, 189.0]),
    (DatePart("f", column="t", part="day_of_week"), [0.0, NAN, 3.0, 2.0, 5.0]),
    (DatePart("f", column="t", part="is_weekend"), [0.0, NAN, 0.0, 0.0, 1.0]),
    (DatePart("f", column="t", part="hour"), [2.0, NAN, 23.0, 12.0, 0.0]),
    (DatePart("f", column="t", part="minute"), [20.0, NAN, 59.0, 0.0, 0.0]),
    (ElapsedDays("f", until="t", since="s"), [1.0, NAN, NAN, 0.5, -1.0]),
    (ElapsedDays("f", until="t", reference="1970-01-01"), [-21079.9027777778, NAN, 19782.9993055556, -0.5, 19546.0]),
    (TextLength("f", column="c"), [1.0, 1.0, 1.0, NAN, 1.0]),
    (TextMatch("f", column="c", pattern="^[xy]"), [1.0, 1.0, 1.0, NAN, 0.0]),
    (Combination("f", columns=("c", "d")), ["x | u", None, "x | v", None, "z | u"]),
]
ALL = [pytest.param(process, id=f"{type(process).__name__}-{n}") for n, (process, _) in enumerate(EXPECTED)]


@pytest.mark.parametrize(("process", "expected"), EXPECTED)
def test_compute_typical_rows_gives_expected(process, expected):
    result = process.compute(COLUMNS, fit_state(process, COLUMNS))
    check_result(process, result, COLUMNS)
    if process.kind == "category":
        assert result.tolist() == expected
    else:
        np.testing.assert_allclose(result, expected, rtol=1e-12)


@pytest.mark.parametrize("process", ALL)
def test_check_process_ready_made_passes(process):
    check_process(process, COLUMNS | {"target": np.arange(5.0)}, target="target")


@pytest.mark.parametrize("process", ALL)
def test_fit_all_null_and_no_rows_still_computes(process):
    for columns in ({n: all_missing(v) for n, v in COLUMNS.items()}, {n: v[:0] for n, v in COLUMNS.items()}):
        result = process.compute(columns, fit_state(process, columns))
        check_result(process, result, columns)


def test_group_statistic_unseen_group_gives_overall_statistic():
    process = GroupStatistic("f", group="c", column="b")
    state = fit_state(process, COLUMNS)
    unseen = {"c": np.array(["unseen", None], dtype=object), "b": np.array([NAN, NAN])}
    assert process.compute(unseen, state).tolist() == [2.0, 2.0]
    assert json.loads(json.dumps(state)) == state


def test_binning_quantiles_are_those_of_training():
    process = Binning("f", column="a", n_quantiles=4)
    state = process.fit({"a": np.arange(101.0)})
    assert state == {"edges": [25.0, 50.0, 75.0]}
    result = process.compute({"a": np.array([-1e9, 25.0, 1e9])}, state)
    assert result.tolist() == ["below 25", "25 to 50", "75 or more"]


def test_date_parts_names_one_process_per_part():
    assert [process.name for process in date_parts("t", ("year", "hour"))] == ["t_year", "t_hour"]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Sum("f", columns="ab"), "columns='ab'; give a tuple"),
        (lambda: Combination("f", columns=("c",)), "give a tuple of two or more"),
        (lambda: Binning("f", column="a"), "either edges or n_quantiles"),
        (lambda: Binning("f", column="a", edges=(2, 1)), "in increasing order"),
        (lambda: Binning("f", column="a", edges=()), "give at least one"),
        (lambda: Binning("f", column="a", n_quantiles=1), "give at least 2"),
        (lambda: GroupStatistic("f", group="c", column="b", statistic="mode"), "statistic='mode'; choose from mean"),
        (lambda: DatePart("f", column="t", part="years"), "part='years'; did you mean 'year'"),
        (lambda: ElapsedDays("f", until="t"), "either since"),
        (lambda: ElapsedDays("f", until="t", reference="yesterday"), "write it as text like"),
        (lambda: ElapsedDays("f", until="t", reference="NaT"), "write it as text like"),
        (lambda: ElapsedDays("f", until="t", reference=pd.Timestamp("2020-01-31")), "write it as text like"),
        (lambda: TextMatch("f", column="c", pattern="("), r"pattern='\(', no expression"),
    ],
)
def test_ready_made_wrong_parameters_are_refused(build, message):
    with pytest.raises(FeatureError, match=message):
        build()
