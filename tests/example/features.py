"""The feature processes of the example."""

import re

from ml_project.feature_engineering.process import FeatureProcess
from ml_project.feature_engineering.ready_made import Sum
from ml_project.feature_engineering.row_function import row_feature

GROUPS_OF_TITLES = {
    "Mr": "Mr",
    "Mrs": "Mrs",
    "Mme": "Mrs",
    "Miss": "Miss",
    "Mlle": "Miss",
    "Ms": "Miss",
    "Master": "Master",
    "Capt": "Officer",
    "Col": "Officer",
    "Major": "Officer",
    "Dr": "Officer",
    "Rev": "Officer",
}
"""Titles with too few passengers to learn from, by the group that they join; any other title is "Rare"."""

TITLE = re.compile(r", (?:the )?([^.,]+)\.")

relatives_aboard = Sum("relatives_aboard", columns=("sibsp", "parch"))


@row_feature(inputs=("fare", "sibsp", "parch"), kind="number", missing="propagates")
def fare_per_person(fare: float, sibsp: float, parch: float) -> float:
    """Return the fare divided among the passenger and the relatives aboard, in pounds.

    Examples
    --------
    >>> fare_per_person(30.0, 1, 1)
    10.0
    """
    return fare / (sibsp + parch + 1)


@row_feature(inputs=("name",), kind="category", missing="propagates")
def title(name: str) -> str:
    """Return the title in the name, rare ones grouped by ``GROUPS_OF_TITLES``.

    Examples
    --------
    >>> title("Sagesser, Mlle. Emma")
    'Miss'
    """
    found = TITLE.search(name)
    return "Rare" if found is None else GROUPS_OF_TITLES.get(found[1], "Rare")


@row_feature(inputs=("cabin",), kind="category", missing="propagates")
def deck(cabin: str) -> str:
    """Return the letter of the deck on which the first cabin lies.

    Examples
    --------
    >>> deck("C55 C57")
    'C'
    """
    return cabin[0]


FEATURE_PROCESSES: tuple[FeatureProcess, ...] = (relatives_aboard, fare_per_person, title, deck)
