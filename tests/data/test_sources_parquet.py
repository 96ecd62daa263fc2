from __future__ import annotations

import datetime as dt

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_project.data.sources.arrow_source import to_frame
from ml_project.errors import DataSourceError


def write(path, columns, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), path, **options)
    return path


@pytest.fixture
def folder(tmp_path):
    for number in (2, 0, 1):
        write(tmp_path / "parts" / f"part-{number}.parquet", {"a": [10 * number, 10 * number + 1], "b": ["x", None]})
    return tmp_path / "parts"


def test_read_types_keeps_values_exact(tmp_path, opened):
    columns = {
        "big": pa.array([2**60 + 1, None]),
        "word": pa.array(["x", None]).dictionary_encode(),
        "day": pa.array([dt.date(2024, 1, 2), None]),
    }
    frame = opened(write(tmp_path / "one.parquet", columns)).read()
    assert frame["big"][0] == 2**60 + 1
    assert str(frame["word"].dtype) == "str"
    assert frame["day"][0] == pd.Timestamp("2024-01-02")


def test_read_frame_with_named_index_keeps_it_as_a_column(tmp_path, opened):
    pd.DataFrame({"id": ["u", "v"], "a": [1, 2]}).set_index("id").to_parquet(tmp_path / "one.pq")
    assert sorted(opened(tmp_path / "one.pq").read().columns) == ["a", "id"]


def test_read_folder_is_in_the_order_of_the_paths(folder, opened):
    write(folder / "older" / "part-9.parquet", {"b": ["y"], "a": [7]})
    write(folder / "_temporary" / "part-0.parquet", {"a": [99], "b": ["z"]})
    (folder / "notes.txt").write_text("no table")
    source = opened(folder)
    assert source.read()["a"].tolist() == [7, 0, 1, 10, 11, 20, 21]
    assert source.count_rows() == 7


def test_read_chunks_across_files_gives_the_rows_of_read(folder, opened):
    source = opened(folder)
    chunks = list(source.read_chunks(4))
    assert [len(chunk) for chunk in chunks] == [4, 2]
    pd.testing.assert_frame_equal(to_frame(pa.concat_tables(chunks)), source.read())


@pytest.mark.parametrize("skip_rows", [0, 1, 2, 3, 7, 50, 51, 99, 100])
def test_read_chunks_skipped_rows_and_columns_left_out_gives_the_others(tmp_path, opened, skip_rows):
    for number in range(2):
        rows = [50 * number + row for row in range(50)]
        columns = {"b": [f"x{row % 3}" for row in rows], "a": rows}
        write(tmp_path / f"{number}.parquet", columns, row_group_size=20)
    chunks = opened(tmp_path).read_chunks(7, skip_rows=skip_rows, select=lambda names: names[::-1])
    found = pa.concat_tables(chunks, promote_options="default") if skip_rows < 100 else pa.table({"a": [], "b": []})
    assert found.column_names == ["a", "b"]
    assert found["a"].to_pylist() == list(range(skip_rows, 100))
    assert found["b"].to_pylist() == [f"x{row % 3}" for row in range(skip_rows, 100)]
    assert list(opened(tmp_path).read_chunks(7, skip_rows=100)) == []


def test_read_chunks_texts_that_repeat_come_as_dictionaries(tmp_path, opened):
    columns = {"few": ["x", None] * 5000, "many": [f"{row}" * 5 for row in range(10_000)]}
    path = write(tmp_path / "one.parquet", columns)
    chunk = next(opened(path).read_chunks(100))
    assert [pa.types.is_dictionary(field.type) for field in chunk.schema] == [True, False]


def test_read_folder_texts_encoded_in_some_files_only_become_common(tmp_path, opened):
    write(tmp_path / "0.parquet", {"a": ["x"] * 100})
    encoded = pa.array(["y"] * 100).dictionary_encode()
    write(tmp_path / "1.parquet", {"a": encoded.cast(pa.dictionary(pa.int8(), pa.string()))})
    write(tmp_path / "2.parquet", {"a": pa.array(["z"] * 100, pa.large_string())})
    source = opened(tmp_path)
    assert source.read()["a"].tolist() == ["x"] * 100 + ["y"] * 100 + ["z"] * 100
    assert pa.concat_tables(source.read_chunks(130))["a"].to_pylist() == source.read()["a"].tolist()


def test_state_changes_with_the_files(folder, opened):
    source = opened(folder)
    before = source.state()
    assert source.state() == before
    write(folder / "part-3.parquet", {"a": [1], "b": ["x"]})
    assert source.state() != before


def test_read_folder_integers_beside_decimals_or_nulls_become_common(folder, opened):
    write(folder / "part-3.parquet", {"a": [0.5], "b": pa.nulls(1)})
    assert opened(folder).read()["a"].tolist() == [0, 1, 10, 11, 20, 21, 0.5]


def test_read_folder_of_other_columns_names_files_and_columns(folder, opened):
    write(folder / "part-3.parquet", {"A": [1], "b": [5]})
    with pytest.raises(DataSourceError, match=r"do not have the same columns") as caught:
        opened(folder).read()
    assert "is it 'a' there?" in str(caught.value)
    assert "is string in" in str(caught.value)
    assert "part-3.parquet" in str(caught.value)


def test_read_folder_without_parquet_files_is_refused(tmp_path, opened):
    (tmp_path / "notes.txt").write_text("no table")
    with pytest.raises(DataSourceError, match=r"holds no Parquet files"):
        opened(tmp_path).read()


def test_read_missing_file_names_a_near_one(folder, opened):
    with pytest.raises(DataSourceError, match=r"did you mean 'part-0.parquet'"):
        opened(folder / "part_0.parquet").read()


def test_read_empty_or_rowless_file_is_refused(tmp_path, opened):
    (tmp_path / "empty.parquet").touch()
    with pytest.raises(DataSourceError, match=r"empty \(0 bytes\)"):
        opened(tmp_path / "empty.parquet").read()
    rowless = opened(write(tmp_path / "rowless.parquet", {"a": pa.array([], pa.int64())}))
    with pytest.raises(DataSourceError, match=r"has no rows"):
        rowless.read()
    with pytest.raises(DataSourceError, match=r"has no rows"):
        list(rowless.read_chunks(5))


def test_read_damaged_files_are_refused(tmp_path, opened):
    path = write(tmp_path / "one.parquet", {"a": list(range(10_000))}, write_page_checksum=True)
    content = path.read_bytes()
    for damaged in (content[: len(content) // 2], b"a,b\n1,2\n", content[:100] + bytes(2000) + content[2100:]):
        path.write_bytes(damaged)
        with pytest.raises(DataSourceError, match=r"one.parquet' is damaged or no Parquet file"):
            opened(path).read()


def test_read_repeated_names_are_refused(tmp_path, opened):
    path = write(tmp_path / "one.parquet", pa.table([[1], [2]], names=["a", "a"]))
    with pytest.raises(DataSourceError, match=r"a: appears 2 times"):
        opened(path).read()
