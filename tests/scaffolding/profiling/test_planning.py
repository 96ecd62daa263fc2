"""A plan is what the project's own training can start from, whatever the table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

from ml_project.config import Config, DataConfig, FeaturesConfig, ModellingConfig, SplitsConfig
from ml_project.errors import ConfigError, InvalidDataError, TargetError
from ml_project.feature_engineering import dates
from ml_project.modelling.project_parts import Project
from ml_project.modelling.standard_candidates import STANDARD_CANDIDATES
from ml_project.modelling.training_data import make_training_data, read_dataset
from scaffolding.plan import ColumnRoles, ProjectPlan
from scaffolding.profiling.planning import plan_project
from scaffolding.profiling.table import find_source, read_table

N_ROWS = 300
TITANIC = Path(__file__).parents[2] / "example" / "titanic.parquet"


def _plan(path: Path, target: str, **roles: Any) -> ProjectPlan:
    source = find_source(str(path), target=target)
    words = ColumnRoles(target, **roles)
    return plan_project("shop", read_table(source), source, words, data_path=str(path), committed_data=path.name)


def _plan_of(frame: pd.DataFrame, folder: Path, *, target: str = "y", **roles: Any) -> ProjectPlan:
    path = folder / "table.csv"
    frame.to_csv(path, index=False)
    return _plan(path, target, **roles)


def _frame(**columns: Any) -> pd.DataFrame:
    draws = np.random.default_rng(0)
    noise = draws.normal(size=N_ROWS)
    target = (noise + draws.normal(size=N_ROWS) > 0).astype(int)
    return pd.DataFrame({"x": noise, "y": target} | columns)


def _train(plan: ProjectPlan) -> Any:
    """Read and split the data as a training of the new project does."""
    processes = tuple(getattr(dates, one.kind)(one.name, **one.arguments) for one in plan.processes)
    config = Config(
        data=plan.data,
        features=FeaturesConfig(columns=plan.columns, processes=tuple(process.name for process in processes)),
        splits=SplitsConfig(
            strategy=plan.split_strategy,
            n_folds=plan.n_folds,
            time_column=plan.time_column,
            group_column=plan.group_column,
        ),
        modelling=ModellingConfig(task=plan.task),
    )
    project = Project(schema=plan.schema, processes=processes, candidates=STANDARD_CANDIDATES)
    dataset = read_dataset(config, project)
    assert dataset.task == plan.task
    return make_training_data(dataset, config, project)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("name", "task"),
    [("breast_cancer", "binary"), ("wine", "multiclass"), ("iris", "multiclass"), ("diabetes", "regression")],
)
def test_plan_project_known_table_can_be_trained(tmp_path: Path, name: str, task: str, ending: str):
    frame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    frame = frame.set_axis(["größe", 'a "b"', "1st", *frame.columns[3:-1], "class"], axis="columns")
    path = tmp_path / f"table.{ending}"
    frame.to_csv(path, index=False) if ending == "csv" else frame.to_parquet(path)

    plan = _plan(path, "class")

    assert (plan.task, plan.n_rows, plan.columns) == (task, len(frame), tuple(frame.columns[:-1]))
    assert len(_train(plan).folds) == 5


def test_plan_project_titanic_warns_of_what_was_written_down_afterwards():
    plan = _plan(TITANIC, "survived")

    assert plan.data.id_column == "passenger_id"
    assert {"pclass", "sex", "age", "sibsp", "parch", "fare", "embarked"} <= set(plan.columns)
    assert {"name", "ticket", "cabin"} <= {one.column for one in plan.left_out}
    assert [warning[:13] for warning in plan.warnings if "may give the target away" in warning] == [
        "Column 'boat'",
        "Column 'body'",
    ]
    assert _train(plan).folds


def test_plan_project_rows_in_the_order_of_time_are_held_out_in_it(tmp_path: Path):
    days = pd.date_range("2020-01-01", periods=N_ROWS).strftime("%Y-%m-%d")

    plan = _plan_of(_frame(day=days), tmp_path)

    assert (plan.split_strategy, plan.time_column) == ("chronological", "day")
    assert [one.arguments["part"] for one in plan.processes] == ["month", "day", "day_of_week"]
    assert any("in the order of 'day'" in warning for warning in plan.warnings)
    assert _train(plan).folds


def test_plan_project_rows_in_another_order_are_stratified(tmp_path: Path):
    days = pd.date_range("2020-01-01 08:30", periods=N_ROWS, freq="73h").strftime("%Y-%m-%dT%H:%M:%S")

    plan = _plan_of(_frame(day=np.random.default_rng(0).permutation(days)), tmp_path)

    assert (plan.split_strategy, plan.time_column) == ("stratified", None)
    parts = [one.arguments["part"] for one in plan.processes]
    assert parts == ["year", "month", "day", "day_of_week", "hour"]
    assert _train(plan).folds


def test_plan_project_time_that_cannot_hold_out_classes_is_not_taken(tmp_path: Path):
    days = pd.date_range("2020-01-01", periods=N_ROWS).strftime("%Y-%m-%d")
    frame = _frame(day=days).assign(y=["a"] * 250 + ["b"] * 50)

    plan = _plan_of(frame, tmp_path)

    assert (plan.split_strategy, plan.time_column) == ("stratified", None)
    with pytest.raises(InvalidDataError, match="class"):
        _plan_of(frame, tmp_path, time="day")


def test_plan_project_two_dates_give_the_days_between_them(tmp_path: Path):
    draws = np.random.default_rng(0)
    ordered = pd.Timestamp("2020-01-01") + pd.to_timedelta(draws.integers(0, 300, N_ROWS), unit="D")
    sent = ordered + pd.to_timedelta(draws.integers(0, 9, N_ROWS), unit="D")
    frame = _frame(**{"date sent": sent, "ordered": ordered, "days_from_ordered_to_date_sent": range(N_ROWS)})

    plan = _plan_of(frame, tmp_path)

    spans = [one for one in plan.processes if one.kind == "ElapsedDays"]
    assert [one.name for one in spans] == ["days_from_ordered_to_date_sent_2"]
    assert spans[0].arguments == {"until": "date sent", "since": "ordered"}
    assert _train(plan).folds


def test_plan_project_groups_stay_together(tmp_path: Path):
    plan = _plan_of(_frame(customer=[f"c{row // 3}" for row in range(N_ROWS)]), tmp_path, group="customer")

    assert (plan.split_strategy, plan.group_column, plan.columns) == ("grouped", "customer", ("x",))
    assert _train(plan).folds


def test_plan_project_whole_numbers_of_time_order_the_rows(tmp_path: Path):
    plan = _plan_of(_frame(step=range(N_ROWS)), tmp_path, time="step")

    assert (plan.split_strategy, plan.time_column, plan.columns) == ("chronological", "step", ("x",))
    assert _train(plan).folds


def test_plan_project_columns_that_tell_the_target_are_left_out_with_reason(tmp_path: Path):
    frame = _frame()
    plan = _plan_of(frame.assign(code=frame["y"].map({0: "n", 1: "p"})), tmp_path)

    assert plan.columns == ("x",)
    assert plan.left_out[0].reason == "has one value for each class of the target 'y'"
    assert plan.warnings[0].startswith("'code' gives the target away and is left out")


def test_plan_project_texts_for_missing_numbers_are_named_in_the_config(tmp_path: Path):
    plan = _plan_of(_frame(income=["12.5", "-", "7"] * 100), tmp_path)

    assert plan.schema.rule("income").kind == "number"
    assert plan.data.missing_values[-1] == "-"
    assert plan.warnings[0].endswith("missing value (data.missing_values): 'income' has it in 100 rows.")
    assert _train(plan).folds


def test_plan_project_decimal_comma_can_be_trained(tmp_path: Path):
    path = tmp_path / "table.csv"
    _frame().to_csv(path, index=False, sep=";", decimal=",", encoding="utf-16")

    plan = _plan(path, "y")

    assert plan.schema.rule("x").kind == "number"
    assert _train(plan).folds


@pytest.mark.parametrize(
    ("target", "task", "n_classes", "kind"),
    [
        (["yes", "no"] * 150, "binary", 2, "category"),
        (["True", "False"] * 150, "binary", 2, "boolean"),
        ([1.0, 2.0] * 150, "binary", 2, "integer"),
        ([' a "q"', "b,c ", "d"] * 100, "multiclass", 3, "category"),
        ([row % 20 for row in range(N_ROWS)], "multiclass", 20, "integer"),
        ([row % 21 for row in range(N_ROWS)], "regression", None, "integer"),
        ([row / 7 for row in range(N_ROWS)], "regression", None, "number"),
        ([f"c{row % 60}" for row in range(N_ROWS)], "multiclass", 60, "category"),
        ([1, 2, None] * 100, "binary", 2, "integer"),
        (["a", None, "b"] * 100, "binary", 2, "category"),
        ([True, False, None] * 100, "binary", 2, "boolean"),
        ([1.5, 2, None, *range(N_ROWS - 3)], "regression", None, "number"),
    ],
)
def test_plan_project_task_is_the_one_that_a_training_infers(
    tmp_path: Path, target: list[Any], task: str, n_classes: int | None, kind: str
):
    frame = _frame(y=np.random.default_rng(0).permutation(np.array(target, dtype=object)))

    plan = _plan_of(frame, tmp_path)

    assert (plan.task, plan.n_classes, plan.schema.rule("y").kind) == (task, n_classes, kind)
    training = _train(plan)
    assert training.folds
    assert len(training.target) < sum(value is not None for value in target)
    assert any("no target 'y'" in warning for warning in plan.warnings) == (None in target)


@pytest.mark.parametrize(
    ("task", "target", "n_classes"),
    [
        ("regression", list(range(3)) * 100, None),
        ("regression", [0, 1] * 150, None),
        ("multiclass", list(range(30)) * 10, 30),
        ("binary", ["a", "b"] * 150, 2),
    ],
)
def test_plan_project_task_of_the_user_wins(tmp_path: Path, task: Any, target: list[Any], n_classes: int | None):
    plan = _plan_of(_frame(y=np.random.default_rng(0).permutation(np.array(target, dtype=object))), tmp_path, task=task)

    assert (plan.task, plan.n_classes) == (task, n_classes)
    assert not any("whole numbers" in warning for warning in plan.warnings)
    assert _train(plan).folds


@pytest.mark.parametrize(
    ("task", "target", "message"),
    [
        ("regression", ["a", "b", "c"], "regression needs numbers"),
        ("binary", ["a", "b", "c"], "binary needs two classes, but the target 'y' has 3"),
        ("multiclass", ["a", "b", "a"], "multiclass needs more than two"),
        ("multiclass", [0.5, 1.5, 2.5], "has decimals"),
    ],
)
def test_plan_project_task_that_does_not_fit_is_refused(tmp_path: Path, task: Any, target: list[Any], message: str):
    with pytest.raises(ConfigError, match=message):
        _plan_of(_frame(y=target * 100), tmp_path, task=task)


def test_plan_project_counts_with_a_rare_one_are_numbers(tmp_path: Path):
    plan = _plan_of(_frame(y=[0, 1, 2] * 99 + [3, 4, 4]), tmp_path)

    assert (plan.task, plan.schema.rule("y").kind) == ("regression", "integer")
    assert any("5 different whole numbers of the target 'y' were taken for amounts" in one for one in plan.warnings)
    assert _train(plan).folds


@pytest.mark.parametrize(("target", "is_told"), [([3, 4, 5], True), ([0, 1, 1], False), (["a", "b", "c"], False)])
def test_plan_project_whole_numbers_taken_for_classes_are_told(tmp_path: Path, target: list[Any], is_told: bool):
    plan = _plan_of(_frame(y=target * 100), tmp_path)

    assert any("were taken for classes; if they are amounts" in one for one in plan.warnings) == is_told


@pytest.mark.parametrize(("n_rare", "n_folds"), [(3, 2), (5, 4), (50, 5)])
def test_plan_project_rare_class_gives_fewer_folds(tmp_path: Path, n_rare: int, n_folds: int):
    plan = _plan_of(_frame(y=["rare"] * n_rare + ["usual"] * (N_ROWS - n_rare)), tmp_path)

    assert plan.n_folds == n_folds
    assert any("folds, not 5" in warning for warning in plan.warnings) == (n_folds < 5)
    assert _train(plan).folds


def test_plan_project_five_rows_can_be_trained(tmp_path: Path):
    frame = pd.DataFrame({"a": [1.5, 2, 3, 4, 5], "b": list("uvwxx"), "y": [0.5, 1, 0.25, 1.5, 0.7]})

    plan = _plan_of(frame, tmp_path)

    assert (plan.task, plan.n_folds) == ("regression", 2)
    assert _train(plan).folds


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (["a"] * N_ROWS, r"is constant \(every row has 'a'\)"),
        ([None] * N_ROWS, "has no value at all"),
        ([1, 2, *[None] * (N_ROWS - 2)], "is known in 2 of 300 rows only"),
        ([np.inf, *range(N_ROWS - 1)], "holds an infinite value"),
        (pd.date_range("2020-01-01", periods=N_ROWS), "holds dates"),
        (["r", "s", "s", *["t"] * (N_ROWS - 3)], r"(?s)class 'r' has 1 row.*class 's' has 2 rows"),
        ([f"c{row}" for row in range(N_ROWS)], r"300 such classes in all"),
    ],
)
def test_plan_project_unlearnable_target_is_refused(tmp_path: Path, target: Any, message: str):
    with pytest.raises(TargetError, match=message):
        _plan_of(_frame(y=target), tmp_path)


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        ({"target": "Y"}, "did you mean 'y'"),
        ({"id": "z"}, "is said to be the id column, but the table has no such column"),
        ({"left_out": ("notes",)}, "did you mean 'note'"),
        ({"group": "y"}, "is the target and cannot be the group column"),
        ({"group": "x", "time": "note"}, "name one"),
        ({"time": "note"}, "cannot order rows in time"),
        ({"time": "gaps"}, "is missing in 100 rows"),
        ({"left_out": ("x", "note", "gaps")}, r"(?s)No column is left to learn from.*x: left out by the user"),
    ],
)
def test_plan_project_roles_that_do_not_fit_are_refused(tmp_path: Path, roles: dict[str, Any], message: str):
    frame = _frame(note=["a", "b", "c"] * 100, gaps=[1, 2, None] * 100)
    with pytest.raises(ConfigError, match=message):
        _plan_of(frame, tmp_path, **roles)


def test_plan_project_one_row_is_refused(tmp_path: Path):
    with pytest.raises(InvalidDataError, match="has 1 row"):
        _plan_of(pd.DataFrame({"x": [1], "y": [2]}), tmp_path)


def test_plan_project_unusable_columns_have_no_rule(tmp_path: Path):
    path = tmp_path / "table.parquet"
    _frame(listed=[[1, 2]] * N_ROWS, time=pd.to_timedelta(range(N_ROWS), unit="h")).to_parquet(path)

    plan = _plan(path, "y")

    assert plan.schema.names == ("x", "y")
    assert [one.column for one in plan.left_out] == ["listed", "time"]
    assert _train(plan).folds


def test_plan_project_column_without_name_is_left_out(tmp_path: Path):
    path = tmp_path / "table.csv"
    _frame().to_csv(path)

    plan = _plan(path, "y")

    assert plan.schema.names == ("x", "y")
    assert [(one.column, one.reason) for one in plan.left_out] == [("", "has no name")]
    assert _train(plan).folds


def test_plan_project_other_order_of_rows_gives_the_same(tmp_path: Path):
    frame = _frame(income=["12.5", "-", "7"] * 100, note=["a", "b", "c"] * 100, id=range(N_ROWS))

    plan, shuffled = (_plan_of(one, tmp_path) for one in (frame, frame.sample(frac=1, random_state=1)))

    assert shuffled == plan


def test_plan_project_data_is_what_the_project_shall_name():
    source = find_source(str(TITANIC), target="survived")

    plan = plan_project(
        "titanic_2",
        read_table(source),
        source,
        ColumnRoles("survived"),
        data_path="data/data/titanic_2.parquet",
        committed_data="data/data/titanic_2_sample.parquet",
    )

    wanted = DataConfig(
        source="data/data/titanic_2.parquet", target_column="survived", id_column="passenger_id"
    )
    assert replace(plan, data=wanted) == plan
    assert plan.committed_data == "data/data/titanic_2_sample.parquet"
