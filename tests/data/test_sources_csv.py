from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

from ml_project.config import CsvConfig
from ml_project.data.sources.arrow_source import to_frame
from ml_project.errors import DataSourceError


@pytest.fixture
def csv(tmp_path):
    def write(content, name="people.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


def test_read_any_values_gives_text_exactly_as_written(csv, opened):
    frame = opened(csv('id,name\n007,NA\n 1.0 ,\n,\'x "y"\n')).read()
    assert frame.to_dict("list") == {"id": ["007", " 1.0 ", ""], "name": ["NA", "", '\'x "y"']}
    assert [str(dtype) for dtype in frame.dtypes] == ["str", "str"]


def test_read_line_ends_and_quoted_newlines_keeps_them(csv, opened):
    frame = opened(csv('a,b\r\n1,"x\r\ny, ""z"""\r\n\r\n2,w')).read()
    assert frame.to_dict("list") == {"a": ["1", "2"], "b": ['x\r\ny, "z"', "w"]}


@pytest.mark.parametrize(
    ("written", "configured"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-8-sig", "latin-1"), ("cp1252", "cp1252"), ("utf-16", "utf-16")],
)
def test_read_encodings_and_byte_order_marks_gives_the_same(csv, opened, written, configured):
    source = opened(csv("größe,b\n1,é\n", encoding=written), csv={"encoding": configured})
    assert source.read().to_dict("list") == {"größe": ["1"], "b": ["é"]}


def test_read_other_delimiter_and_ending_works(csv, opened):
    assert list(opened(csv("a\tb\n1\t2\n", "people.tsv"), csv={"delimiter": "\t"}).read().columns) == ["a", "b"]
    assert len(opened(csv("a;b\n1;2\n", "people.dat"), csv={"delimiter": ";"}, format="csv").read()) == 1


@pytest.mark.parametrize(
    ("decimal", "thousands", "written", "normal"),
    [
        (",", ".", "1.234.567,5", "1234567.5"),
        (",", ".", " -1.234 ", " -1234 "),
        (",", None, "0,5e-3", "0.5e-3"),
        (",", " ", "1\u00a0234,5", "1234.5"),
        (".", ",", "1,234.5", "1234.5"),
        (".", "'", "1\u2019234", "1234"),
        (".", ",", "1,5", "1,5"),
        (",", ".", "12.34.5", "12.34.5"),
        (",", None, "?", "?"),
    ],
)
def test_read_decimal_and_thousands_changes_number_columns_only(csv, opened, decimal, thousands, written, normal):
    options = CsvConfig(delimiter=";", decimal=decimal, thousands=thousands)
    source = opened(csv(f"fare;note\n{written};{written}\n"), csv=options, number_columns=("fare", "absent"))
    assert source.read().to_dict("list") == {"fare": [normal], "note": [written]}


def test_read_decimal_point_where_comma_is_configured_is_refused(csv, opened):
    source = opened(csv("fare;b\n1,5;x\n2.5;y\n"), csv={"delimiter": ";", "decimal": ","}, number_columns=("fare",))
    with pytest.raises(DataSourceError, match=r"row 1, fare = '2.5'"):
        source.read()


def test_read_chunks_any_size_gives_the_rows_of_read(csv, opened):
    source = opened(csv("a,b\n" + "".join(f"{i},x\n" for i in range(10))))
    chunks = list(source.read_chunks(4))
    assert [len(chunk) for chunk in chunks] == [4, 4, 2]
    pd.testing.assert_frame_equal(to_frame(pa.concat_tables(chunks)), source.read())
    assert source.count_rows() == 10


def test_read_chunks_skipped_rows_and_columns_left_out_gives_the_others(csv, opened, monkeypatch):
    monkeypatch.setattr("ml_project.data.sources.csv_file.BLOCK_BYTES", 40)
    source = opened(csv("a,b,c\n" + "".join(f"{i},x{i},y\n" for i in range(20))))
    chunks = list(source.read_chunks(4, skip_rows=12, select=lambda names: names[1:2]))
    assert [chunk.to_pydict() for chunk in chunks] == [
        {"b": [f"x{i}" for i in range(12, 16)]},
        {"b": [f"x{i}" for i in range(16, 20)]},
    ]
    assert list(source.read_chunks(4, skip_rows=20)) == []


def test_state_changes_with_the_file(csv, opened):
    source = opened(csv("a,b\n1,2\n"))
    before = source.state()
    assert source.state() == before
    csv("a,b\n1,3\n")
    assert source.state() != before


def test_read_one_column_with_blank_lines_works(csv, opened):
    assert opened(csv("\na\n1\n\n2\n")).read()["a"].tolist() == ["1", "2"]


def test_read_missing_file_names_a_near_one(csv, opened):
    path = csv("a,b\n1,2\n")
    with pytest.raises(DataSourceError, match=r"poeple.csv' does not exist.*did you mean 'people.csv'"):
        opened(path.with_name("poeple.csv")).read()
    with pytest.raises(DataSourceError, match=r"its folder holds people.csv"):
        opened(path.with_name("zzz.csv")).read()
    with pytest.raises(DataSourceError, match=r"neither does its folder"):
        opened(path.parent / "nowhere" / "people.csv").read()


def test_read_folder_named_like_csv_is_refused(tmp_path, opened):
    (tmp_path / "people.csv").mkdir()
    with pytest.raises(DataSourceError, match=r"is a folder"):
        opened(tmp_path / "people.csv").read()


def test_read_empty_file_is_refused(csv, opened):
    with pytest.raises(DataSourceError, match=r"people.csv' is empty \(0 bytes\)"):
        opened(csv("")).read()
    with pytest.raises(DataSourceError, match=r"only blank lines"):
        opened(csv("\n\n")).read()


@pytest.mark.parametrize("content", ["a,b\n", "a,b", "a,b\r\n\r\n"])
def test_read_header_only_says_no_rows(csv, opened, content):
    source = opened(csv(content))
    with pytest.raises(DataSourceError, match=r"has no rows"):
        source.read()
    with pytest.raises(DataSourceError, match=r"has no rows"):
        list(source.read_chunks(10))
    assert source.count_rows() == 0


@pytest.mark.parametrize(
    ("row", "found"),
    [("1", "line 4: 1 fields, but the header has 2"), ("1,2,3", "line 4: 3 fields, but the header has 2")],
)
def test_read_ragged_row_names_the_line(csv, opened, row, found):
    with pytest.raises(DataSourceError, match=found):
        opened(csv(f'a,b\n1,"x\ny"\n{row}\n5,6\n')).read()


def test_read_many_ragged_rows_shows_five(csv, opened):
    with pytest.raises(DataSourceError) as caught:
        opened(csv("a,b\n" + "1\n" * 20)).read()
    assert len(caught.value.problems) == 5


@pytest.mark.parametrize("header", ["a", "a,b"])
def test_read_conflict_markers_names_the_lines(csv, opened, header):
    row = header.replace("a", "1").replace("b", "2")
    content = f"{header}\n{row}\n<<<<<<< HEAD\n{row}\n=======\n{row}\n>>>>>>> other\n"
    with pytest.raises(DataSourceError, match=r"(?s)line 3: git merge conflict.*line 5: .*line 7: "):
        opened(csv(content)).read()


def test_read_conflict_in_the_header_is_named(csv, opened):
    with pytest.raises(DataSourceError, match=r"merge conflict in line 1"):
        opened(csv("<<<<<<< HEAD\na,b\n=======\na,c\n>>>>>>> x\n1,2\n")).read()


@pytest.mark.parametrize(("right", "used"), [(";", ","), ("\t", ","), ("|", ";"), (",", ";")])
def test_read_wrong_delimiter_suggests_the_right_one(csv, opened, right, used):
    with pytest.raises(DataSourceError, match=r"set data.csv.delimiter to") as caught:
        opened(csv(f"a{right}b{right}c\n1{right}2{right}3\n"), csv={"delimiter": used}).read()
    assert repr(right) in str(caught.value)


def test_read_repeated_names_are_refused_and_blanks_are_left(csv, opened):
    with pytest.raises(DataSourceError, match=r"a: appears 2 times"):
        opened(csv("a,b,a\n1,2,3\n")).read()
    assert list(opened(csv("a,a \n1,2\n")).read().columns) == ["a", "a "]


@pytest.mark.parametrize(
    ("content", "configured", "likely"),
    [
        ("a,b\n1,x\n2,é\n".encode("cp1252"), "utf-8", "in line 3.*'cp1252'"),
        ("é,b\n1,x\n".encode("cp1252"), "utf-8", "in line 1.*'cp1252'"),
        ("a,b\n1,x\n2,é\n".encode(), "ascii", "in line 3.*'utf-8'"),
        ("a,b\n1,é\n".encode("utf-16"), "utf-8", "byte-order mark of utf-16"),
        ("a,b\n1,é\n".encode("utf-16-le"), "utf-8", "'utf-16'"),
        (b"a,b\n1,x\n", "utf-16", "not encoded as 'utf-16'.*'utf-8'"),
    ],
)
def test_read_wrong_encoding_names_line_and_a_better_one(csv, opened, content, configured, likely):
    with pytest.raises(DataSourceError, match=likely):
        opened(csv(content), csv={"encoding": configured}).read()


def test_read_unknown_encoding_is_refused(csv, opened):
    with pytest.raises(DataSourceError, match=r"encoding 'utf-9' is unknown; usual ones are utf-8"):
        opened(csv("a,b\n1,2\n"), csv={"encoding": "utf-9"}).read()


@pytest.mark.parametrize("content", ['a,b\n1,"2\n3,4\n5,6\n', 'a,b\n1,"2', 'a,b\n"1,2\n3,4\n', 'a,b\n1,"2\n3,"4"\n'])
def test_read_open_quote_is_refused(csv, opened, content):
    with pytest.raises(DataSourceError, match=r"quote"):
        opened(csv(content)).read()


def test_read_newline_in_the_last_value_is_no_open_quote(csv, opened):
    assert opened(csv('a,b\n1,"2\n"')).read()["b"].tolist() == ["2\n"]


def test_read_row_longer_than_a_block_is_explained(csv, opened, monkeypatch):
    monkeypatch.setattr("ml_project.data.sources.csv_file.BLOCK_BYTES", 64)
    with pytest.raises(DataSourceError, match=r"quote"):
        opened(csv('a,b\n1,"' + "x" * 1000 + "\n")).read()


def test_read_across_blocks_gives_every_row(csv, opened, monkeypatch):
    monkeypatch.setattr("ml_project.data.sources.csv_file.BLOCK_BYTES", 64)
    assert opened(csv("a,b\n" + "".join(f'{i},"x\n{i}"\n' for i in range(100)))).read()["a"].astype(
        int
    ).tolist() == list(range(100))
