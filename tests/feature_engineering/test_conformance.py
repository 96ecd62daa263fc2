"""A deliberately broken process for each promise."""

import itertools

import numpy as np
import pytest

from ml_project.errors import FeatureError
from ml_project.feature_engineering.conformance import check_process, check_processes
from ml_project.feature_engineering.process import FeatureProcess
from ml_project.feature_engineering.ready_made import Sum
from ml_project.feature_engineering.row_function import row_feature

SAMPLE = {
    "age": np.array([4.0, 30.0, np.nan, 50.0, 20.0]),
    "fare": np.array([1.0, 2.0, 3.0, 4.0, 6.0]),
    "port": np.array(["C", "S", None, "S", "Q"], dtype=object),
    "survived": np.array([1.0, 0.0, 1.0, 0.0, 0.0]),
}


class Correct(FeatureProcess):
    name, inputs, kind, missing = "feature", ("age",), "number", "propagates"

    def compute(self, columns, state):
        return columns["age"] * 1.0


class BatchMean(Correct):
    def compute(self, columns, state):
        return columns["age"] - np.nan_to_num(columns["age"]).sum()


class PreviousRow(Correct):
    missing = "may"

    def compute(self, columns, state):
        return np.roll(columns["age"], 1)


class ChangesInput(Correct):
    def compute(self, columns, state):
        columns["age"][columns["age"] > 40] = 40.0
        return columns["age"].copy()


class Undeclared(Correct):
    def compute(self, columns, state):
        return columns["age"] + columns["fare"]


class PeeksWhenItCan(Correct):
    def compute(self, columns, state):
        return columns["age"] + columns.get("survived", 0.0)


class FitPeeks(Correct):
    def fit(self, columns):
        return {"first": float(columns["survived"][0])} if "survived" in columns else {}


class ReadsTarget(Correct):
    inputs = ("age", "survived")


class Misspelt(Correct):
    inputs = ("agee",)


class NoInputs(Correct):
    inputs = ()


class FillsMissing(Correct):
    def compute(self, columns, state):
        return np.nan_to_num(columns["age"])


class LeavesMissing(Correct):
    missing = "never"


class Infinite(Correct):
    def compute(self, columns, state):
        return columns["age"] / 0.0 if len(columns["age"]) == 1 else columns["age"] * np.inf


class WrongKind(Correct):
    kind = "category"


class ArrayState(Correct):
    def fit(self, columns):
        return {"mean": np.zeros(2)}


class RandomResult(Correct):
    numbers = itertools.count()

    def compute(self, columns, state):
        return columns["age"] + next(self.numbers)


class RandomState(Correct):
    numbers = itertools.count()

    def fit(self, columns):
        return {"number": next(self.numbers)}


class NoRows(Correct):
    def compute(self, columns, state):
        return columns["age"] + 0 * columns["age"][0]


@row_feature(inputs=("port",), kind="number", missing="may")
def crashes_on_missing(port):
    return 1.0 if port is None else float(len(port)) / 0


@row_feature(inputs=("fare", "age"), kind="number", missing="may")
def forgets_missing(fare, age):
    return [1][int(np.isnan(fare))]


@pytest.mark.parametrize(
    ("process", "message"),
    [
        (BatchMean(), r"a single row gives another result than in the batch: 0.0 instead of -100.0 \(row 0\)"),
        (PreviousRow(), "shuffled rows do not give the same results shuffled"),
        (ChangesInput(), "it changes its input 'age'; work on a copy"),
        (Undeclared(), r"'fare' is not there; if it is a column, add it to inputs \(now 'age'\)"),
        (PeeksWhenItCan(), "its result depends on a column that it does not declare, perhaps the target"),
        (FitPeeks(), "fit learns from a column that is not declared, perhaps the target"),
        (ReadsTarget(), "it reads the target 'survived', which is unknown at prediction"),
        (Misspelt(), "its input 'agee' is not in the sample; did you mean 'age'"),
        (NoInputs(), "it declares no inputs"),
        (FillsMissing(), "missing='propagates' is declared, but 'age' missing gives 0.0"),
        (LeavesMissing(), "missing='never' is declared, but 'age' missing gives a missing result"),
        (Infinite(), "feature 'feature' is inf for age = 4.0"),
        (WrongKind(), "must return a object array, but returned float64"),
        (ArrayState(), "cannot be written as JSON"),
        (RandomResult(), "it returns something else each time for the same rows"),
        (RandomState(), "fit learns something else each time"),
        (NoRows(), "it fails with no rows: IndexError"),
        (crashes_on_missing, "the function of feature 'crashes_on_missing' raised ZeroDivisionError"),
        (forgets_missing, "with 'fare' missing: the function of feature 'forgets_missing' raised IndexError"),
    ],
    ids=lambda value: getattr(value, "name", None) and type(value).__name__,
)
def test_check_process_broken_promise_is_named(process, message):
    with pytest.raises(FeatureError, match=message):
        check_process(process, SAMPLE, target="survived")


def test_check_process_correct_one_passes_and_leaves_sample_unchanged():
    before = {name: values.copy() for name, values in SAMPLE.items()}
    check_process(Correct(), SAMPLE, target="survived")
    for name, values in SAMPLE.items():
        np.testing.assert_array_equal(values, before[name])


def test_check_processes_lists_problems_of_all():
    processes = [BatchMean(), Sum("sum", columns=("age", "fare")), forgets_missing]
    with pytest.raises(FeatureError, match=r"(?s)feature: a single row.*missing: with 'fare' missing") as caught:
        check_processes(processes, SAMPLE)
    assert "sum" not in str(caught.value)
