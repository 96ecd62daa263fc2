import pytest

from ml_project.errors import FeatureError
from ml_project.feature_engineering.ready_made import Log
from ml_project.feature_engineering.selection import select_processes

AVAILABLE = (Log("title", column="a"), Log("deck", column="b"))


def test_select_processes_order_is_that_of_names():
    assert [process.name for process in select_processes(AVAILABLE, ["deck", "title"])] == ["deck", "title"]
    assert select_processes(AVAILABLE, []) == ()


def test_select_processes_unknown_names_give_closest():
    with pytest.raises(FeatureError, match=r"(?s)titel: .* did you mean 'title'.*xyz: .*known: 'deck', 'title'"):
        select_processes(AVAILABLE, ["titel", "xyz"])


def test_select_processes_doubled_names_are_refused():
    with pytest.raises(FeatureError, match=r"(?s)deck: several feature processes.*title: is listed more than once"):
        select_processes([*AVAILABLE, Log("deck", column="c")], ["title", "title"])
