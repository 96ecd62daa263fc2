"""The forms of ``/invocations``: those of MLflow's scoring server, and CSV with a header as SageMaker sends it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from ml_project.errors import MediaTypeError, NotJsonError
from ml_project.serving.codecs.json_body import kind_of, read_json, shortened
from ml_project.serving.messages import JSON, HttpRequest

CSV = "text/csv"
FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")

Records = Sequence[Mapping[str, Any]]


def to_records(request: HttpRequest) -> Records:
    """Return the records of a body of ``/invocations``.

    Raises
    ------
    MediaTypeError
        When the content type is neither JSON nor CSV.
    NotJsonError
        When the body is not what its content type says, or none of the known forms.
    """
    declared = request.headers.get("content-type", JSON)
    media_type, _, parameters = declared.lower().partition(";")
    if media_type.strip() == CSV:
        return _from_csv(request.body, parameters)
    if media_type.strip() != JSON:
        raise MediaTypeError(f"The content type {shortened(declared)} is not understood here; send {JSON} or {CSV}")
    return _from_json(read_json(request))


def _from_json(payload: Any) -> Records:
    found = [form for form in FORMS if isinstance(payload, dict) and form in payload]
    if len(found) != 1:
        have = f"has {' and '.join(found)}" if found else f"is {kind_of(payload)} without any of them"
        raise NotJsonError(f"The body must be a JSON object with exactly one of {', '.join(FORMS)}; it {have}")
    value = payload[found[0]]
    if found[0] == "dataframe_split":
        return _from_split(value)
    if found[0] == "inputs" and isinstance(value, dict):
        return _from_columns(value)
    if not isinstance(value, list):
        raise NotJsonError(f"{found[0]} is {kind_of(value)}; send a list of records, which are JSON objects")
    return value


def _from_split(value: Any) -> Records:
    columns, rows = (value.get("columns"), value.get("data")) if isinstance(value, dict) else (None, None)
    if not _is_list_of(columns, str) or not _is_list_of(rows, list):
        raise NotJsonError('dataframe_split must be {"columns": [names], "data": [[values of a row], ...]}')
    for position, row in enumerate(rows):
        if len(row) != len(columns):
            raise NotJsonError(
                f"dataframe_split: row {position} has {len(row)} values for {len(columns)} columns; give one each"
            )
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _from_columns(value: dict[str, Any]) -> Records:
    if not all(isinstance(column, list) for column in value.values()):
        raise NotJsonError('inputs must be {"column": [one value per row], ...} or a list of records')
    lengths = {name: len(column) for name, column in value.items()}
    if len(set(lengths.values())) > 1:
        raise NotJsonError(f"inputs: the columns have different numbers of values: {lengths}")
    return [dict(zip(value, row, strict=True)) for row in zip(*value.values(), strict=True)]


def _is_list_of[T](value: Any, kind: type[T]) -> TypeGuard[list[T]]:
    return isinstance(value, list) and all(isinstance(item, kind) for item in value)


def _from_csv(body: bytes, parameters: str) -> Records:
    if "header=absent" in parameters.replace(" ", ""):
        raise MediaTypeError("CSV without a header is not understood, because columns are known by name; send one")
    try:
        text = body.decode("utf-8-sig")
        header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    except (UnicodeDecodeError, csv.Error) as error:
        raise NotJsonError(f"The body is not CSV in UTF-8: {error}") from error
    except ValueError as error:
        raise NotJsonError("The body is empty; send CSV with a header of column names") from error
    if len(set(header)) < len(header):
        raise NotJsonError("The CSV's header names a column twice; name each once")
    rows = [row for row in rows if row]
    for number, row in enumerate(rows):
        if len(row) != len(header):
            raise NotJsonError(f"CSV: row {number} has {len(row)} values for {len(header)} columns; give one each")
    return [dict(zip(header, row, strict=True)) for row in rows]
