import copy
import datetime
import pickle

import cloudpickle
import numpy as np
import pytest

from ml_project.data.distinct import RepeatingTexts
from ml_project.errors import FeatureError
from ml_project.feature_engineering.row_function import row_feature


@row_feature(inputs=("fare", "port"), kind="category", missing="propagates")
def label(fare: float, port: str) -> str:
    """Return port and fare."""
    return f"{port}{fare:.0f}"


@row_feature(inputs=("port",), kind="number", missing="never")
def is_known(port: str | None) -> bool:
    return port is not None


@row_feature(inputs=("born",), kind="number", missing="propagates", name="birth_year")
def year(born: datetime.datetime) -> int:
    return born.year


@row_feature(inputs=("port",), kind="number", missing="propagates")
def wrong_kind(port: str) -> str:
    return port


def _texts(*values):
    return np.array(values, dtype=object)


def test_row_feature_called_is_the_function():
    assert label(7.0, "S") == "S7"
    assert label.__doc__ == "Return port and fare."


def test_row_feature_propagates_does_not_call_function_with_missing():
    columns = {"fare": np.array([1.0, np.nan, 2.0]), "port": _texts("C", "S", None)}
    assert label.compute(columns, {}).tolist() == ["C1", None, None]


def test_row_feature_never_gives_function_the_missing_value():
    result = is_known.compute({"port": _texts("C", None)}, {})
    assert result.tolist() == [1.0, 0.0]
    assert result.dtype == np.float64


def test_row_feature_datetime_comes_as_datetime():
    born = np.array(["1912-04-15", "NaT"], dtype="datetime64[us]")
    np.testing.assert_array_equal(year.compute({"born": born}, {}), [1912.0, np.nan])
    assert year.name == "birth_year"


@pytest.mark.parametrize(("feature", "dtype"), [(label, object), (is_known, np.float64)])
def test_row_feature_no_rows_gives_empty_array(feature, dtype):
    result = feature.compute({"fare": np.empty(0), "port": np.empty(0, dtype=object)}, {})
    assert result.shape == (0,)
    assert result.dtype == dtype


def test_row_feature_text_for_number_says_so():
    with pytest.raises(FeatureError, match="'wrong_kind' is declared as a number, but its function returned 'C'"):
        wrong_kind.compute({"port": _texts(None, "C")}, {})


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ({"inputs": "port"}, r"write inputs=\('port',\)"),
        ({"inputs": ()}, "inputs is empty"),
        ({"kind": "text"}, "kind='text' is unknown"),
        ({"missing": "maybe"}, "missing='maybe' is unknown"),
    ],
)
def test_row_feature_wrong_declaration_is_refused(declaration, message):
    with pytest.raises(FeatureError, match=message):
        row_feature(**{"inputs": ("port",), "kind": "number", "missing": "may", **declaration})


def test_row_feature_copied_and_pickled_stays_itself():
    assert copy.deepcopy(label) is label
    assert pickle.loads(pickle.dumps(label)) is label  # noqa: S301 - own bytes, in memory


def test_row_feature_of_a_notebook_pickles_for_workers():
    local = row_feature(inputs=("port",), kind="category", missing="propagates")(lambda port: port.lower())
    restored = cloudpickle.loads(cloudpickle.dumps(local))
    assert restored.compute({"port": _texts("C")}, {}).tolist() == ["c"]


def test_compute_function_that_raises_names_feature_row_and_values():
    @row_feature(inputs=("fare", "persons"), kind="number", missing="propagates")
    def share(fare: float, persons: float) -> float:
        return fare / persons

    columns = {"fare": np.array([1.0, np.nan, 3.0]), "persons": np.array([2.0, 0.0, 0.0])}
    with pytest.raises(FeatureError, match="'share' raised ZeroDivisionError") as caught:
        share.compute(columns, {})
    assert str(caught.value.problems[0]) == "row 2, share: raised with fare = 3.0, persons = 0.0"


def test_row_feature_of_repeating_texts_is_called_once_for_each_that_occurs():
    calls = []

    @row_feature(inputs=("port",), kind="category", missing="never", name="noted")
    def noted(port: str | None) -> str:
        calls.append(port)
        assert port != "never in a row"
        return f"<{port}>"

    texts = RepeatingTexts.spread(_texts("C", "never in a row", "S", None), np.array([0, 2, -1, 0] * 50))
    expected = ["<C>", "<S>", "<None>", "<C>"] * 50
    assert noted.compute({"port": texts}, {}).tolist() == expected
    assert sorted(map(str, calls)) == ["C", "None", "S"]
    calls.clear()
    assert noted.compute({"port": np.array(texts)}, {}).tolist() == expected
    assert len(calls) == 3


@pytest.mark.parametrize("many", [False, True])
def test_row_feature_of_several_texts_is_the_same_for_few_and_many_rows(many):
    @row_feature(inputs=("port", "deck"), kind="number", missing="propagates", name="both")
    def both(port: str, deck: str) -> int:
        return len(port) + 10 * len(deck)

    columns = {"port": _texts("C", None, "SS", "S"), "deck": _texts("A", "B", "C", None)}
    repeated = {name: np.tile(values, 50 if many else 1) for name, values in columns.items()}
    expected = np.tile([11.0, np.nan, 12.0, np.nan], 50 if many else 1)
    np.testing.assert_array_equal(both.compute(repeated, {}), expected)


def test_row_feature_failing_on_one_of_many_rows_names_the_row():
    columns = {"port": _texts(*["S"] * 100, "", "S")}

    @row_feature(inputs=("port",), kind="category", missing="propagates", name="first")
    def first(port: str) -> str:
        return port[0]

    with pytest.raises(FeatureError, match="raised IndexError") as caught:
        first.compute(columns, {})
    assert [(problem.row, problem.problem) for problem in caught.value.problems] == [(100, "raised with port = ''")]
    codes = np.array([0] * 100 + [1, 0])
    with pytest.raises(FeatureError, match="raised IndexError") as caught:
        first.compute({"port": RepeatingTexts.spread(_texts("S", "", None), codes)}, {})
    assert [problem.row for problem in caught.value.problems] == [100]
