"""``--refresh`` in a project on the disk, as its user meets it."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_project.data.retrieval import read_historic
from ml_project.errors import ConfigError, MlProjectError
from ml_project.validation.expectations import check_batch
from ml_project.validation.frames import check_raw
from scaffolding.refreshing.left_out import left_out_columns
from scaffolding.refreshing.project_data import read_config
from scaffolding.refreshing.refresh import PATCH, refresh
from scaffolding.refreshing.schema_module import load_parts

SCHEMA = '''"""The schema."""

import pandera.pandas as pa
from pandera.typing.pandas import Series

MOST = 100


class RawData(pa.DataFrameModel):
    """One customer per row."""

    # left out: note
    customer: Series[int] = pa.Field(unique=True)
    age: Series[int] = pa.Field(ge=0, le=MOST)
    plan: Series[str] = pa.Field(isin=["basic", "pro"])  # what they pay
    spent: Series[float] = pa.Field(ge=0, nullable=True, metadata={"expectations": {"max_missing_rate": 0.2}})
    churn: Series[str] = pa.Field(isin=["no", "yes"])
'''
FEATURES = '''"""The features."""

from ml_project.feature_engineering.ready_made import Sum

FEATURE_PROCESSES = (Sum("total", columns=("age", "spent")),)
'''
USE_CASE = '''"""The config."""

from ml_project.config import Config, DataConfig, FeaturesConfig


def build_config(switches):
    """Return the config."""
    return Config(
        run_mode=switches.run_mode,
        data_origin=switches.data_origin,
        execution=switches.execution,
        data=DataConfig(source="data/customers.csv", target_column="churn", id_column="customer"),
        features=FeaturesConfig(columns=("age", "plan")),
    )
'''
N_ROWS = 60


def customers(**columns: object) -> pd.DataFrame:
    rows = np.arange(N_ROWS)
    table = {
        "customer": rows,
        "age": 20 + rows % 50,
        "plan": np.where(rows % 3, "basic", "pro"),
        "spent": rows / 2,
        "note": "n",
        "churn": np.where(rows % 2, "yes", "no"),
    }
    return pd.DataFrame({**table, **columns})


class ProjectOnDisk:
    """A project in a folder, whose own package is the environment's."""

    def __init__(self, root: Path, package: str) -> None:
        self.root, self.package, self.said = root, package, []

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(text.encode())

    def read(self, path: str) -> str:
        return (self.root / path).read_bytes().decode()

    @property
    def schema(self) -> str:
        return f"{self.package}/schema.py"

    def refresh(self, frame: pd.DataFrame | None = None, **options: object) -> int:
        for name in [name for name in sys.modules if name.partition(".")[0] == self.package]:
            del sys.modules[name]
        if frame is not None:
            frame.to_csv(self.root / "data/customers.csv", index=False)
        self.said = []
        return refresh(self.root, **{"source": None, "table": None, "check": False, "say": self.said.append, **options})

    @property
    def output(self) -> str:
        return "\n".join(self.said)

    def git(self, *words: str) -> None:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        subprocess.run(["git", *words], cwd=self.root, check=True, capture_output=True, env=environment)

    def problems(self) -> list:
        """Return what a training says of the whole table."""
        config, (_, project) = read_config(self.root), load_parts(self.root)
        source = config.data.model_copy(update={"source": str(self.root / config.data.source)})
        raw = read_historic(source, project.schema)
        return [*check_raw(raw, project.schema), *check_batch(raw, project.schema)]


