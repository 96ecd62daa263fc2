import numpy as np
import pytest
from imblearn.pipeline import Pipeline
from sklearn.linear_model import LinearRegression

from ml_project.config import OutlierRemovalConfig, PreprocessingConfig
from ml_project.preprocessing.outliers import drop_outliers
from ml_project.preprocessing.steps import build_preprocessing

METHODS = ("isolation_forest", "elliptic_envelope")


def _drop(X, y, method, *, contamination=0.05, classification=False, seed=0):
    return drop_outliers(
        X, y, method=method, contamination=contamination, classification=classification, seed=seed
    )


@pytest.fixture
def rows():
    rows = np.random.default_rng(0).normal(size=(100, 3))
    rows[[10, 50, 90]] = 40.0
    return rows


@pytest.mark.parametrize("method", METHODS)
def test_drop_outliers_drops_rows_with_their_targets(rows, method):
    before = rows.copy()
    kept, targets = _drop(rows, np.arange(100.0), method, contamination=0.03)
    assert set(range(100)).difference(targets.astype(int).tolist()) == {10, 50, 90}
    np.testing.assert_array_equal(kept, rows[targets.astype(int)])
    np.testing.assert_array_equal(rows, before)


@pytest.mark.parametrize("method", METHODS)
def test_drop_outliers_same_seed_drops_the_same(rows, method):
    one, other = (_drop(rows, np.arange(100), method, contamination=0.3, seed=7)[1] for _ in range(2))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("method", METHODS)
def test_drop_outliers_class_of_outliers_only_is_kept(rows, method):
    y = np.zeros(100, dtype=int)
    y[[10, 50, 90]] = 1
    assert _drop(rows, y, method, contamination=0.03, classification=True)[1].sum() == 3


@pytest.mark.parametrize(
    "X",
    [
        np.zeros((30, 2)),
        np.ones((30, 1)) * np.arange(30)[:, None] * [1.0, 2.0, 3.0],
        np.eye(5)[np.arange(30) % 5],
        np.hstack([np.eye(2)[(np.arange(30) == 3).astype(int)], np.random.default_rng(0).normal(size=(30, 1))]),
        np.random.default_rng(0).normal(size=(5, 20)),
    ],
    ids=["constant", "collinear", "one-hot", "rare-dummy", "more-columns-than-rows"],
)
def test_drop_outliers_elliptic_envelope_singular_data_keeps_most_rows(X):
    kept, _ = _drop(X, np.arange(len(X)), "elliptic_envelope")
    assert len(kept) >= 0.7 * len(X)


def test_drop_outliers_isolation_forest_takes_missing_values(rows):
    rows[0, 0] = np.nan
    assert len(_drop(rows, np.arange(100), "isolation_forest")[0]) == 95


@pytest.mark.parametrize("method", METHODS)
def test_outlier_step_drops_in_training_only(rows, method):
    import pandas as pd

    config = PreprocessingConfig(
        scaling=None, outlier_removal=OutlierRemovalConfig(method=method, contamination=0.03)
    )
    frame = pd.DataFrame(rows, columns=["a", "b", "c"])
    y = rows @ [1.0, 2.0, 3.0]
    y[[10, 50, 90]] = -1e6
    steps = build_preprocessing(config, dict.fromkeys(frame, "number"), task="regression", seed=0)
    predicted = Pipeline([*steps, ("model", LinearRegression())]).fit(frame, y).predict(frame)
    assert predicted.shape == (100,)
    np.testing.assert_allclose(predicted, rows @ [1.0, 2.0, 3.0], rtol=1e-6, atol=1e-9)
