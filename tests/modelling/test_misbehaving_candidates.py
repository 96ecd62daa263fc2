"""Candidates of a user's own that cannot be built, end the process or fail alone."""

import os
import sys
from dataclasses import replace

import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from ml_project.errors import ModellingError
from ml_project.modelling.candidates import Candidate
from ml_project.modelling.search import WORKER_DIED
from ml_project.modelling.training import train


class Leaving(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        sys.exit(3)


def build_nothing(settings):
    raise ImportError("no module named 'boosting'")


UNBUILDABLE = Candidate("unbuildable", 3, build_nothing, ())
LEAVING = Candidate("leaving", 3, lambda _: Leaving(), ())


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (UNBUILDABLE, "ModellingError: the model cannot be built: ImportError: no module named 'boosting'"),
        (LEAVING, "SystemExit: 3"),
    ],
    ids=["unbuildable", "leaving"],
)
def test_train_misbehaving_candidate_is_shown_as_failed_and_stops_nothing(candidate, reason, make_config, project):
    config = make_config(modelling={"candidates": (candidate.name, "linear")})
    result = train(config, replace(project, candidates=(*project.candidates, candidate)))
    failed = result.leaderboard.set_index("candidate").loc[candidate.name]
    assert (failed["status"], failed["reason"]) == ("failed", reason)
    assert result.artifact.manifest.name == "linear"


def test_train_all_failed_and_corrected_does_not_go_on_from_the_failures(make_config, project):
    config = make_config(modelling={"candidates": ("unbuildable",)})
    with pytest.raises(ModellingError, match="no module named 'boosting'"):
        train(config, replace(project, candidates=(UNBUILDABLE,)))
    assert list(config.modelling.search_directory.iterdir()) == []
    corrected = replace(project.candidates[0], name="unbuildable")
    assert train(config, replace(project, candidates=(corrected,))).artifact.manifest.name == "unbuildable"


class DyingOnAllRows(LogisticRegression):
    """Ends its process when it is fitted on more rows than a fold's training part has."""

    def fit(self, X, y):
        if len(X) > 900:  # of 1,047 training rows, 837 or 838 are fitted in a fold
            os._exit(1)
        return super().fit(X, y)


DYING_AT_LAST = Candidate("dying_at_last", 3, lambda _: DyingOnAllRows(max_iter=2000, C=0.01), ())
WITHOUT_PROBABILITIES = Candidate("without_probabilities", 3, lambda _: LinearSVC(), ())


def test_train_worker_dying_in_the_last_fit_fails_its_candidate_only(make_config, project):
    config = make_config(
        modelling={"candidates": ("dying_at_last", "linear", "baseline")}, compute={"n_processes": 2}
    )
    result = train(config, replace(project, candidates=(*project.candidates, DYING_AT_LAST)))
    board = result.leaderboard.set_index("candidate")
    assert board.loc["dying_at_last", "reason"] == WORKER_DIED
    assert board.loc[["linear", "baseline"], "status"].tolist() == ["complete", "complete"]
    assert result.artifact.manifest.name == "linear"


def test_train_classifier_without_probabilities_is_shown_as_failed(make_config, project):
    config = make_config(modelling={"candidates": ("without_probabilities", "baseline")})
    result = train(config, replace(project, candidates=(*project.candidates, WITHOUT_PROBABILITIES)))
    board = result.leaderboard.set_index("candidate")
    assert "no predict_proba" in board.loc["without_probabilities", "reason"]
    assert result.artifact.manifest.name == "baseline"