@pytest.fixture
def project(tmp_path, monkeypatch):
    package = "refreshed_project"
    made = ProjectOnDisk(tmp_path / "made", package)
    made.write(f"{package}/__init__.py", "")
    made.write(made.schema, SCHEMA)
    made.write(f"{package}/features.py", FEATURES)
    made.write(
        f"{package}/candidates.py",
        "from ml_project.modelling.standard_candidates import STANDARD_CANDIDATES as CANDIDATES\n",
    )
    made.write("use_cases/use_case_config.py", USE_CASE)
    made.write("pyproject.toml", "[tool.ruff]\nline-length = 120\n")
    made.write("data/customers.csv", customers().to_csv(index=False))
    monkeypatch.syspath_prepend(str(made.root))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("ML_PROJECT_PACKAGE", package)
    yield made
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        del sys.modules[name]


def test_refresh_unchanged_table_says_so_and_writes_nothing(project):
    before = sorted(project.root.rglob("*"))

    assert project.refresh(check=True) == 0
    assert "Nothing changed: every row fits the schema." in project.output
    assert sorted(project.root.rglob("*")) == before


def test_refresh_unchanged_table_removes_the_patch_of_an_earlier_one(project):
    project.refresh(customers(plan="X"))
    assert (project.root / PATCH).exists()

    project.refresh(customers())

    assert not (project.root / PATCH).exists()


@pytest.mark.parametrize(("check", "code"), [(False, 0), (True, 1)])
def test_refresh_changes_are_a_failure_only_where_that_is_asked_for(project, check, code):
    assert project.refresh(customers(spent=-1.0), check=check) == code


def test_refresh_changed_table_patch_applies_beside_other_edits_and_a_training_accepts_the_table(project):
    project.git("init", "--quiet")
    project.git("add", ".")
    rows = np.arange(N_ROWS)
    changed = customers(
        plan=np.where(rows % 5, "basic", "gold"),
        spent=np.where(rows % 4, rows - 3.5, np.nan),
        level=rows % 7,
    )

    assert project.refresh(changed) == 0
    untouched = {path: project.read(path) for path in (project.schema, "use_cases/use_case_config.py")}
    assert untouched == {project.schema: SCHEMA, "use_cases/use_case_config.py": USE_CASE}
    project.write(f"{project.package}/features.py", FEATURES + "# an edit that is not committed\n")
    project.write(project.schema, SCHEMA.replace('"""The schema."""', '"""My schema."""'))
    project.git("apply", str(PATCH))

    assert project.refresh(check=True) == 0
    assert project.problems() == []
    assert 'isin=["basic", "pro", "gold"])  # what they pay' in project.read(project.schema)
    assert '"""My schema."""' in project.read(project.schema)
    assert 'columns=("age", "plan", "level")' in project.read("use_cases/use_case_config.py")


def test_refresh_lists_every_change_with_the_rows(project):
    project.refresh(customers(spent=[-2.0, *[1.0] * (N_ROWS - 1)], customer=[1, 1, *range(2, N_ROWS)]))

    assert "spent     below 0 in 1 row (1.7%), row 0: -2" in project.output
    assert "customer  unique, but an earlier value repeats in 1 row (1.7%), row 1: 1" in project.output


def test_refresh_computed_limit_is_named_to_be_changed_by_hand(project):
    project.refresh(customers(age=150))

    assert "To do by hand in the schema" in project.output
    assert "age  le=MOST is computed; it must become 150" in project.output
    assert "No edit can be proposed." in project.output
    assert not (project.root / PATCH).exists()


def test_refresh_gone_and_renamed_columns_reach_config_and_name_the_processes(project):
    project.git("init", "--quiet")
    project.refresh(customers().drop(columns="spent").rename(columns={"plan": "Plan"}))
    project.git("apply", str(PATCH))

    assert "remove or rewrite in features.py: total" in project.output
    assert 'columns=("age", "Plan")' in project.read("use_cases/use_case_config.py")
    assert "spent" not in project.read(project.schema)
    assert "    Plan: Series[str] = pa.Field(isin=" in project.read(project.schema)


def test_refresh_identifier_gone_is_said(project):
    project.refresh(customers().drop(columns="customer"))

    assert "data.id_column of the config names it" in project.output


