"""The user's part that is written: it says what was planned, is clean for every checker, and reads as by hand."""

import re
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_project.config import MODELLING, CsvConfig, DataConfig
from ml_project.data.coercion import coerce
from ml_project.data.columns import to_columns
from ml_project.data.raw_schema import ColumnRule, RawSchema
from ml_project.data.schema_reader import read_schema
from ml_project.feature_engineering.conformance import check_process
from ml_project.feature_engineering.ready_made import DatePart, ElapsedDays
from ml_project.feature_engineering.row_function import row_feature
from ml_project.modelling.standard_candidates import STANDARD_CANDIDATES
from ml_project.use_case_file import load_use_case
from scaffolding.plan import ColumnRoles, FeatureProcessPlan, LeftOut, ProjectPlan
from scaffolding.profiling.planning import plan_project
from scaffolding.profiling.table import find_source, read_table
from scaffolding.template.copying import copy_template, package_of
from scaffolding.writing.sample import write_data
from scaffolding.writing.user_part import BEGIN, END, user_part_files, write_user_part

REPOSITORY = Path(__file__).parents[3]
PACKAGE = package_of(REPOSITORY)
FRAME = pd.DataFrame(
    {
        "no": [1, 2, 3, 4],
        "Größe | cm": [1.5, None, 180.25, 1234567.0],
        "class": ["a|b", "a|b", "<i>", None],
        "sold at": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01"]),
        "boat": ["x", "y", "z", "w"],
        "paid": [True, False, True, True],
        "churn": ["yes", "no", "no", "no"],
    }
)
SCHEMA = RawSchema(
    columns=(
        ColumnRule(name="no", kind="integer", minimum=1, unique=True),
        ColumnRule(name="Größe | cm", kind="number", nullable=True),
        ColumnRule(name="class", kind="category", allowed=("<i>", "a|b"), nullable=True),
        ColumnRule(name="sold at", kind="datetime"),
        ColumnRule(name="boat", kind="text"),
        ColumnRule(name="paid", kind="boolean"),
        ColumnRule(name="churn", kind="category", allowed=("no", "yes")),
    )
)
PROCESSES = (
    FeatureProcessPlan("DatePart", "sold at month", {"column": "sold at", "part": "month"}),
    FeatureProcessPlan("ElapsedDays", "class", {"until": "sold at", "reference": "2024-01-01"}),
)


def make_plan(**changes):
    plan = ProjectPlan(
        package=PACKAGE,
        data=DataConfig(source="data/data/churn.csv", target_column="churn", id_column="no"),
        committed_data="data/data/churn.csv",
        schema=SCHEMA,
        task="binary",
        columns=("Größe | cm", "paid"),
        processes=PROCESSES,
        left_out=(LeftOut("boat", "reveals the target"),),
        split_strategy="stratified",
        n_rows=4,
        n_classes=2,
    )
    return replace(plan, **changes)


def of_database(address):
    data = DataConfig(source=address, table="customers", target_column="churn")
    return make_plan(data=data, committed_data="data/data/churn_sample.sqlite", n_rows=9000)


def write_config(plan, folder):
    path = folder / "use_case_config.py"
    path.write_text(user_part_files(plan)["use_cases/use_case_config.py"], encoding="utf-8")
    return load_use_case(path, MODELLING), path.read_text(encoding="utf-8")


def run(source):
    namespace = {"__name__": "written"}
    exec(compile(source, "written.py", "exec"), namespace)  # noqa: S102  what a project does when it imports the file
    return namespace


def write(plan, root, frame=FRAME):
    write_user_part(plan, root, frame)
    return {
        path: (root / path).read_text(encoding="utf-8") for path in ("README.md", "data/data/README.md", ".gitignore")
    }


def test_config_says_what_was_planned_and_leaves_the_rest_to_its_defaults(tmp_path):
    plan = make_plan(
        data=DataConfig(
            source="a.csv", csv=CsvConfig(delimiter=";", decimal=","), target_column="churn", missing_values=("", "-")
        ),
        split_strategy="chronological",
        time_column="sold at",
        n_folds=3,
    )
    config, text = write_config(plan, tmp_path)
    assert config.data == plan.data
    assert (config.features.columns, config.features.processes) == (plan.columns, ("sold at month", "class"))
    assert (config.splits.strategy, config.splits.time_column, config.splits.n_folds) == ("chronological", "sold at", 3)
    assert (config.modelling.task, config.tracking.experiment, config.tracking.registered_model) == (
        "binary",
        PACKAGE,
        PACKAGE,
    )
    assert config.artifacts.path == Path(f"data/serialised_models/{PACKAGE}.zip")
    assert config.data.model_fields_set == {"source", "csv", "target_column", "missing_values"}
    assert "holdout_share" not in text


