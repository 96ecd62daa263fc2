"""The forms of MLflow and SageMaker."""

import json

import pytest

from ml_project.errors import BatchTooLargeError, MediaTypeError, NotJsonError
from ml_project.serving.codecs.csv_body import read_csv
from ml_project.serving.codecs.invocations import to_records
from ml_project.serving.messages import HttpRequest

RECORDS = [{"age": 1, "sex": "male"}, {"age": None, "sex": "female"}]


def records_of(content, media_type="application/json", max_records=100):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return to_records(HttpRequest("POST", "/invocations", {"content-type": media_type}, body), max_records=max_records)


@pytest.mark.parametrize(
    "content",
    [
        {"dataframe_records": RECORDS},
        {"instances": RECORDS, "signature_name": "x"},
        {"inputs": RECORDS},
        {"inputs": {"age": [1, None], "sex": ["male", "female"]}},
        {"dataframe_split": {"columns": ["age", "sex"], "data": [[1, "male"], [None, "female"]], "index": [5, 6]}},
    ],
)
def test_to_records_every_form_gives_the_same(content):
    assert records_of(content) == RECORDS


@pytest.mark.parametrize(
    "content",
    [{"inputs": {}}, {"inputs": {"age": []}}, {"instances": []}, {"dataframe_split": {"columns": ["a"], "data": []}}],
)
def test_to_records_nothing_in_any_form_is_nothing(content):
    assert records_of(content) == []


def test_to_records_nan_is_taken():
    assert str(records_of(b'{"instances": [{"age": NaN}]}')) == "[{'age': nan}]"


def test_to_records_csv_is_texts():
    assert records_of(b"age,sex\n1,male\n,female\n", "text/csv") == [
        {"age": "1", "sex": "male"}, {"age": "", "sex": "female"},
    ]  # fmt: skip


def test_to_records_too_many_in_forms_that_make_records_is_refused_before():
    rows = [[1]] * 11
    for content in ({"inputs": {"a": [1] * 11}}, {"dataframe_split": {"columns": ["a"], "data": rows}}):
        with pytest.raises(BatchTooLargeError, match="11 records at once are too many; send at most 10 per request"):
            records_of(content, max_records=10)
    assert len(records_of({"dataframe_split": {"columns": ["a"], "data": rows[:10]}}, max_records=10)) == 10


def test_to_records_other_content_type_is_refused():
    with pytest.raises(MediaTypeError, match="'text/html' is not understood here; send application/json or text/csv"):
        records_of({}, "text/html")


@pytest.mark.parametrize(
    ("content", "wording"),
    [
        ("instances", "it is a text without any of them"),
        ({"instances": None}, "instances is null; send a list"),
        ({"inputs": "a"}, "inputs is a text; send a list"),
        ({"dataframe_split": []}, "dataframe_split must be"),
        ({"dataframe_split": {"columns": [1], "data": []}}, "dataframe_split must be"),
        ({"dataframe_split": {"columns": ["a"], "data": [1]}}, "dataframe_split must be"),
    ],
)
def test_to_records_no_form_is_refused(content, wording):
    with pytest.raises(NotJsonError, match=wording):
        records_of(content)


def csv(body, parameters="", max_records=100):
    return read_csv(body, parameters, max_records=max_records)


def test_read_csv_quotes_ends_of_lines_and_marks():
    body = '\ufeffname,note\r\n"Dee, ""Ann""","two\nlines"\r\n\r\né,x'.encode()
    assert csv(body) == [{"name": 'Dee, "Ann"', "note": "two\nlines"}, {"name": "é", "note": "x"}]


def test_read_csv_too_many_rows_is_refused_without_reading_all():
    with pytest.raises(BatchTooLargeError, match="11 records at once"):
        csv(b"a\n" + b"1\n" * 1000, max_records=10)
    assert len(csv(b"a\n" + b"1\n" * 10, max_records=10)) == 10


def test_read_csv_blank_lines_are_no_rows():
    assert len(csv(b"a\n\n1\n\n\n2\n", max_records=2)) == 2


@pytest.mark.parametrize(
    ("body", "wording"),
    [
        (b"", "The body is empty; send CSV with a header of column names"),
        (b"\n\n", "The body is empty"),
        (b"a,b\n1\n", "row 0 has 1 values for 2 columns"),
        (b"a,b\n1,2\n1,2,3\n", "row 1 has 3 values for 2 columns"),
        (b"a,a\n", "names a column twice"),
        (b'a\n"1', "The body is not CSV in UTF-8: unexpected end of data"),
        (b"a\n" + b"x" * 140_000, "The body is not CSV in UTF-8: field larger than field limit"),
        ("a\né".encode("latin-1"), "The body is not CSV in UTF-8: "),
        ("a\n1".encode("utf-16"), "The body is not CSV in UTF-8: "),
    ],
)
def test_read_csv_broken_is_refused(body, wording):
    with pytest.raises(NotJsonError, match=wording):
        csv(body)


@pytest.mark.parametrize("parameters", ["header=absent", " Header = Absent", "charset=latin-1"])
def test_read_csv_other_parameters_are_refused(parameters):
    with pytest.raises(MediaTypeError):
        csv(b"a\n1", parameters)