def test_refresh_features_that_are_no_plain_tuple_are_to_be_edited_by_hand(project):
    project.write("use_cases/use_case_config.py", USE_CASE.replace('("age", "plan")', 'tuple(["age", "plan"])'))

    project.refresh(customers(level=np.arange(N_ROWS) % 7))

    assert "features.columns is no plain tuple; edit it by hand: add level" in project.output


@pytest.fixture
def with_tests(project):
    """A project whose tests read a committed file."""
    project.git("init", "--quiet")
    committed = project.root / "data/data/our customers.csv"
    committed.parent.mkdir()
    customers().to_csv(committed, index=False)
    project.write("cicd_pipeline.sh", "export REFRESHED_PROJECT_DATA__SOURCE='data/data/our customers.csv'\n")
    return project, committed


def test_refresh_file_of_the_tests_is_replaced_by_the_command_that_is_shown(with_tests):
    project, committed = with_tests
    project.refresh(customers(level=np.arange(N_ROWS) % 7))
    command = project.output.splitlines()[-1].strip()

    assert "The tests read data/data/our customers.csv, which has the old columns: after the edit" in project.output
    subprocess.run(["bash", "-c", command], cwd=project.root, check=True)
    project.git("apply", str(PATCH))
    assert project.refresh(source=str(committed), check=True) == 0


def test_refresh_file_of_the_tests_for_a_large_table_wants_some_rows_of_it(with_tests):
    project, _ = with_tests
    many = pd.concat([customers(customer=np.arange(N_ROWS) + 100 * n, level=3 * (n % 2)) for n in range(40)])

    project.refresh(many)

    assert "write at most 2,000 of the new rows to it, in the form that it has now" in project.output


def test_refresh_file_of_the_tests_that_still_fits_is_not_named(with_tests):
    project, committed = with_tests
    project.refresh(customers(plan="X"))
    assert "The tests read" not in project.output

    customers(level=np.arange(N_ROWS) % 7).to_csv(committed, index=False)
    project.refresh(source=str(committed))
    assert "could be a feature" in project.output
    assert "The tests read" not in project.output


def test_refresh_new_columns_of_no_use_are_left_out_by_a_comment(project):
    project.git("init", "--quiet")
    project.refresh(customers(**{"constant, always": 1, "empty": np.nan}))
    project.git("apply", str(PATCH))

    assert '    # left out: note, "constant, always", empty\n' in project.read(project.schema)
    assert project.read("use_cases/use_case_config.py") == USE_CASE
    assert project.refresh(check=True) == 0


def with_csv(options):
    config = USE_CASE.replace('id_column="customer"', f'id_column="customer", csv=CsvConfig({options})')
    return config.replace("import Config", "import Config, CsvConfig")


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"sep": ";", "decimal": ","}, "csv=CsvConfig(delimiter=';', decimal=',')"),
        ({"sep": "\t"}, "delimiter  now '\\t'; the config says ','"),
        ({"encoding": "cp1252"}, "csv=CsvConfig(encoding='cp1252')"),
    ],
)
def test_refresh_table_written_in_another_way_is_a_change(project, written, told, given):
    project.write(project.schema, SCHEMA.replace('"pro"]', '"pro", "groß"]'))
    path = project.root / ("export.csv" if given else "data/customers.csv")
    plans = np.where(np.arange(N_ROWS) % 3, "basic", "groß")
    customers(plan=plans).to_csv(path, **{"index": False, **written})

    assert project.refresh(source=str(path) if given else None, check=True) == 1
    assert "Written in another way" in project.output
    assert told in project.output
    assert "Read so, every row fits." in project.output
    assert "Nothing changed" not in project.output


