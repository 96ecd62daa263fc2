"""Tests of ml_project.tracking.registration."""

import re

import pytest

from ml_project.tracking.registration import becomes_champion, to_tags
from tests.tracking.conftest import make_score


@pytest.mark.parametrize(
    ("rule", "champion", "expected", "reason"),
    [
        ("never", None, False, "champion_rule is never"),
        ("first", None, True, "no champion yet"),
        ("better", None, True, "no champion yet"),
        ("first", make_score(0.1), False, "there is a champion already"),
        ("better", make_score(0.7), True, "roc_auc 0.8 on the holdout is better than the champion's 0.7"),
        ("better", make_score(0.8), False, "is not better than the champion's 0.8"),
        ("better", make_score(0.7, data_fingerprint="x"), False, "on other data, so the scores cannot"),
        ("better", make_score(0.7, holdout_fingerprint="x"), False, "evaluated on another holdout"),
        ("better", make_score(0.7, metric="accuracy"), False, r"another metric.*'accuracy', here 'roc_auc'"),
        ("better", make_score(float("nan")), False, "is not better"),
    ],
)
def test_becomes_champion_rule_decides(rule, champion, expected, reason) -> None:
    tags = None if champion is None else to_tags(champion)
    wins, why = becomes_champion(make_score(0.8), tags, rule)
    assert wins is expected
    assert re.search(reason, why)


def test_becomes_champion_lower_is_better_follows_the_direction() -> None:
    new = make_score(0.3, metric="rmse", greater_is_better=False)
    wins, why = becomes_champion(new, to_tags(make_score(0.4, metric="rmse", greater_is_better=False)), "better")
    assert wins
    assert "rmse 0.3 on the holdout is better than the champion's 0.4" in why


def test_becomes_champion_champion_without_tags_is_not_compared() -> None:
    wins, why = becomes_champion(make_score(0.8), {}, "better")
    assert not wins
    assert "cannot be compared" in why
