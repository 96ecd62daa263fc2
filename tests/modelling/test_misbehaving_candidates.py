"""Candidates of a user's own that cannot be built, end the process or fail alone."""

import sys
from dataclasses import replace

import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from ml_project.errors import ModellingError
from ml_project.modelling.candidates import Candidate
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
