"""A small engineered frame with missing values, a rare category, a constant and an all-null column."""

import numpy as np
import pandas as pd
import pytest

N_ROWS = 60


@pytest.fixture
def kinds():
    return {"age": "number", "fare": "number", "one": "number", "port": "category", "deck": "category"}


@pytest.fixture
def engineered():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"age": rng.normal(30, 10, N_ROWS), "fare": rng.exponential(30, N_ROWS), "one": 1.0})
    frame.loc[::7, "age"] = np.nan
    frame["port"] = pd.Series(rng.choice(["C", "Q", "S", ""], N_ROWS), dtype=object)
    frame["deck"] = pd.Series(["A", "B"] * (N_ROWS // 2 - 1) + ["R1", "R2"], dtype=object)
    return frame


@pytest.fixture
def targets():
    rng = np.random.default_rng(1)
    return {
        "binary": rng.integers(0, 2, N_ROWS),
        "multiclass": np.append(rng.integers(0, 3, N_ROWS - 1), 3),
        "regression": rng.normal(size=N_ROWS),
    }
