"""Whatever a table is written in is found out, or refused with what to do."""

from __future__ import annotations

import gzip
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ml_project.errors import ConfigError, DataSourceError
from scaffolding.profiling.table import find_source, read_table

TEXT = "größe;preis;name\n1;1.234,50;Ann\n2;2,5;Bob\n3;10.000,00;Cem\n"


def _read(path: Path, **options: Any) -> pd.DataFrame:
    return read_table(find_source(str(path), target="y", **options))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_find_source_any_usual_encoding_gives_the_same_table(tmp_path: Path, encoding: str, line_end: str):
    path = tmp_path / "prices.csv"
    path.write_bytes(TEXT.replace("\n", line_end).encode(encoding))

    frame = _read(path)

    assert frame.to_dict("list") == {
        "größe": ["1", "2", "3"],
        "preis": ["1234.50", "2.5", "10000.00"],
        "name": ["Ann", "Bob", "Cem"],
    }


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_find_source_any_usual_delimiter_is_found(tmp_path: Path, delimiter: str):
    path = tmp_path / "table.csv"
    rows = [["a b", "c"], ["1", f'"x{delimiter}y"'], ["2", "z"]]
    path.write_text("\n".join(delimiter.join(row) for row in rows) + "\n")

    source = find_source(str(path), target="c")

    assert source.data.csv.delimiter == delimiter
    assert read_table(source)["c"].tolist() == [f"x{delimiter}y", "z"]


@pytest.mark.parametrize(
    ("numbers", "delimiter", "decimal", "thousands"),
    [
        (["1.5", "2"], ",", ".", None),
        (["1,5", "2"], ";", ",", None),
        (["1,234", "0,5"], ";", ",", None),
        (["1,234", "2,345"], ";", ",", None),
        (['"1,234"', '"2,345"'], ",", ".", ","),
        (['"1,234,567"', "5"], ";", ".", ","),
        (['"1,234.5"', "5"], ";", ".", ","),
        (["1 234,5", "5"], ";", ",", " "),
        (["1'234.5", "5"], ";", ".", "'"),
        (["1.234", "2.345"], ";", ".", None),
        (["1.234.567", "2,5"], ";", ",", "."),
    ],
)
def test_find_source_numbers_say_which_signs_they_have(
    tmp_path: Path, numbers: list[str], delimiter: str, decimal: str, thousands: str | None
):
    path = tmp_path / "table.csv"
    path.write_text("x" + delimiter + "y\n" + "".join(f"{number}{delimiter}a\n" for number in numbers))

    csv = find_source(str(path), target="y").data.csv

    assert (csv.decimal, csv.thousands) == (decimal, thousands)


def test_find_source_given_options_win(tmp_path: Path):
    path = tmp_path / "table.csv"
    path.write_text("x,y\n1.234,a\n")

    csv = find_source(str(path), target="y", csv={"thousands": ".", "decimal": ","}).data.csv

    assert (csv.delimiter, csv.decimal, csv.thousands) == (",", ",", ".")


def test_find_source_wrong_given_option_is_refused_with_its_name(tmp_path: Path):
    path = tmp_path / "table.csv"
    path.write_text("x,y\n1,a\n")

    with pytest.raises(ConfigError, match=r"csv\.delimiter"):
        find_source(str(path), target="y", csv={"delimiter": "::"})


def test_find_source_unknown_ending_is_told_by_its_content(tmp_path: Path):
    frame = pd.DataFrame({"x": [1, 2], "y": ["a", "b"]})
    frame.to_parquet(tmp_path / "one.data")
    frame.to_csv(tmp_path / "two.data", index=False)

    found = [find_source(str(tmp_path / name), target="y") for name in ("one.data", "two.data")]

    assert [source.data.format for source in found] == ["parquet", "csv"]
    assert [source.is_file for source in found] == [True, True]
    assert found[1].n_bytes == (tmp_path / "two.data").stat().st_size
    pd.testing.assert_frame_equal(read_table(found[0]), frame)


def test_find_source_folder_of_parquet_files_is_one_table(tmp_path: Path):
    for number in range(2):
        pd.DataFrame({"x": [number]}).to_parquet(tmp_path / f"part{number}.parquet")

    source = find_source(str(tmp_path), target="x")

    assert not source.is_file
    assert read_table(source)["x"].tolist() == [0, 1]


def test_find_source_folder_without_parquet_is_refused(tmp_path: Path):
    (tmp_path / "note.txt").write_text("x")
    with pytest.raises(DataSourceError, match="holds no Parquet files"):
        find_source(str(tmp_path), target="x")