def test_config_of_usual_splits_and_no_processes_names_neither(tmp_path):
    config, text = write_config(make_plan(processes=(), left_out=()), tmp_path)
    assert config.splits.model_fields_set == {"strategy"}
    assert config.features.model_fields_set == {"columns"}
    assert "Left out" not in text


@pytest.mark.parametrize(
    ("left_out", "comment"),
    [
        ((LeftOut("boat", "reveals\nthe target"),), "# boat is left out because it reveals the target."),
        ((LeftOut("boat", "left out by the user"),), "# boat is left out by the user."),
        ((LeftOut(" ", "has no name"),), "# ' ' is left out because it has no name."),
        (
            (LeftOut("boat", "reveals\nthe target"), LeftOut("a" * 103, "is free text " * 3)),
            "# Left out:\n# - boat: reveals the target\n# - "
            + "a" * 103
            + ":\n#   is free text is free text is free text",
        ),
    ],
)
def test_config_lists_left_out_columns_above_the_others(tmp_path, left_out, comment):
    _, text = write_config(make_plan(left_out=left_out), tmp_path)
    assert textwrap.indent(comment, " " * 12) + "\n            columns=" in text


def test_files_of_a_database_with_a_password_hold_the_address_without_it(tmp_path):
    plan = of_database("postgresql://me:s3cret@host/crm?sslmode=require&sslpassword=s3cret")
    config, text = write_config(plan, tmp_path)
    texts = {**user_part_files(plan), **write(plan, tmp_path)}
    assert not [path for path, content in texts.items() if "s3cret" in content]
    assert config.data.source == "postgresql://me@host/crm?sslmode=require"
    variable = f"{PACKAGE.upper()}_DATA__SOURCE"
    assert f"environment variable {variable}" in text
    assert f"export {variable}='postgresql://me:PASSWORD@host/crm?sslmode=require'" in texts["data/data/README.md"]
    sample = run(texts["tests/project/conftest.py"].replace("__file__", "'/churn/tests/project/conftest.py'"))
    assert str(sample["REPOSITORY"]) == "/churn"
    assert re.search(r"sqlite:///\{REPOSITORY / .data/data/churn_sample.sqlite.\}", texts["tests/project/conftest.py"])


def test_config_of_a_file_says_nothing_of_passwords(tmp_path):
    assert "password" not in write_config(make_plan(), tmp_path)[1]


def test_features_are_the_planned_processes():
    found = run(user_part_files(make_plan())[f"{PACKAGE}/project/features.py"])
    expected = (
        DatePart("sold at month", column="sold at", part="month"),
        ElapsedDays("class", until="sold at", reference="2024-01-01"),
    )
    assert expected == found["FEATURE_PROCESSES"]
    assert found["class_"] is found["FEATURE_PROCESSES"][1]


def test_features_without_processes_are_an_empty_tuple():
    source = user_part_files(make_plan(processes=()))[f"{PACKAGE}/project/features.py"]
    assert run(source)["FEATURE_PROCESSES"] == ()
    assert "ready_made import" not in source


@pytest.mark.parametrize("columns", [("no", "Größe | cm"), ("boat", "no"), ("no",), ("paid",), ()])
def test_features_example_in_the_comment_works_on_the_projects_own_columns(columns):
    source = user_part_files(make_plan(columns=columns))[f"{PACKAGE}/project/features.py"]
    example = "\n".join(re.findall(r"^#     (.*)$", source, re.MULTILINE))
    namespace = {"row_feature": row_feature, "__name__": "own"}
    exec(example, namespace)  # noqa: S102  what a user does who takes it over
    (process,) = [value for value in namespace.values() if hasattr(value, "compute")]
    sample = to_columns(coerce(FRAME, SCHEMA, missing_values=("",)), SCHEMA)
    check_process(process, sample, target="churn")
    assert set(process.inputs) <= set(columns or SCHEMA.names)


def test_candidates_are_the_standard_ones():
    candidates = run(user_part_files(make_plan())[f"{PACKAGE}/project/candidates.py"])["CANDIDATES"]
    assert candidates == STANDARD_CANDIDATES


def test_schema_reads_back_as_planned():
    source = user_part_files(make_plan())[f"{PACKAGE}/project/schema.py"]
    assert read_schema(run(source)["RawData"]) == SCHEMA


