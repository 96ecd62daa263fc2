"""Repeated values of unique columns, whatever their order and kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_project.data.coercion import ConvertedColumn
from ml_project.data.columns import to_array
from ml_project.data.raw_schema import ColumnRule, RawSchema
from ml_project.prediction import batch_keys
from ml_project.prediction.batch_keys import ChunkKeys, collect_keys, find_repeated
from ml_project.validation.expectations import check_batch

RANDOM = np.random.default_rng(0)
WHOLE = pd.Series(RANDOM.integers(0, 3000, 2000), name="x")
COLUMNS = {
    "integer": (WHOLE, "integer"),
    "integer with missing": (WHOLE.astype(float).mask(WHOLE % 7 == 0), "integer"),
    "number": (pd.Series(RANDOM.integers(-9, 900, 2000) / 8, name="x"), "number"),
    "text": (WHOLE.astype(str) + "äö", "text"),
    "long text": (WHOLE.astype(str) * 30, "text"),
    "text with missing": (WHOLE.astype(str).mask(WHOLE % 7 == 0).astype("str"), "text"),
    "datetime": (pd.Timestamp("2020-01-01") + pd.to_timedelta(WHOLE, unit="min"), "datetime"),
    "few": (WHOLE % 3, "integer"),
    "ascending": (pd.Series(range(100, 2100), name="x"), "integer"),
    "ascending twice": (pd.Series([*range(1000), *range(1000)], name="x"), "integer"),
    "descending": (pd.Series(range(2000, 0, -1), name="x"), "integer"),
    "ascending with gaps": (pd.Series(range(0, 6000, 3), name="x"), "integer"),
}


def found_in_chunks(values: pd.Series, rule: ColumnRule, folder: Path, n_rows: int) -> list:
    chunks = []
    for start in range(0, len(values), n_rows):
        array = to_array(values.iloc[start : start + n_rows], rule.kind)
        key_range, kept = collect_keys(ConvertedColumn(array, None, {}), start + np.arange(len(array)), rule.kind)
        if kept is not None:
            np.save(folder / f"{start}.npy", kept)
        chunks.append(ChunkKeys(key_range, folder / f"{start}.npy"))
    return find_repeated(chunks, rule)


@pytest.mark.parametrize("keys_at_once", [10**6, 100])
@pytest.mark.parametrize(("values", "kind"), COLUMNS.values(), ids=COLUMNS)
def test_find_repeated_in_chunks_finds_what_a_look_at_all_finds(values, kind, keys_at_once, tmp_path, monkeypatch):
    monkeypatch.setattr(batch_keys, "KEYS_AT_ONCE", keys_at_once)
    monkeypatch.setattr(batch_keys, "_KEYS_PER_SAMPLE", 10)
    rule = ColumnRule(name="x", kind=kind, unique=True, nullable=True)
    raw = values.rename("x").to_frame()
    expected = [(problem.row, problem.problem) for problem in check_batch(raw, RawSchema(columns=(rule,)))]
    found = found_in_chunks(values, rule, tmp_path, 300)
    assert [(problem.row, problem.problem) for problem in found] == expected
    if kind != "text":
        assert [str(problem.value)[:16] for problem in found] == [
            str(raw["x"].iloc[problem.row]).replace(" ", "T")[:16].removesuffix(".0")
            if kind != "number"
            else str(raw["x"].iloc[problem.row])
            for problem in found
        ]


def test_collect_keys_of_ascending_numbers_keeps_nothing():
    numbers = ConvertedColumn(np.arange(5.0, 9.0), None, {})
    key_range, kept = collect_keys(numbers, np.arange(100, 104), "integer")
    assert (key_range.low, key_range.high, key_range.first_row) == (5, 8, 100)
    assert kept is None
