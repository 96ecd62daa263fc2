"""The data of a new project: verbatim copies, samples in the source's own form, every class in them."""

import datetime as dt
import sqlite3
from collections import namedtuple
from contextlib import closing
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from ml_project.config import CsvConfig, DataConfig
from ml_project.data.sources import open_source
from ml_project.data.sources.storage import Storage
from ml_project.errors import DataSourceError
from scaffolding import disk_space
from scaffolding.plan import ColumnRoles, Source
from scaffolding.writing import sample
from scaffolding.writing.sample import (
    FEWEST_ROWS_PER_CLASS,
    MAX_COMMITTED_ROWS,
    count_committed,
    plan_files,
    sample_rows,
    write_data,
)
from scaffolding.writing.sample_files import write_csv_rows, write_sqlite_rows

ROLES = ColumnRoles(target="y")
MANY_ROWS = pd.Series(["yes", "no"] * 2000)


def source_of(path, **fields):
    return Source(DataConfig(source=str(path), target_column="y", **fields), is_file=True, n_bytes=path.stat().st_size)


HEADER = "\ufeffnumber,note,y\r\n"


def record(number):
    return f'{number},"a ""quoted""\r\nnote, {number}",{"rare" if number % 400 == 7 else "usual"}\r\n'


def write_csv(path, n_rows):
    path.write_bytes((HEADER + "".join(map(record, range(n_rows)))).encode())
    return source_of(path)


def write(source, root):
    frame = open_source(source.data).read()
    return frame, write_data(frame, source, root, "churn", ROLES)


def test_write_data_of_a_small_file_is_one_verbatim_copy(tmp_path):
    source = write_csv(tmp_path / "customers.TSV", 30)
    source = Source(source.data.model_copy(update={"format": "csv"}), is_file=True, n_bytes=source.n_bytes)
    _, files = write(source, tmp_path / "project")
    copy = tmp_path / "project" / "data" / "data" / "churn.tsv"
    assert (files.source, files.committed, files.is_whole) == ("data/data/churn.tsv", "data/data/churn.tsv", True)
    assert copy.read_bytes() == (tmp_path / "customers.TSV").read_bytes()
    assert copy.stat().st_nlink == 1
    assert [path.name for path in copy.parent.iterdir()] == ["churn.tsv"]


def test_write_data_of_a_large_csv_file_has_a_sample_of_verbatim_records(tmp_path):
    source = write_csv(tmp_path / "customers.csv", 5000)
    frame, files = write(source, tmp_path)
    whole, part = (tmp_path / name for name in (files.source, files.committed))
    assert (files.committed, files.is_whole) == ("data/data/churn_sample.csv", False)
    assert whole.read_bytes() == (tmp_path / "customers.csv").read_bytes()
    rows = open_source(source.data.model_copy(update={"source": str(part)})).read()
    assert len(rows) == MAX_COMMITTED_ROWS
    positions = rows["number"].astype(int).tolist()
    assert positions == sorted(positions)
    pd.testing.assert_frame_equal(rows, frame.iloc[positions].reset_index(drop=True))
    assert (rows["y"] == "rare").sum() == FEWEST_ROWS_PER_CLASS
    assert part.read_bytes() == (HEADER + "".join(map(record, positions))).encode()


fields = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
line_ends = st.sampled_from(["\n", "\r\n"])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(fields, fields), min_size=1, max_size=12),
    line_ends,
    st.sampled_from(["utf-8", "utf-16", "utf-8-sig"]),
    st.data(),
)
def test_write_csv_rows_of_any_file_reads_back_as_those_rows(tmp_path_factory, rows, line_end, encoding, data):
    path = tmp_path_factory.mktemp("csv") / "any.csv"
    quoted = [";".join('"' + field.replace('"', '""') + '"' for field in row) for row in [("a", "b"), *rows]]
    path.write_bytes((line_end.join(quoted) + data.draw(st.sampled_from(["", line_end]))).encode(encoding))
    csv = CsvConfig(delimiter=";", encoding=encoding)
    config = DataConfig(source=str(path), target_column="a", csv=csv)
    frame = open_source(config).read()
    positions = np.array(sorted(data.draw(st.sets(st.integers(0, len(frame) - 1), min_size=1))))
    write_csv_rows(Storage(str(path)), csv, positions, len(frame), path.with_name("some.csv"))
    found = open_source(config.model_copy(update={"source": str(path.with_name("some.csv"))})).read()
    pd.testing.assert_frame_equal(found, frame.iloc[positions].reset_index(drop=True))


