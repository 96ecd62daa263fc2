"""A small classification problem and estimators that go wrong on purpose."""

import os

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.model_selection import StratifiedKFold
from sklearn.tree import DecisionTreeClassifier

from ml_project.modelling.candidates import Candidate
from ml_project.modelling.fitting import TrainingData
from ml_project.modelling.search_space import Real, Whole


@pytest.fixture(scope="session")
def training_data():
    features, target = make_classification(300, 6, n_informative=3, flip_y=0.2, random_state=1)
    folds = list(StratifiedKFold(4, shuffle=True, random_state=1).split(features, target))
    return TrainingData(pd.DataFrame(features).add_prefix("x"), target, folds, ("roc_auc", "accuracy"))


class Failing(ClassifierMixin, BaseEstimator):
    """Cannot be fitted."""

    def fit(self, X, y):
        raise ValueError("this data\nis too hard")


class Dying(ClassifierMixin, BaseEstimator):
    """Ends its process, as a crash in native code does."""

    def fit(self, X, y):
        os._exit(1)


class Constant(ClassifierMixin, BaseEstimator):
    """Gives a score that is no number."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((len(X), 2), np.nan)


def build_tree(settings):
    return DecisionTreeClassifier(random_state=settings.seed)


def build_failing(settings):
    return Failing()


def build_dying(settings):
    return Dying()


TREE = Candidate(
    "tree", 3, build_tree, (Whole("max_depth", 1, 12, default=3), Real("ccp_alpha", 1e-6, 1e-1, default=1e-4, log=True))
)
OTHER_TREE = Candidate("other_tree", 4, build_tree, (Whole("min_samples_leaf", 1, 64, default=8, log=True),))
FAILING = Candidate("failing", 1, build_failing)
DYING = Candidate("dying", 9, build_dying)
