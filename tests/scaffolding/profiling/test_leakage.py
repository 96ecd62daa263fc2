"""What gives the target away is found; what is only strong stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from sklearn import datasets
from sklearn.metrics import roc_auc_score

from ml_project.data.target import read_target
from scaffolding.profiling.leakage import Leaks, find_leaks, named_like, to_numbers
from scaffolding.profiling.single_column_power import _area_under_curve, explained_share, separation

N_ROWS = 400
DRAWS = np.random.default_rng(0)
NOISE = DRAWS.normal(size=N_ROWS)
CLASSES = (NOISE + DRAWS.normal(size=N_ROWS) > 0).astype(int)
AMOUNT = DRAWS.gamma(2, size=N_ROWS).round(3)


def _leaks(columns: dict[str, npt.NDArray[Any]], target: Any) -> Leaks:
    read = read_target(pd.DataFrame({"y": target}), "y")
    return find_leaks({name: to_numbers(np.asarray(values)) for name, values in columns.items()}, read, "y")


def _found(columns: dict[str, Any], target: Any) -> dict[str, str]:
    return {one.column: one.reason for one in _leaks({"noise": NOISE, **columns}, target).left_out}


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (3.0 * CLASSES + 1, "has one value for each class"),
        (np.where(CLASSES == 1, "gone", "here").astype(object), "has one value for each class"),
        (np.where(CLASSES == 1, 1.0, np.nan), "has one value for each class"),
        (np.where(CLASSES == 1, 5, -5) + NOISE, "alone tells the target 'y' (area under the ROC curve"),
    ],
)
def test_find_leaks_column_that_tells_the_class_is_left_out(column: Any, reason: str):
    found = _found({"told": column}, CLASSES)

    assert list(found) == ["told"]
    assert found["told"].startswith(reason)


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (AMOUNT, "is a copy"),
        (1.19 * AMOUNT - 3, "alone tells"),
        (AMOUNT**2, "alone tells"),
    ],
)
def test_find_leaks_column_that_tells_the_number_is_left_out(column: Any, reason: str):
    found = _found({"told": column}, AMOUNT)

    assert list(found) == ["told"]
    assert found["told"].startswith(reason)


def test_find_leaks_parts_of_a_sum_are_left_out_with_the_formula():
    casual, registered, back = (DRAWS.integers(0, 50, N_ROWS).astype(float) for _ in range(3))

    found = _found({"casual": casual, "registered": registered, "back": back}, casual + registered - back)

    reason = "is a part of the target: y = casual + registered - back"
    assert found == dict.fromkeys(("casual", "registered", "back"), reason)


def test_find_leaks_honest_linear_relation_stays():
    other = DRAWS.normal(size=N_ROWS)
    assert _found({"other": other}, 2.5 * NOISE + 3.5 * other) == {}


def test_find_leaks_strong_predictors_stay():
    strong = {"class": CLASSES + 0.4 * DRAWS.normal(size=N_ROWS)}
    assert _found(strong, CLASSES) == {}
    assert _found({"number": AMOUNT + 0.02 * DRAWS.normal(size=N_ROWS)}, AMOUNT) == {}


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "iris", "digits", "diabetes"])
def test_find_leaks_known_tables_keep_every_column(name: str):
    frame = getattr(datasets, f"load_{name}")(as_frame=True).frame

    found = _leaks({column: frame[column].to_numpy() for column in frame.columns[:-1]}, frame["target"])

    assert found.left_out == ()
    assert len(found.warnings) <= 1


def test_find_leaks_few_rows_are_no_evidence():
    target = np.array([0, 1] * 20)
    assert find_leaks({"copy": target.astype(float)}, read_target(pd.DataFrame({"y": target}), "y"), "y").left_out == ()


def test_find_leaks_presence_of_a_value_that_tells_is_warned_of():
    boat = np.where((CLASSES == 1) & (DRAWS.random(N_ROWS) < 0.9), DRAWS.integers(1, 20, N_ROWS), np.nan)
    harmless = np.where(DRAWS.random(N_ROWS) < 0.5, NOISE, np.nan)

    found = _leaks({"boat": boat, "harmless": harmless}, CLASSES)

    assert found.left_out == ()
    assert len(found.warnings) == 1
    assert "Column 'boat' may give the target away" in found.warnings[0]
    assert "100.0% have y = 1" in found.warnings[0]


def test_find_leaks_strong_class_predictor_is_warned_of():
    strong = np.where(DRAWS.random(N_ROWS) < 0.01, 1 - CLASSES, CLASSES) * 4 + DRAWS.random(N_ROWS)

    found = _leaks({"strong": strong, "noise": DRAWS.normal(size=N_ROWS), "fair": NOISE}, CLASSES)

    assert found.left_out == ()
    assert len(found.warnings) == 1
    assert found.warnings[0].startswith("Alone strong for 'y', by area under the ROC curve: 'strong' (0.9")
    assert "fair" not in found.warnings[0]


def test_find_leaks_strong_predictors_of_a_number_are_warned_of_five_at_most():
    strong = {name: AMOUNT + 0.1 * (place + 1) * DRAWS.normal(size=N_ROWS) for place, name in enumerate("abcdef")}

    found = _leaks({"noise": NOISE, **strong}, AMOUNT)

    assert found.left_out == ()
    assert len(found.warnings) == 1
    assert found.warnings[0].startswith("Alone strong for 'y', by R²: 'a' (0.9")
    assert "'e' (" in found.warnings[0]
    assert "'f'" not in found.warnings[0]
    assert "and 1 more" in found.warnings[0]


def test_find_leaks_strong_date_is_not_warned_of():
    when = np.arange(N_ROWS)
    season = {"when": when.astype("datetime64[D]").astype("datetime64[us]")}
    target = np.sin(when / 60) + 0.1 * NOISE
    read = read_target(pd.DataFrame({"y": target}), "y")

    arrays = {name: to_numbers(values) for name, values in season.items()}

    assert find_leaks(arrays, read, "y").warnings != ()
    assert find_leaks(arrays, read, "y", dates=("when",)) == Leaks((), ())


@pytest.mark.parametrize(
    ("columns", "target", "found"),
    [
        (["arr_time", "schedArrTime", "month", "day", "hour", "carrier"], "arr_delay", ["arr_time", "schedArrTime"]),
        (["mean radius", "month", "day"], "mean", []),
        (["price_index", "price_level"], "price", []),
        (["no", "x", "z"], "no_y", []),
        (["log_area", "x", "z"], "log_price", []),
    ],
)
def test_named_like_few_columns_that_share_a_word_with_the_target_are_named(
    columns: list[str], target: str, found: list[str]
):
    warnings = named_like(columns, target)

    assert [column for column in columns if any(repr(column) in warning for warning in warnings)] == found


@pytest.mark.parametrize(("share", "is_told"), [(0.99, True), (0.93, False)])
def test_find_leaks_presence_that_tells_less_is_not_warned_of(share: float, is_told: bool):
    target = np.array([0, 1] * (N_ROWS // 2))
    present = np.arange(N_ROWS) < N_ROWS // 2
    told = np.where(DRAWS.random(N_ROWS) < share, 1, 0)
    target = np.where(present, told, target)

    found = _leaks({"boat": np.where(present, NOISE, np.nan)}, target)

    assert any("may give the target away" in warning for warning in found.warnings) == is_told


def test_find_leaks_other_order_of_rows_finds_the_same():
    columns = {"told": np.where(CLASSES == 1, 5, -5) + NOISE, "noise": NOISE}
    order = DRAWS.permutation(N_ROWS)

    shuffled = _leaks({name: values[order] for name, values in columns.items()}, CLASSES[order])

    assert shuffled == _leaks(columns, CLASSES)


def test_separation_noise_is_near_one_half():
    assert separation(NOISE, DRAWS.integers(0, 2, N_ROWS)) == pytest.approx(0.5, abs=0.1)


def test_area_under_curve_equal_scores_is_that_of_the_roc_curve():
    column = DRAWS.integers(0, 9, N_ROWS).astype(float)
    flipped = np.where(DRAWS.random(N_ROWS) < 0.2, column < 5, column >= 5).astype(np.int64)

    assert _area_under_curve(column, flipped) == pytest.approx(roc_auc_score(flipped, column), abs=1e-12)


def test_separation_large_table_looks_at_a_part_of_it():
    column = np.arange(100_000.0)
    assert separation(column, (column > 30_000).astype(np.int64)) > 0.999


def test_explained_share_noise_is_not_explained():
    assert explained_share(NOISE, AMOUNT) < 0.1