def test_write_user_part_awkward_words_are_clean_for_every_checker(tmp_path):
    awkward = 'x \xd7 y \u2013 "quoted" {{ braces }} \\ # noqa # type: ignore ' + "and a long story " * 12
    rules = (ColumnRule(name=awkward, kind="text", description=awkward), *SCHEMA.columns)
    plan = make_plan(
        schema=RawSchema(columns=rules),
        columns=(awkward, "Größe | cm"),
        left_out=(LeftOut(awkward, awkward), LeftOut("boat", "\xd7")),
        processes=(FeatureProcessPlan("DatePart", awkward, {"column": "sold at", "part": "month"}), *PROCESSES),
        warnings=(awkward,),
    )
    paths = write_user_part(plan, tmp_path, FRAME.assign(**{awkward: awkward}))
    assert f"{PACKAGE}/project/features.py" in paths
    python = [path for path in paths if path.endswith(".py")]
    settings = REPOSITORY / "pyproject.toml"
    for command in (
        ["ruff", "check", "--no-cache", f"--config={settings}", *python],
        ["ruff", "format", "--no-cache", "--check", f"--config={settings}", *python],
        ["isort", "--check", f"--settings-file={settings}", *python],
        ["mypy", f"--config-file={settings}", "--cache-dir=/dev/null", f"{PACKAGE}/project/features.py"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "warning" not in done.stderr
    assert max(map(len, write(plan, tmp_path, FRAME.assign(**{awkward: awkward}))["README.md"].splitlines())) < 900


def test_readme_section_replaces_what_stands_between_the_marks_only(tmp_path):
    (tmp_path / "README.md").write_text(f"# Churn\n\n{BEGIN}\nformer words\n{END}\n\n## Commands\n")
    once = write(make_plan(), tmp_path)["README.md"]
    assert once.startswith(f"# Churn\n\n{BEGIN}\n## The data\n\n`data/data/churn.csv` has 4 rows and 7 columns.")
    assert once.endswith(f"\n{END}\n\n## Commands\n")
    assert "former words" not in once
    assert write(make_plan(), tmp_path)["README.md"] == once


def test_readme_without_marks_gets_the_section_at_its_end(tmp_path):
    (tmp_path / "README.md").write_text("# Churn\n")
    assert write(make_plan(), tmp_path)["README.md"].startswith(f"# Churn\n\n{BEGIN}\n## The data\n")


def test_readme_describes_columns_by_what_the_data_holds(tmp_path):
    text = write(make_plan(warnings=("Look at 'boat'.",)), tmp_path)["README.md"]
    for row in (
        "| `no` | whole number | 1 to 4 | 0 % | identifies a row |",
        r"| `Größe \| cm` | number | 1.5 to 1,234,567 | 25 % | feature |",
        r"| `class` | category | a\|b, &lt;i> | 25 % |  |",
        "| `sold at` | date or time | 2024-01-01 to 2024-04-01 | 0 % | input of feature processes |",
        "| `boat` | text | x, y, z, w | 0 % | left out because it reveals the target |",
        "| `paid` | yes or no | true in 75 % | 0 % | feature |",
        "| `churn` | category | no, yes | 0 % | target |",
    ):
        assert row in text
    assert "2 classes: `no` (75 %), `yes` (25 %). So this is a binary classification." in " ".join(text.split())
    assert "This deserves a look before you trust a model:\n\n- Look at 'boat'." in text


def test_readmes_of_a_target_that_is_not_always_known_say_what_becomes_of_those_rows(tmp_path):
    data = DataConfig(source="data/data/churn.csv", target_column="churn", rows_without_target="leave_out")
    texts = write(make_plan(data=data), tmp_path)
    for path in ("README.md", "data/data/README.md"):
        text = " ".join(texts[path].split())
        assert "Rows without `churn` are left out: nothing is learned from them" in text
        assert "because `data.rows_without_target` is `leave_out`" in text
    assert "rows_without_target" not in "".join(write(make_plan(), tmp_path).values())


def test_readme_of_years_writes_them_as_years(tmp_path):
    rule = ColumnRule(name="sold in", kind="integer")
    plan = make_plan(schema=RawSchema(columns=(*SCHEMA.columns, rule)))
    text = write(plan, tmp_path, FRAME.assign(**{"sold in": [2007, 2008, 2009, 2009]}))["README.md"]
    assert "| `sold in` | whole number | 2007 to 2009 |" in text


def test_readme_of_words_that_mean_something_to_markdown_shows_them_as_they_are(tmp_path):
    name, label = "a|b \u202e*c*", "\\*x*"
    rules = (ColumnRule(name=name, kind="category", allowed=(label, "no")), *SCHEMA.columns)
    data = DataConfig(source="data/data/churn.csv", target_column=name)
    plan = make_plan(schema=RawSchema(columns=rules), data=data, warnings=("Look at '*a*' and data.missing_values.",))
    frame = FRAME.assign(**{name: [label, "no", "no", "no"]})
    text = write(plan, tmp_path, frame)["README.md"]
    assert r"The target is `a|b \u202e*c*`, with 2 classes:" in text
    assert r"| `a\|b \u202e*c*` | category | no, \\\*x\* |" in text
    assert r"- Look at '\*a\*' and data.missing_values." in text


def test_readme_of_a_class_that_is_called_as_a_mark_ends_the_section_at_the_mark(tmp_path):
    (tmp_path / "README.md").write_text(f"# Churn\n\n{BEGIN}\n{END}\n\n## Commands\n")
    rules = (ColumnRule(name=END, kind="text"), *SCHEMA.columns)
    plan = make_plan(schema=RawSchema(columns=rules), warnings=(f"{END} is odd.",))
    frame = FRAME.assign(**{END: END})
    once = write(plan, tmp_path, frame)["README.md"]
    assert write(plan, tmp_path, frame)["README.md"] == once


def test_readme_of_a_regression_and_several_warnings_has_fitting_words(tmp_path):
    plan = make_plan(task="regression", n_classes=None, n_rows=1, split_strategy="random", warnings=("A.", "B."))
    text = write(plan, tmp_path, FRAME.head(1))["README.md"]
    assert "has 1 row and 7 columns" in text
    assert "The target is `churn`, a number, so this is a regression." in text
    assert "These deserve a look" in text


def test_readme_of_a_wide_table_lists_its_first_columns_and_counts_the_others(tmp_path):
    rules = [ColumnRule(name=f"sensor {number}", kind="integer") for number in range(61)]
    frame = FRAME.assign(**{rule.name: 1 for rule in rules})
    text = write(make_plan(schema=RawSchema(columns=(*SCHEMA.columns, *rules))), tmp_path, frame)["README.md"]
    assert "| `sensor 52` |" in text
    assert "| `sensor 53` |" not in text
    assert "The table has 8 more columns than are listed here." in text


def test_gitignore_names_a_copy_that_is_not_committed_once(tmp_path):
    (tmp_path / ".gitignore").write_text(".venv/\n")
    plan = make_plan(committed_data="data/data/churn_sample.csv", n_rows=5000)
    write(plan, tmp_path)
    assert write(plan, tmp_path)[".gitignore"].splitlines().count("/data/data/churn.csv") == 1


@pytest.mark.parametrize(
    "plan", [make_plan(), of_database("sqlite:////srv/crm.db"), of_database("postgresql://host/crm")]
)
def test_gitignore_of_data_that_is_committed_or_elsewhere_stays_as_it_is(tmp_path, plan):
    (tmp_path / ".gitignore").write_text(".venv/\n")
    assert write(plan, tmp_path)[".gitignore"] == ".venv/\n"


@pytest.mark.parametrize(
    ("n_columns", "n_classes", "expected"),
    [
        (10, 2, ("baseline", "linear", "decision_tree")),
        (10, None, ("baseline", "linear", "decision_tree")),
        (150, 2, ("baseline", "decision_tree")),
        (10, 300, ("baseline", "decision_tree")),
    ],
)
def test_model_test_trains_what_takes_seconds(n_columns, n_classes, expected):
    rules = (*(ColumnRule(name=f"x{number}", kind="number") for number in range(n_columns)), *SCHEMA.columns)
    plan = make_plan(schema=RawSchema(columns=rules), n_classes=n_classes)
    assert run(user_part_files(plan)["tests/project/test_model.py"])["CANDIDATES"] == expected


def classes():
    random = np.random.default_rng(3)
    sizes = random.normal(size=40).round(3)
    names = np.where(sizes > 0.3, "süß", np.where(sizes > -0.3, "a \xd7 b", "none"))
    table = pd.DataFrame(
        {"Größe (cm)": sizes, "class": random.choice(["x", "y", ""], 40), "validate": range(40), "Sorte Wein": names}
    )
    return table, "Sorte Wein", {"sep": ";", "decimal": ","}


def numbers():
    days = pd.date_range("2020-01-01", periods=2500, freq="D")
    amounts = np.arange(2500) % 7
    return (
        pd.DataFrame({"sold at": days, "amount": amounts, "price": amounts * 2.5 + np.sin(np.arange(2500))}),
        "price",
        {},
    )


def many_classes():
    codes = np.repeat(np.arange(420), np.maximum(12, 3000 // np.arange(1, 421)))
    sizes = (codes / 10 + np.random.default_rng(5).normal(size=len(codes))).round(2)
    return pd.DataFrame({"size": sizes, "kind": [f"kind {code}" for code in codes]}), "kind", {}


@pytest.mark.parametrize("make_table", [classes, numbers, many_classes])
def test_written_project_passes_its_own_tests(tmp_path, make_table):
    table, target, options = make_table()
    table.to_csv(tmp_path / "table.csv", index=False, **options)
    root, roles = tmp_path / "shop", ColumnRoles(target=target)
    copy_template(REPOSITORY, root, "shop")
    source = find_source(str(tmp_path / "table.csv"), target=target)
    frame = read_table(source)
    files = write_data(frame, source, root, "shop", roles)
    plan = plan_project("shop", frame, source, roles, data_path=files.source, committed_data=files.committed)
    write_user_part(plan, root, frame)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "tests/project"]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(root), "HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