def test_refresh_separated_thousands_of_another_table_are_a_change(project):
    table = customers(age=np.where(np.arange(N_ROWS) % 9, "20", "1,000"))
    project.write(project.schema, SCHEMA.replace("MOST = 100", "MOST = 2000"))
    table.to_csv(project.root / "export.csv", index=False)

    assert project.refresh(source=str(project.root / "export.csv"), check=True) == 1
    assert "csv=CsvConfig(thousands=',')" in project.output
    assert "Nothing changed" not in project.output


def test_refresh_other_changes_of_a_table_written_in_another_way_are_told_too(project):
    customers(plan="X").to_csv(project.root / "export.csv", index=False, sep=";")

    assert project.refresh(source=str(project.root / "export.csv"), check=True) == 1
    assert "csv=CsvConfig(delimiter=';')" in project.output
    assert "'X'" in project.output


def test_refresh_encoding_that_only_looks_like_the_configs_is_a_change(project):
    project.write("use_cases/use_case_config.py", with_csv('encoding="cp1252"'))
    table = customers(note="größer")
    assert project.refresh(table, check=True) == 1
    assert "encoding  now 'utf-8'; the config says 'cp1252'" in project.output

    table.to_csv(project.root / "data/customers.csv", index=False, encoding="cp1252")
    assert project.refresh(check=True) == 0


def test_refresh_dialect_that_the_user_knows_better_than_a_guess_is_kept(project):
    project.write("use_cases/use_case_config.py", with_csv('delimiter=";", decimal=",", thousands="."'))
    table = customers(age="20", spent="1.000")

    table.to_csv(project.root / "data/customers.csv", index=False, sep=";")

    assert project.refresh(check=True) == 0


def test_refresh_decimal_commas_are_numbers_in_new_columns_too(project):
    project.write("use_cases/use_case_config.py", with_csv('delimiter=";", decimal=","'))
    changed = customers(weight=np.arange(N_ROWS) + 0.5)
    changed.to_csv(project.root / "data/customers.csv", index=False, sep=";", decimal=",")

    project.refresh()

    assert "weight: Series[float]" in project.read(str(PATCH))


def test_refresh_sqlite_below_the_project_is_found_from_another_folder(project):
    with contextlib.closing(sqlite3.connect(project.root / "data/crm.db")) as connection:
        customers(plan="X").to_sql("customers", connection, index=False)
    config = USE_CASE.replace('"data/customers.csv"', '"sqlite:///data/crm.db", table="customers"')
    project.write("use_cases/use_case_config.py", config)

    project.refresh()

    assert "not among the values allowed in 60 rows (100.0%), first row 0: 'X'" in project.output


def test_refresh_schema_in_another_encoding_is_refused(project):
    text = "# -*- coding: latin-1 -*-\n" + SCHEMA.replace("The schema", "Größen")
    (project.root / project.schema).write_bytes(text.encode("latin-1"))

    with pytest.raises(ConfigError, match="is not written in UTF-8"):
        project.refresh()


@pytest.mark.parametrize("folder", ["refreshed_project", "my projects/größer"])
def test_refresh_project_inside_a_larger_repository_applies_from_its_folder(project, monkeypatch, folder):
    (project.root.parent / "repository" / folder).parent.mkdir(parents=True)
    project.root = project.root.rename(project.root.parent / "repository" / folder)
    monkeypatch.syspath_prepend(str(project.root))
    subprocess.run(["git", "init", "--quiet", str(project.root.parents[len(Path(folder).parts) - 1])], check=True)

    project.refresh(customers(plan="X"))
    project.git("apply", str(PATCH))

    assert project.read(project.schema) == SCHEMA.replace('"pro"]', '"pro", "X"]')


def test_refresh_project_without_a_repository_applies(project):
    project.refresh(customers(plan="X"))
    project.git("apply", str(PATCH))

    assert project.read(project.schema) == SCHEMA.replace('"pro"]', '"pro", "X"]')


