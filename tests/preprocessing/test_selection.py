import numpy as np
import pytest
from sklearn.base import clone

from ml_project.preprocessing.selection import ForwardSelection


@pytest.fixture
def rows():
    return np.random.default_rng(0).normal(size=(80, 6))


@pytest.mark.parametrize(("share", "n_kept"), [(0.01, 1), (0.34, 2), (0.5, 3), (1.0, 6)])
def test_forward_selection_share_gives_that_many_columns(rows, share, n_kept):
    assert ForwardSelection(share=share).fit_transform(rows, rows[:, 0]).shape == (80, n_kept)


def test_forward_selection_regression_finds_informative_columns(rows):
    selection = ForwardSelection(share=0.34).fit(rows, 3 * rows[:, 1] - rows[:, 4])
    assert np.flatnonzero(selection.support_).tolist() == [1, 4]


def test_forward_selection_classes_finds_informative_columns_even_with_a_rare_class(rows):
    y = (rows[:, 2] > 0).astype(int)
    y[0] = 2
    selection = ForwardSelection(share=0.17, classification=True).fit(rows, y)
    assert np.flatnonzero(selection.support_).tolist() == [2]


def test_forward_selection_constant_columns_are_never_chosen(rows):
    rows[:, [0, 3]] = 1.0
    assert ForwardSelection(share=1.0).fit(rows, rows[:, 1]).get_support(indices=True).tolist() == [1, 2, 4, 5]


def test_forward_selection_only_constant_columns_keeps_one():
    assert ForwardSelection().fit(np.ones((10, 3)), np.arange(10.0)).support_.tolist() == [True, False, False]


def test_forward_selection_one_column_keeps_it(rows):
    assert clone(ForwardSelection()).fit(rows[:, :1], rows[:, 0]).support_.tolist() == [True]
