"""JSON bodies: what is JSON, what is a record, what content types mean."""

import pytest

from ml_project.errors import MediaTypeError, NotJsonError
from ml_project.serving.codecs.json_body import (
    from_answers,
    is_utf8,
    kind_of,
    means_json,
    parse_json,
    read_json,
    shortened,
    to_records,
)
from ml_project.serving.messages import HttpRequest


def request(body, **headers):
    return HttpRequest("POST", "/predict", {name.replace("_", "-"): value for name, value in headers.items()}, body)


def test_read_json_without_content_type_is_json():
    assert read_json(request(b'{"a": [1, 2.5, null, true, "\\u00e9"]}')) == {"a": [1, 2.5, None, True, "é"]}
    assert read_json(request(b"[]", content_type="")) == []


def test_read_json_other_content_type_is_refused_and_quoted():
    with pytest.raises(MediaTypeError, match="content type 'text/csv' is not understood here; send JSON with"):
        read_json(request(b"{}", content_type="text/csv"))
    with pytest.raises(MediaTypeError, match=r"'a{99}\.\.\. is not understood"):
        read_json(request(b"{}", content_type="a" * 500))


def test_read_json_nan_is_refused_where_it_is_not_allowed():
    with pytest.raises(NotJsonError, match="The body is not JSON: expected value"):
        read_json(request(b"[NaN]"))
    assert str(parse_json(b"[NaN, Infinity]", allow_nan=True)) == "[nan, inf]"


@pytest.mark.parametrize("body", [b"", b" \r\n\t"])
def test_parse_json_empty_body_is_called_empty(body):
    with pytest.raises(NotJsonError, match="The body is empty; send JSON"):
        parse_json(body, allow_nan=False)


@pytest.mark.parametrize("body", [b"{}}", b"\xef\xbb\xbf{}", b"'a'", b'"\xed\xa0\x80"', b"01", b"1.", b"{,}", b"[1,]"])
def test_parse_json_anything_else_is_refused(body):
    with pytest.raises(NotJsonError, match="The body is not JSON: "):
        parse_json(body, allow_nan=False)


@pytest.mark.parametrize(
    ("declared", "means"),
    [
        ("application/json", True),
        ('Application/JSON ; Charset="UTF-8"', True),
        ("application/json;charset=us-ascii;x=y", True),
        ("application/geo+json", True),
        ("application/json; charset=utf-16", False),
        ("text/json", False),
        ("json", False),
        (";", False),
    ],
)
def test_means_json(declared, means):
    assert means_json(declared) is means


def test_is_utf8_no_charset_is():
    assert is_utf8("")
    assert is_utf8("header=present")
    assert not is_utf8("header=present; charset=cp1252")


def test_to_records_one_record_or_a_list_of_anything():
    assert to_records({"a": 1}) == ({"a": 1},)
    assert to_records([{"a": 1}, 5]) == [{"a": 1}, 5]
    assert to_records([]) == []


@pytest.mark.parametrize("payload", [None, True, 1, 1.5, "a"])
def test_to_records_anything_else_is_refused_by_its_kind(payload):
    with pytest.raises(NotJsonError, match=f"The body is {kind_of(payload)}; send one record"):
        to_records(payload)


def test_from_answers_has_the_form_of_the_question():
    assert from_answers({}, [{"label": 1}]) == {"label": 1}
    assert from_answers([{}], [{"label": 1}]) == {"predictions": [{"label": 1}]}
    assert from_answers([], []) == {"predictions": []}


def test_shortened_quotes_and_cuts():
    assert shortened("a\n") == r"'a\n'"
    assert shortened(10**300) == "1" + "0" * 99 + "..."
