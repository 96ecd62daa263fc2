"""The leaderboard and the rule that picks the winner."""

from dataclasses import replace

import pytest

from ml_project.errors import ModellingError
from ml_project.modelling.candidate_search import CandidateSearch, SearchSettings
from ml_project.modelling.fitting import FinalFit, FoldResult
from ml_project.modelling.leaderboard import Entry, choose_winner, to_frame
from ml_project.modelling.leaderboard_views import display_table, print_leaderboard, ranking_words
from tests.modelling.conftest import FAILING, OTHER_TREE, TREE


def make_entry(candidate, scores, complexity=None, failure=None):
    candidate = candidate if complexity is None else replace(candidate, complexity=complexity)
    settings = SearchSettings(metric="roc_auc", n_trials=1, n_folds=len(scores) or 1)
    search = CandidateSearch(candidate, candidate.search_space, lambda _: None, settings)
    (job,) = search.start()
    if failure:
        search.receive(job, FoldResult({}, 0.1, failure))
    for score in scores:
        search.receive(job, FoldResult({"roc_auc": score, "accuracy": score / 2}, 0.1))
    return Entry(search, ("roc_auc", "accuracy"), FinalFit(None, 1.0, 0.5, 2048))


def test_choose_winner_best_mean_takes_highest():
    low, high = make_entry(TREE, [0.7, 0.8]), make_entry(OTHER_TREE, [0.8, 0.9])
    assert choose_winner([low, high], "best_mean") is high


def test_choose_winner_one_standard_error_takes_simplest_within_reach():
    simple, best = make_entry(TREE, [0.78, 0.86]), make_entry(OTHER_TREE, [0.80, 0.90])
    assert best.standard_error == pytest.approx(0.05)
    assert choose_winner([simple, best], "one_standard_error") is simple
    far = make_entry(TREE, [0.70, 0.79])
    assert choose_winner([far, best], "one_standard_error") is best


def test_choose_winner_all_failed_lists_every_reason():
    entries = [make_entry(FAILING, [], failure="ValueError: no"), make_entry(TREE, [], failure="MemoryError: big")]
    with pytest.raises(ModellingError, match="Every candidate failed") as caught:
        choose_winner(entries, "best_mean")
    assert "failing: ValueError: no" in str(caught.value)
    assert "tree: MemoryError: big" in str(caught.value)


def test_to_frame_orders_by_mean_and_puts_failed_last():
    entries = [
        make_entry(FAILING, [], failure="ValueError: no"),
        make_entry(TREE, [0.7, 0.8]),
        make_entry(OTHER_TREE, [0.9, 0.8]),
    ]
    frame = to_frame(entries, entries[2])
    assert frame["candidate"].tolist() == ["other_tree", "tree", "failing"]
    assert frame["selected"].tolist() == [True, False, False]
    assert frame["mean"].iloc[:2].tolist() == pytest.approx([0.85, 0.75])
    assert frame["std"].iloc[0] == pytest.approx(0.0707, abs=1e-4)
    assert frame["accuracy_mean"].iloc[0] == pytest.approx(0.425)
    assert frame["artifact_kilobytes"].iloc[0] == 2
    assert frame[["status", "reason"]].iloc[2].tolist() == ["failed", "ValueError: no"]


def test_print_leaderboard_shows_failure_and_selection(capsys):
    entries = [make_entry(FAILING, [], failure="ValueError: no"), make_entry(TREE, [0.7, 0.8])]
    print_leaderboard(to_frame(entries, entries[1]))
    shown = capsys.readouterr().out
    assert "0.7500" in shown
    assert "selected" in shown
    assert "failed: ValueError: no" in shown


def test_display_table_losses_are_positive_and_less_is_better():
    entry = make_entry(TREE, [-0.7, -0.8])
    frame = to_frame([entry], entry).assign(metric="neg_log_loss")
    assert ranking_words(frame) == "log_loss, less is better"
    assert display_table(frame)["mean"].tolist() == ["0.7500"]
