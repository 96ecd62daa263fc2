"""JSON bodies, and the form of ``/predict``: one record, or a list of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import from_json

from ml_project.errors import MediaTypeError, NotJsonError
from ml_project.serving.messages import JSON, HttpRequest


def read_json(request: HttpRequest) -> Any:
    """Return the value that a JSON body holds; of a name given twice in an object, the last value counts.

    Raises
    ------
    MediaTypeError
        When the content type says that it is something else.
    NotJsonError
        When the body is no JSON in UTF-8; NaN and infinity are none either.
    """
    declared = request.headers.get("content-type") or JSON
    if declared != JSON and not means_json(declared):
        raise MediaTypeError(
            f"The content type {shortened(declared)} is not understood here; send JSON with 'Content-Type: {JSON}'"
        )
    return parse_json(request.body, allow_nan=False)


def parse_json(body: bytes, *, allow_nan: bool) -> Any:
    """Return the value that JSON in UTF-8 holds.

    Raises
    ------
    NotJsonError
        When it is none.
    """
    try:
        return from_json(body, allow_inf_nan=allow_nan)
    except ValueError as error:
        if not body.strip():
            raise NotJsonError("The body is empty; send JSON") from error
        raise NotJsonError(f"The body is not JSON: {error}") from error


def to_records(payload: Any) -> Sequence[Mapping[str, Any]]:
    """Return the records of a body of ``/predict``; that a list's items are records is checked with their fields.

    Raises
    ------
    NotJsonError
        When it is neither a JSON object nor a list.
    """
    if type(payload) is dict:
        return (payload,)
    if type(payload) is list:
        return payload
    raise NotJsonError(f"The body is {kind_of(payload)}; send one record as a JSON object, or a list of them")


def from_answers(payload: Any, answers: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the body that answers a body of ``/predict``."""
    return answers[0] if type(payload) is dict else {"predictions": answers}


def kind_of(payload: Any) -> str:
    """Return what a value parsed from JSON is, in words."""
    names = {dict: "a JSON object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(payload), "a number")


def shortened(value: Any) -> str:
    """Return a value from outside as a message quotes it.

    Examples
    --------
    >>> shortened("age"), len(shortened("x" * 1000))
    ("'age'", 103)
    """
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}..."


def means_json(declared: str) -> bool:
    """Return whether a content type means JSON in UTF-8."""
    media_type, _, parameters = declared.partition(";")
    media_type = media_type.strip().lower()
    return (media_type == JSON or media_type.endswith("+json")) and is_utf8(parameters)


def is_utf8(parameters: str) -> bool:
    """Return whether the parameters of a content type leave the text in UTF-8."""
    charset = parameters.lower().partition("charset=")[2].split(";")[0].strip(" \"'")
    return charset in ("", "utf-8", "utf8", "us-ascii")