def test_find_source_missing_file_names_the_closest_one(tmp_path: Path):
    (tmp_path / "customers.csv").write_text("x\n1\n")
    with pytest.raises(DataSourceError, match=r"did you mean 'customers\.csv'"):
        find_source(str(tmp_path / "customer.csv"), target="x")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE orders (x INTEGER, y TEXT)")
        connection.execute("INSERT INTO orders VALUES (1, 'a'), (2, 'b')")
        connection.execute("CREATE TABLE customers (x INTEGER)")
    connection.close()
    return path


@pytest.mark.parametrize("start", ["sqlite:///", ""])
def test_find_source_database_with_table_is_read(database: Path, start: str):
    source = find_source(f"{start}{database}", target="y", table="orders")

    assert not source.is_file
    assert read_table(source).to_dict("list") == {"x": [1, 2], "y": ["a", "b"]}


def test_find_source_database_without_table_lists_them(database: Path):
    with pytest.raises(ConfigError, match=r"--table: customers, orders"):
        find_source(f"sqlite:///{database}", target="y")


def test_find_source_unknown_table_names_the_closest_one(database: Path):
    with pytest.raises(DataSourceError, match=r"did you mean 'orders'"):
        find_source(f"sqlite:///{database}", target="y", table="order")


def test_find_source_table_of_a_file_is_refused(tmp_path: Path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(ConfigError, match=r"data\.table is set, but data\.source is no database"):
        find_source(str(tmp_path / "a.csv"), target="y", table="orders")


def test_find_source_csv_options_of_a_parquet_file_are_refused(tmp_path: Path):
    pd.DataFrame({"x": [1]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(ConfigError, match=r"Options of CSV files \(delimiter\)"):
        find_source(str(tmp_path / "a.parquet"), target="x", csv={"delimiter": ";"})


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", b'[{"x": 1}]', r"is JSON.*read_json.*to_parquet"),
        ("a.csv", b'{"x": 1}\n{"x": 2}\n', r"is JSON.*lines=True"),
        ("a.xlsx", b"PK\x03\x04rest", r"Excel.*save the sheet as CSV"),
        ("a.zip", b"PK\x03\x04rest", r"another archive.*or unpack the archive"),
        ("a.csv.gz", b"\x1f\x8brest", r"is compressed"),
        ("a.csv", bytes(range(256)) * 20, r"does not seem to be a CSV file"),
        ("a.csv", b"1.5,2\n3,4\n", r"holds numbers \(1\.5, 2\), not column names"),
        ("a.csv", b"x,y,x\n1,2,3\n", r"columns with the same name"),
        ("a.csv", b"x,y\n", r"has no rows"),
        ("a.csv", b"", r"is empty"),
        ("a.csv", b"x,y\n1,2\n1,2,3\n", r"line 3: 3 fields"),
    ],
)
def test_find_source_no_table_says_what_to_do(tmp_path: Path, name: str, content: bytes, message: str):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataSourceError, match=message):
        read_table(find_source(str(tmp_path / name), target="y"))


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("it's.json", lambda path: path.write_text('[{"x": 1, "y": "a"}, {"x": 2, "y": "b"}]')),
        ("a b.json", lambda path: path.write_text('{"x": 1, "y": "a"}\n{"x": 2, "y": "b"}\n')),
        ("$HOME.feather", lambda path: pd.DataFrame({"x": [1, 2], "y": ["a", "b"]}).to_feather(path)),
        ("it's.csv.gz", lambda path: path.write_bytes(gzip.compress(b"x,y\n1,a\n2,b\n"))),
    ],
)
def test_find_source_command_for_another_format_makes_a_table(tmp_path: Path, name: str, write: Callable[[Path], Any]):
    write(tmp_path / name)
    with pytest.raises(DataSourceError) as refused:
        find_source(str(tmp_path / name), target="y")

    subprocess.run(["bash", "-c", str(refused.value).partition(": ")[2]], cwd="/", check=True)

    (converted,) = [path for path in tmp_path.iterdir() if path.name != name]
    assert _read(converted).astype(str).to_dict("list") == {"x": ["1", "2"], "y": ["a", "b"]}


def test_read_table_decimal_comma_leaves_other_texts_alone(tmp_path: Path):
    path = tmp_path / "table.csv"
    path.write_text("price;version;y\n1,5;1.5;a\n2,5;1,6b;b\n")

    assert _read(path)["version"].tolist() == ["1.5", "1,6b"]
