"""Files of made-up rows."""

import pandas as pd
import pytest

from ml_project.config_service import SyntheticConfig
from ml_project.data.raw_schema import ColumnRule, RawSchema
from ml_project.data.synthetic import RowGenerator
from ml_project.data.synthetic_files import write_rows
from ml_project.errors import ConfigError, InvalidDataError

SCHEMA = RawSchema(
    columns=(
        ColumnRule(name="number", kind="integer", unique=True),
        ColumnRule(name="size", kind="number", nullable=True),
        ColumnRule(name="word", kind="text", nullable=True),
    )
)
REFERENCE = pd.DataFrame(
    {
        "number": range(30),
        "size": [0.5 * place if place % 4 else None for place in range(30)],
        "word": pd.Series([None, "one", "two and three"] * 10, dtype="str"),
    }
)


@pytest.fixture
def write():
    def write_with(**fields):
        done = []
        generator = RowGenerator.fit(REFERENCE, SCHEMA)
        config = SyntheticConfig(**fields)
        files = write_rows(generator, config, 5, advance=done.append)
        assert sum(done) == config.n_rows
        return files

    return write_with


def test_write_rows_folder_has_the_same_rows_as_one_file(write, tmp_path):
    parts = write(n_rows=2500, rows_per_file=1000, output=tmp_path / "parts")
    assert [path.name for path in parts] == ["rows-00000.parquet", "rows-00001.parquet", "rows-00002.parquet"]
    whole = pd.read_parquet(*write(n_rows=2500, rows_per_file=1000, output=tmp_path / "whole.parquet"))
    pd.testing.assert_frame_equal(pd.concat([pd.read_parquet(path) for path in parts], ignore_index=True), whole)
    assert whole["number"].tolist() == list(range(1, 2501))
    from_csv = pd.read_csv(*write(n_rows=2500, output=tmp_path / "rows.csv"), float_precision="round_trip")
    pd.testing.assert_frame_equal(from_csv, whole, check_dtype=False)


def test_write_rows_replaces_the_parts_of_an_earlier_run(write, tmp_path):
    write(n_rows=300, rows_per_file=100, output=tmp_path / "rows")
    write(n_rows=100, rows_per_file=100, output=tmp_path / "rows")
    assert [path.name for path in (tmp_path / "rows").iterdir()] == ["rows-00000.parquet"]


def test_write_rows_folder_with_other_files_is_refused_and_left_alone(write, tmp_path):
    (tmp_path / "customers.parquet").write_text("precious")
    with pytest.raises(ConfigError, match=r"holds 'customers.parquet', which no earlier run made"):
        write(n_rows=100, output=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["customers.parquet"]


def test_write_rows_failing_midway_leaves_no_file(tmp_path):
    schema = RawSchema(columns=(ColumnRule(name="number", kind="integer", unique=True, minimum=1, maximum=300_000),))
    generator = RowGenerator.fit(REFERENCE[["number"]], schema)
    config = SyntheticConfig(n_rows=400_000, output=tmp_path / "rows.parquet")
    with pytest.raises(InvalidDataError, match="make fewer rows"):
        write_rows(generator, config, 5, advance=lambda n_rows: None)
    assert list(tmp_path.iterdir()) == []
