"""Each oddity is told in a sentence, and a table without any has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml_project.errors import ConfigError
from scaffolding.plan import ColumnRoles
from scaffolding.profiling.planning import plan_project
from scaffolding.profiling.table import find_source, read_table

N_ROWS = 400
DRAWS = np.random.default_rng(0)
NOISE = DRAWS.normal(size=N_ROWS)
TARGET = np.where(NOISE + DRAWS.normal(size=N_ROWS) > 0, "yes", "no")


def _warnings(folder: Path, columns: dict[str, Any] | None = None, **roles: Any) -> tuple[str, ...]:
    path = folder / "table.csv"
    pd.DataFrame({"x": NOISE, "y": TARGET, **(columns or {})}).to_csv(path, index=False)
    source = find_source(str(path), target="y")
    words = ColumnRoles("y", **roles)
    plan = plan_project("shop", read_table(source), source, words, data_path="a.csv", committed_data="a.csv")
    return plan.warnings


def test_find_oddities_clean_table_has_none(tmp_path: Path):
    columns = {
        "kind": DRAWS.choice(["a", "b"], N_ROWS),
        "flag": DRAWS.integers(0, 2, N_ROWS),
        "day": DRAWS.permutation(pd.date_range("2020-01-01", periods=N_ROWS)),
        "note": [f"note {number}" for number in range(N_ROWS)],
        "plate": [f"{number} X" for number in range(N_ROWS)],
    }
    assert _warnings(tmp_path, columns) == ()


@pytest.mark.parametrize(
    ("columns", "start"),
    [
        ({"sold": [f"{day % 28 + 1:02}.01.2024" for day in range(N_ROWS)]}, "Column 'sold' seems to hold dates"),
        ({"sold": [f"{day % 28 + 1}/3/24" for day in range(N_ROWS)]}, "Column 'sold' seems to hold dates such as"),
        ({"customer": range(N_ROWS)}, "Column 'customer' was taken for the identifier"),
        ({"day": pd.date_range("2020-01-01", periods=N_ROWS)}, "The rows stand in the order of 'day'"),
        ({"year": np.arange(N_ROWS) // 100}, "The rows seem to stand in the order of time ('year')"),
        ({"y": ["rare"] * 3 + ["usual"] * 397}, "The class 'rare' of the target is rare: 3 of 400 rows."),
        ({"y": ["rare"] * 4 + ["usual"] * 396}, "There are 3 folds, not 5"),
        ({"y": [None, *TARGET[1:]]}, "1 row has no target 'y'"),
        ({"y": [None, None, *TARGET[2:]]}, "2 rows have no target 'y'"),
        ({"y": [f"c{row % 31}" for row in range(N_ROWS)]}, "The target 'y' has 31 classes, which take long to learn."),
        ({"y": DRAWS.choice(["Yes", "yes", "No"], N_ROWS)}, "Classes of the target 'y' differ in case or blanks only"),
        ({"price": [f"${number:,.2f}" for number in NOISE**2 * 900]}, "Numbers with signs are texts here: 'price' ('$"),
        ({"rate": [f"{number % 60} %" for number in range(N_ROWS)]}, "Numbers with signs are texts here: 'rate' ("),
        ({"store_type": DRAWS.integers(1, 9, N_ROWS)}, "Whole numbers named like categories are learned as amounts"),
        ({"x": [*NOISE[:380], *NOISE[:20]], "y": [*TARGET[:380], *TARGET[:20]]}, "20 rows repeat an earlier one"),
        ({"y": DRAWS.choice(["1", "2", "3"], N_ROWS)}, "The 3 different whole numbers"),
    ],
)
def test_find_oddities_oddity_is_told(tmp_path: Path, columns: dict[str, Any], start: str):
    found = _warnings(tmp_path, columns)

    assert any(warning.startswith(start) for warning in found)


@pytest.mark.parametrize(("n_rare", "is_told"), [(7, False), (3, True)])
def test_find_oddities_class_is_rare_below_one_percent(tmp_path: Path, n_rare: int, is_told: bool):
    found = _warnings(tmp_path, {"y": ["rare"] * n_rare + ["usual"] * (N_ROWS - n_rare)})

    assert any("is rare" in warning for warning in found) == is_told


def test_find_oddities_few_dates_among_texts_are_not_told(tmp_path: Path):
    texts = [f"{day % 28 + 1}.1.2024" if day % 28 < 25 else f"never {day % 28}" for day in range(N_ROWS)]

    assert not any("dates" in warning for warning in _warnings(tmp_path, {"sold": texts}))


def test_find_oddities_one_repeated_row_may_be_chance(tmp_path: Path):
    assert _warnings(tmp_path, {"x": [*NOISE[1:], NOISE[1]], "y": [*TARGET[1:], TARGET[1]]}) == ()


def test_find_oddities_categories_repeat_by_chance(tmp_path: Path):
    columns = {"x": DRAWS.choice(["a", "b"], N_ROWS), "z": DRAWS.choice([1, 2, 3], N_ROWS)}

    assert _warnings(tmp_path, columns) == ()


def test_find_oddities_identifier_of_the_user_that_repeats_is_told(tmp_path: Path):
    found = _warnings(tmp_path, {"customer": np.arange(N_ROWS) // 2}, id="customer")

    assert found == ("The identifier 'customer' has missing or repeated values.",)


def test_plan_project_nothing_left_names_the_identifier(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"(?s)No column is left.*x: is the identifier of a row.*y: is the target"):
        _warnings(tmp_path, {"x": range(N_ROWS)})
