import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from ml_project.preprocessing.reduction import DiscriminantReduction


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    return rng.normal(size=(90, 4)) + y[:, None], y


@pytest.mark.parametrize(("n_components", "expected"), [(None, 2), (1, 1), (2, 2), (9, 2)])
def test_discriminant_reduction_components_are_at_most_classes_less_one(data, n_components, expected):
    reduction = DiscriminantReduction(n_components)
    assert reduction.fit_transform(*data).shape == (90, expected)
    assert len(reduction.get_feature_names_out()) == expected


def test_discriminant_reduction_components_are_at_most_features(data):
    X, y = data
    assert DiscriminantReduction().fit_transform(X[:, :1], y).shape == (90, 1)


def test_discriminant_reduction_equals_linear_discriminant_analysis(data):
    expected = LinearDiscriminantAnalysis().fit(*data).transform(data[0])
    np.testing.assert_allclose(DiscriminantReduction().fit_transform(*data), expected, atol=1e-12)


def test_discriminant_reduction_constant_and_collinear_columns_work(data):
    X, y = data
    X = np.column_stack([X, X[:, 0], np.ones(90)])
    assert np.isfinite(DiscriminantReduction().fit_transform(X, y)).all()


def test_discriminant_reduction_data_is_left_unchanged(data):
    X, y = data
    before = X.copy()
    DiscriminantReduction().fit_transform(X, y)
    np.testing.assert_array_equal(X, before)
