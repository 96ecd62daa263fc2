"""The searches of several candidates over a pool of workers."""

import pytest

from ml_project.modelling.candidate_search import CandidateSearch, SearchSettings
from ml_project.modelling.candidates import FitSettings
from ml_project.modelling.fit_pool import fit_pool
from ml_project.modelling.journal import search_journal
from ml_project.modelling.search import WORKER_DIED, run_searches
from tests.modelling.conftest import DYING, FAILING, OTHER_TREE, TREE

SETTINGS = SearchSettings(metric="roc_auc", n_trials=9, n_folds=4, n_parallel_trials=2, seed=3)
FIT = FitSettings("binary")


def open_searches(candidates, settings=SETTINGS, open_study=lambda _: None):
    return [
        CandidateSearch(
            candidate,
            candidate.search_space,
            lambda parameters, candidate=candidate: candidate.build(FIT).set_params(**parameters),
            settings,
            open_study(candidate.name),
        )
        for candidate in candidates
    ]


def run(candidates, data, n_processes=1, settings=SETTINGS, **keywords):
    searches = open_searches(candidates, settings, **keywords)
    with fit_pool(data, n_processes) as pool:
        run_searches(searches, pool)
    return searches


def outcome(searches):
    return [
        (search.candidate.name, trial.number, dict(trial.parameters), trial.state, trial.scores("roc_auc"))
        for search in searches
        for trial in search.trials
    ]


def test_run_searches_result_does_not_depend_on_number_of_processes(training_data):
    one = run([TREE, OTHER_TREE], training_data)
    assert outcome(run([TREE, OTHER_TREE], training_data, n_processes=2)) == outcome(one)
    assert [len(search.trials) for search in one] == [9, 9]
    assert one[0].trials[0].parameters == {"max_depth": 3, "ccp_alpha": 1e-4}  # the defaults come first


def test_run_searches_other_seed_gives_other_trials(training_data):
    other = SearchSettings(metric="roc_auc", n_trials=9, n_folds=4, seed=4)
    assert outcome(run([TREE], training_data, settings=other)) != outcome(run([TREE], training_data))


def test_run_searches_pruned_trial_is_below_median_and_never_best(training_data):
    search = run([TREE], training_data)[0]
    pruned = [trial for trial in search.trials if trial.state == "pruned"]
    assert pruned
    assert all(trial.n_folds_done < 4 for trial in pruned)
    assert search.best.state == "complete"
    settings = SearchSettings(metric="roc_auc", n_trials=9, n_folds=4, seed=3, prune=False)
    assert {trial.state for trial in run([TREE], training_data, settings=settings)[0].trials} == {"complete"}


def test_run_searches_failing_candidate_leaves_others_alone(training_data):
    failing, tree = run([FAILING, TREE], training_data)
    assert failing.best is None
    assert failing.trials[0].reason == "ValueError: this data is too hard"
    assert outcome([tree]) == outcome(run([TREE], training_data))


def test_run_searches_worker_that_dies_fails_its_candidate_only(training_data):
    dying, tree = run([DYING, TREE], training_data, n_processes=2)
    assert dying.best is None
    assert dying.trials[0].reason == WORKER_DIED
    assert outcome([tree]) == outcome(run([TREE], training_data))


def test_run_searches_time_budget_over_no_new_trial_starts(training_data):
    settings = SearchSettings(metric="roc_auc", n_trials=50, n_folds=4, time_budget_seconds=1e-9)
    search = run([TREE], training_data, settings=settings)[0]
    assert len(search.trials) == settings.n_parallel_trials
    assert search.is_finished


@pytest.mark.parametrize("n_folds_before", [1, 5, 15, 30])
def test_run_searches_interrupted_search_goes_on_to_the_same_result(tmp_path, training_data, n_folds_before):
    folds = []

    def interrupt(search):
        folds.append(search)
        if len(folds) > n_folds_before:
            raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        search_journal(tmp_path, "same") as open_study,
        fit_pool(training_data, 1) as pool,
    ):
        run_searches(open_searches([TREE, OTHER_TREE], open_study=open_study), pool, interrupt)

    with search_journal(tmp_path, "same") as open_study:
        searches = run([TREE, OTHER_TREE], training_data, open_study=open_study)
    assert outcome(searches) == outcome(run([TREE, OTHER_TREE], training_data))
    assert (sum(search.n_resumed for search in searches) > 0) == (n_folds_before > 9)
    assert list(tmp_path.iterdir()) == []  # a complete search leaves no journal


def test_search_journal_second_run_at_once_goes_without(tmp_path, training_data, caplog):
    with search_journal(tmp_path, "same") as first, search_journal(tmp_path, "same") as second:
        assert first("tree") is not None
        assert second("tree") is None
    assert "under way in another process" in caplog.text