def test_refresh_windows_line_ends_apply(project):
    project.git("init", "--quiet")
    project.write(project.schema, SCHEMA.replace("\n", "\r\n"))

    project.refresh(customers(plan="X"))
    project.git("apply", str(PATCH))

    assert project.read(project.schema) == SCHEMA.replace('"pro"]', '"pro", "X"]').replace("\n", "\r\n")


def test_refresh_schema_without_last_line_end_applies(project):
    project.git("init", "--quiet")
    project.write(project.schema, SCHEMA.removesuffix("\n"))

    project.refresh(customers(churn=["no", "yes", "maybe"] * (N_ROWS // 3)))
    project.git("apply", str(PATCH))

    assert project.read(project.schema).endswith('churn: Series[str] = pa.Field(isin=["no", "yes", "maybe"])')
    assert "it is the target" in project.output


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ("refreshed_project/schema.py", "import pandera.pandas as pa\nx = (", ["SyntaxError", "schema.py, line 2"]),
        ("refreshed_project/schema.py", "x = 1 / 0", ["ZeroDivisionError", "schema.py, line 1"]),
        ("refreshed_project/schema.py", "x = 1", ["does not define RawData"]),
        ("use_cases/use_case_config.py", "raise KeyError('a')", ["KeyError", "use_case_config.py, line 1"]),
        ("use_cases/use_case_config.py", USE_CASE.replace('"data/cus', '"data/no_cus'), ["no_customers.csv"]),
        ("use_cases/use_case_config.py", USE_CASE.replace('"churn"', '"left"'), ["'left' is no column of the schema"]),
        ("data/customers.csv", "customer,age,plan,spent,churn\n", ["has no rows"]),
        ("data/customers.csv", "customer,age,plan,spent\n1,2,pro,3\n", ["'churn' is not in the table"]),
    ],
)
def test_refresh_bad_input_is_one_clear_error(project, path, text, words):
    project.write(path, text)

    with pytest.raises(MlProjectError) as raised:
        project.refresh()
    assert all(word in str(raised.value) for word in words), raised.value
    assert not (project.root / PATCH).exists()


def test_refresh_folder_without_a_project_is_refused(project):
    shutil.rmtree(project.root / "use_cases")

    with pytest.raises(ConfigError, match="holds no project"):
        project.refresh()


def test_refresh_package_from_another_folder_is_refused(project, monkeypatch):
    monkeypatch.setenv("ML_PROJECT_PACKAGE", "tests.example")

    with pytest.raises(ConfigError, match=r"tests\.example\.schema lies in"):
        project.refresh()


DESCRIBED = {
    "pa.Field(ge=0, le=MOST)": 'pa.Field(ge=0, le=MOST, description="Whole number, 20 to 69 in the data.")',
    'isin=["basic", "pro"])': 'isin=["basic", "pro"], description="One of 2 categories, most often \'basic\' (67 %).")',
    "ge=0, nullable=True, ": 'ge=0, nullable=True, description="What they spent.", ',
}


def test_refresh_generated_description_follows_the_edit_and_one_of_the_user_stays(project):
    project.git("init", "--quiet")
    text = SCHEMA
    for old, new in DESCRIBED.items():
        assert old in text
        text = text.replace(old, new)
    project.write(project.schema, text)
    rows = np.arange(N_ROWS)

    project.refresh(customers(age=rows - 3, plan=np.where(rows % 3, "basic", "gold"), spent=rows - 5.0))
    project.git("apply", str(PATCH))

    after = project.read(project.schema)
    assert 'description="Whole number, -3 to 56 in the data."' in after
    assert "One of 2 categories, most often 'basic' (67 %)." in after
    assert 'description="What they spent."' in after
    assert project.refresh(customers(plan=np.where(rows % 2, "basic", "free"))) == 0
    assert "One of 2 categories, most often 'basic' (50 %)." in project.read(str(PATCH))


def test_left_out_columns_without_such_a_comment_are_none():
    assert left_out_columns(SCHEMA.replace("left out", "kept")) == []