def test_write_csv_rows_keeps_blank_lines_above_the_header_and_counts_none_below(tmp_path):
    (tmp_path / "all.csv").write_text("\na,b\n1,2\n\n3,4\n5,6")
    write_csv_rows(Storage(str(tmp_path / "all.csv")), CsvConfig(), np.array([1, 2]), 3, tmp_path / "some.csv")
    assert (tmp_path / "some.csv").read_text() == "\na,b\n3,4\n5,6"


def test_write_csv_rows_of_a_file_that_grew_meanwhile_is_refused_and_writes_nothing(tmp_path):
    (tmp_path / "all.csv").write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(DataSourceError, match="had 1 row when it was read and 2 when"):
        write_csv_rows(Storage(str(tmp_path / "all.csv")), CsvConfig(), np.array([0]), 1, tmp_path / "some.csv")
    assert not (tmp_path / "some.csv").exists()


def test_write_data_of_a_large_parquet_file_has_a_sample_with_the_same_types(tmp_path):
    n_rows = 3000
    table = pa.table(
        {
            "number": pa.array(range(n_rows), pa.int32()),
            "day": pa.array([dt.date(2020, 1, 1)] * n_rows, pa.date32()),
            "price": pa.array([Decimal("1.50"), None] * (n_rows // 2), pa.decimal128(9, 2)),
            "y": pa.array(["a", "b", "c"] * (n_rows // 3)).dictionary_encode(),
        }
    )
    parquet.write_table(table, tmp_path / "customers.parquet", row_group_size=700)
    _, files = write(source_of(tmp_path / "customers.parquet"), tmp_path)
    found = parquet.read_table(tmp_path / files.committed)
    assert found.schema.equals(table.schema)
    positions = found["number"].to_pylist()
    assert len(positions) == MAX_COMMITTED_ROWS
    assert positions == sorted(positions)
    assert found.to_pylist() == table.take(positions).to_pylist()


def test_write_data_of_a_folder_stays_where_it_is_and_the_sample_is_a_file(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    for part in range(2):
        parquet.write_table(
            pa.table({"number": range(part * 1500, part * 1500 + 1500), "y": [part] * 1500}), folder / f"{part}.parquet"
        )
    source = Source(DataConfig(source=str(folder), target_column="y"), is_file=False)
    _, files = write(source, tmp_path / "project")
    assert files.source == str(folder)
    found = parquet.read_table(tmp_path / "project" / files.committed).to_pandas()
    assert found["number"].is_monotonic_increasing
    assert found["y"].value_counts().to_dict() == {0: 1000, 1: 1000}


def test_write_data_of_a_database_is_a_table_of_sqlite_that_reads_as_the_original(tmp_path):
    rows = [(number, number / 4, None if number % 3 else "x", "yes" if number % 2 else "no") for number in range(2500)]
    with closing(sqlite3.connect(tmp_path / "crm.db")) as database, database:
        database.execute('CREATE TABLE "my ""customers""" (id INTEGER PRIMARY KEY, "a b" REAL, note TEXT, y TEXT)')
        database.executemany('INSERT INTO "my ""customers""" VALUES (?, ?, ?, ?)', rows)
    data = DataConfig(source=f"sqlite:///{tmp_path}/crm.db", table='my "customers"', target_column="y")
    frame, files = write(Source(data, is_file=False), tmp_path / "project")
    assert files.source == data.source
    sampled = data.model_copy(update={"source": f"sqlite:///{tmp_path}/project/{files.committed}"})
    found = open_source(sampled).read()
    assert len(found) == MAX_COMMITTED_ROWS
    pd.testing.assert_frame_equal(found, frame.set_index("id", drop=False).loc[found["id"]].reset_index(drop=True))


def test_write_sqlite_rows_of_other_databases_types_are_stored_readably(tmp_path):
    moment = dt.datetime(2024, 5, 17, 8, 30, tzinfo=dt.UTC)
    values = {
        "a": [Decimal("1.5"), None],
        "b": [True, False],
        "c": [moment, None],
        "d": [dt.date(2024, 5, 17), None],
        "e": [{"x": 1}, []],
    }
    write_sqlite_rows(pd.DataFrame(values, dtype=object), "public.rows", tmp_path / "rows.sqlite")
    data = DataConfig(source=f"sqlite:///{tmp_path}/rows.sqlite", table="public.rows", target_column="a")
    found = open_source(data).read()
    assert found.iloc[0].tolist() == [1.5, 1, "2024-05-17 08:30:00+00:00", "2024-05-17", '{"x": 1}']
    assert found.iloc[1].tolist() == [None, 0, None, None, "[]"]


def test_plan_files_of_a_database_with_a_password_names_none():
    data = DataConfig(source="postgresql://me:secret@host/crm", table="customers", target_column="y")
    files = plan_files(Source(data, is_file=False), "churn", MANY_ROWS)
    assert files.source == "postgresql://me@host/crm"
    assert files.committed == "data/data/churn_sample.sqlite"


def test_plan_files_of_a_very_large_file_refers_to_where_it_lies(tmp_path, monkeypatch):
    path = tmp_path / "all.csv"
    path.write_text("y\n1\n")
    monkeypatch.chdir(tmp_path)
    data = DataConfig(source="all.csv", target_column="y")
    files = plan_files(Source(data, is_file=True, n_bytes=sample.MAX_COPIED_BYTES + 1), "churn", MANY_ROWS)
    assert (files.source, files.is_copied) == (str(path), False)


def test_write_data_on_a_full_disk_is_refused_with_the_sizes(tmp_path, monkeypatch):
    source = write_csv(tmp_path / "all.csv", 3)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(disk_space.shutil, "disk_usage", lambda folder: usage(10, 10, 0))
    with pytest.raises(DataSourceError, match=r"all\.csv. lies on a disk with 0 MB free, and 64 MB are needed"):
        write(source, tmp_path)
    assert not (tmp_path / "data" / "data" / "churn.csv").exists()


@given(st.lists(st.integers(1, 3000), min_size=2, max_size=150), st.integers(20, 2000))
def test_sample_rows_has_every_class_in_order_and_about_its_share(counts, n_rows):
    target = pd.Series(np.random.default_rng(1).permutation(np.repeat(np.arange(len(counts)), counts)))
    positions = sample_rows(target, n_rows)
    assert len(positions) == min(n_rows, len(target))
    assert np.all(np.diff(positions) > 0)
    if len(counts) * FEWEST_ROWS_PER_CLASS <= n_rows < len(target):
        drawn = np.bincount(target.iloc[positions], minlength=len(counts))
        assert np.all(drawn >= np.minimum(counts, FEWEST_ROWS_PER_CLASS))
        assert np.all(drawn <= counts)


def test_sample_rows_of_very_many_classes_still_has_every_class():
    target = pd.Series([f"class {number}" for number in range(300)]).repeat(10)
    assert target.iloc[sample_rows(target, 700)].value_counts().min() >= 2


@pytest.mark.parametrize(("n_classes", "least"), [(150, 10), (400, 10), (1500, 10), (4000, 5)])
def test_count_committed_is_enough_for_rows_of_every_class(n_classes, least):
    sizes = 12 + 8000 // np.arange(1, n_classes + 1)
    target = pd.Series(np.repeat([f"class {number}" for number in range(n_classes)], sizes))
    n_rows = count_committed(target)
    counts = target.iloc[sample_rows(target, n_rows)].value_counts()
    assert n_rows <= sample.MAX_SAMPLE_ROWS
    assert counts.sum() == n_rows
    assert len(counts) == n_classes
    assert counts.min() >= least


def test_write_data_of_many_classes_writes_and_counts_the_larger_sample(tmp_path):
    labels = np.repeat([f"class {number}" for number in range(300)], 30)
    pd.DataFrame({"number": range(9000), "y": labels}).to_csv(tmp_path / "all.csv", index=False)
    source = source_of(tmp_path / "all.csv")
    _, files = write(source, tmp_path / "project")
    rows = pd.read_csv(tmp_path / "project" / files.committed)
    assert (files.n_committed, len(rows)) == (6000, 6000)


def test_sample_rows_of_many_numbers_is_random_so_that_their_distribution_stays():
    target = pd.Series(np.repeat(np.arange(100), np.arange(1, 101)))
    drawn = target.iloc[sample_rows(target, 500)]
    assert abs(drawn.mean() - target.mean()) < 3
    assert drawn.nunique() < 100


def test_sample_rows_is_the_same_each_time_and_random():
    target = pd.Series(np.arange(10_000) / 7)
    positions = sample_rows(target, 500)
    assert positions.tolist() == sample_rows(target, 500).tolist()
    assert 4500 < positions.mean() < 5500
    assert positions.tolist() != sample_rows(target, 500, seed=1).tolist()
