"""The example of a feature: sensible columns, names that ruff accepts, and code that works on those columns."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from ml_project.config import DataConfig
from ml_project.data.columns import to_columns
from ml_project.data.raw_schema import BatchExpectations, ColumnRule, RawSchema
from ml_project.feature_engineering.conformance import check_process
from ml_project.feature_engineering.row_function import row_feature
from scaffolding.plan import ProjectPlan
from scaffolding.writing.example_source import example_lines

REPOSITORY = Path(__file__).parents[3]
TARGET = ColumnRule(name="y", kind="category", allowed=("no", "yes"))
VALUES = {"number": [1.5, 0.0, 30.25], "integer": [1, 0, 30], "category": ["a#", "b", "b"], "text": ["a b", "", "c"]}
VALUES |= {"boolean": [True, False, True], "datetime": pd.to_datetime(["2024-01-01"] * 3)}


def number(name, lowest, highest, kind="number", **fields):
    return ColumnRule(name=name, kind=kind, expectations=BatchExpectations(mean_between=(lowest, highest)), **fields)


def example_of(*rules):
    schema = RawSchema(columns=(*rules, TARGET))
    plan = ProjectPlan(
        package="churn",
        data=DataConfig(source="a.csv", target_column="y"),
        committed_data="a.csv",
        schema=schema,
        task="binary",
        columns=tuple(rule.name for rule in rules),
        processes=(),
        left_out=(),
        split_strategy="random",
        n_rows=3,
    )
    return "\n".join(example_lines(plan))


def process_of(source, *rules):
    namespace = {"row_feature": row_feature, "__name__": "own"}
    exec(source, namespace)  # noqa: S102  what a user does who takes it over
    (process,) = [value for value in namespace.values() if hasattr(value, "compute")]
    schema = RawSchema(columns=rules)
    check_process(process, to_columns(pd.DataFrame({rule.name: VALUES[rule.kind] for rule in rules}), schema))
    return process


BILL, DEPTH = number("bill_length_mm", 38, 50), number("bill_depth_mm", 15, 20)
FLIPPER = number("flipper_length_mm", 186, 216, "integer")
MASS, YEAR = number("body_mass_g", 3400, 5100, "integer"), number("year", 2007, 2009, "integer")


@pytest.mark.parametrize(
    ("rules", "inputs"),
    [
        ((YEAR, MASS, FLIPPER, BILL, DEPTH), ("bill_length_mm", "bill_depth_mm")),
        ((YEAR, MASS, FLIPPER), ("body_mass_g",)),
        ((number("Age", 20, 40), number("code", 20, 40, "integer"), number("Fare", 10, 60)), ("Age", "Fare")),
        ((number("origin", 1, 3, "integer"), number("grade", 1, 3, "integer")), ("origin",)),
        ((number("a", 1, 3, allowed=(1, 3)), ColumnRule(name="note", kind="text")), ("note",)),
        ((ColumnRule(name="kind of it", kind="category", allowed=("a#", "b")),), ("kind of it",)),
    ],
)
def test_example_lines_takes_two_columns_of_the_same_size_or_one(rules, inputs):
    assert process_of(example_of(*rules), *rules).inputs == inputs


@pytest.mark.parametrize(
    "rules",
    [
        (number("Max", 1, 3), number("MAX ", 1, 3)),
        (number("class", 1, 3), number("2nd " * 30, 1, 3)),
        (ColumnRule(name="Größe # noqa # type: ignore", kind="text"),),
        (ColumnRule(name="len", kind="text"),),
        (ColumnRule(name="O", kind="category", allowed=("# noqa", "b")),),
        (ColumnRule(name="Lambda", kind="boolean"),),
        (ColumnRule(name="{}", kind="datetime"),),
    ],
)
def test_example_lines_of_awkward_names_are_code_that_ruff_accepts(tmp_path, rules):
    source = example_of(*rules)
    process_of(source, *rules)
    commented = "\n".join(f"#     {line}".rstrip() for line in source.splitlines())
    before = '"""Own features."""\n\nfrom ml_project.feature_engineering.row_function import row_feature\n\n\n'
    (tmp_path / "own.py").write_text(f"{before}{source}\n", encoding="utf-8")
    (tmp_path / "comment.py").write_text(f'"""Features."""\n\n{commented}\n', encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", f"--config={REPOSITORY / 'pyproject.toml'}"]
    done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
