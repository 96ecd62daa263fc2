"""The table of predictions, chunk by chunk."""

import errno
import io
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ml_project.prediction.batch_output import csv_lines
from ml_project.prediction.table_writer import WRITERS

HARD_NUMBERS = [0.1 + 0.2, 1e-300, 5e-324, 1 / 3, 0.0, 1.0, -3.0, 1e9, 1e10, 1e15, 1e22, 1.7976931348623157e308, 1e-5]
TABLES = [
    pa.table({"id": [1, 2], "label": ["yes", 'a "quoted", text'], "proba_yes": [0.1 + 0.2, 1e-300]}),
    pa.table({"id": [3], "label": ["no"], "proba_yes": [1 / 3]}),
]


def write_part(path: Path, table: pa.Table) -> Path:
    if path.suffix == ".csv":
        path.write_bytes(b"".join(map(bytes, csv_lines(table))))
    else:
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table)
    return path


def lines_of(frame: pd.DataFrame) -> str:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    return b"".join(map(bytes, csv_lines(table))).decode()


def read(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, float_precision="round_trip")


@pytest.mark.parametrize("name", ["table.csv", "table.parquet"])
def test_append_several_parts_gives_one_table(tmp_path: Path, name: str):
    writer = WRITERS[Path(name).suffix](tmp_path / name, TABLES[0].schema)
    for number, table in enumerate([TABLES[0].slice(0, 0), *TABLES]):
        writer.append(write_part(tmp_path / f"{number}{Path(name).suffix}", table))
    writer.close()
    expected = pa.concat_tables(TABLES).to_pandas()
    pd.testing.assert_frame_equal(read(tmp_path / name), expected, check_exact=True)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSOCK])
def test_append_where_the_system_cannot_copy_gives_the_same(tmp_path: Path, monkeypatch, number: int):
    def refuse(*arguments: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "sendfile", refuse)
    writer = WRITERS[".csv"](tmp_path / "table.csv", TABLES[0].schema)
    for place, table in enumerate(TABLES):
        writer.append(write_part(tmp_path / f"{place}.csv", table))
    writer.close()
    expected = pa.concat_tables(TABLES).to_pandas()
    pd.testing.assert_frame_equal(read(tmp_path / "table.csv"), expected, check_exact=True)


def test_append_on_a_full_disk_is_no_reason_to_copy_in_another_way(tmp_path: Path, monkeypatch):
    def refuse(*arguments: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "sendfile", refuse)
    writer = WRITERS[".csv"](tmp_path / "table.csv", TABLES[0].schema)
    with pytest.raises(OSError, match="No space left"):
        writer.append(write_part(tmp_path / "part.csv", TABLES[0]))
    writer.close()


@pytest.mark.parametrize("name", ["table.csv", "table.parquet"])
def test_close_without_parts_gives_an_empty_table(tmp_path: Path, name: str):
    WRITERS[Path(name).suffix](tmp_path / name, TABLES[0].schema).close()
    assert list(read(tmp_path / name).columns) == ["id", "label", "proba_yes"]


def test_csv_lines_are_those_of_pandas():
    random = np.random.default_rng(0)
    numbers = np.concatenate([HARD_NUMBERS, random.random(500), random.random(500).astype(np.float32), [np.nan]])
    texts = ["a", "b,c", 'd"e', "f\ng", "", "h\ri", None]
    flags = [bool(row % 2) for row in range(len(numbers))]
    frame = pd.DataFrame({"text": pd.Series(texts * 200)[: len(numbers)], "number": numbers, "flag": flags})
    lines = lines_of(frame)
    read = pd.read_csv(io.StringIO("text,number,flag\n" + lines), float_precision="round_trip")
    pd.testing.assert_frame_equal(read, frame.replace({"": np.nan}), check_exact=True)
    simple = frame[frame["number"].abs().between(1e-4, 1e10, inclusive="left") & (frame["text"] != "h\ri")]
    assert lines_of(simple) == simple.to_csv(index=False, header=False, lineterminator="\n")


def test_csv_lines_of_many_rows_are_complete():
    rows = np.arange(150_000)
    frame = pd.DataFrame({"row": rows, "half": rows / 2})
    assert lines_of(frame) == frame.to_csv(index=False, header=False)
