"""The forms of ``/invocations``: those of MLflow's scoring server, and CSV with a header as SageMaker sends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from ml_project.errors import MediaTypeError, NotJsonError
from ml_project.serving.codecs.csv_body import CSV, read_csv
from ml_project.serving.codecs.json_body import kind_of, means_json, parse_json, shortened
from ml_project.serving.codecs.limits import check_n_records
from ml_project.serving.messages import JSON, HttpRequest

FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")

Records = Sequence[Mapping[str, Any]]


def to_records(request: HttpRequest, *, max_records: int) -> Records:
    """Return the records of a body of ``/invocations``.

    Raises
    ------
    MediaTypeError
        When the content type is neither JSON nor CSV.
    NotJsonError
        When the body is not what its content type says, or none of the known forms.
    BatchTooLargeError
        When there are more than ``max_records``.
    """
    declared = request.headers.get("content-type") or JSON
    media_type, _, parameters = declared.partition(";")
    if media_type.strip().lower() == CSV:
        return read_csv(request.body, parameters, max_records=max_records)
    if not means_json(declared):
        raise MediaTypeError(f"The content type {shortened(declared)} is not understood here; send {JSON} or {CSV}")
    # MLflow's own client sends NaN for a missing number, although JSON has none.
    return _from_json(parse_json(request.body, allow_nan=True), max_records)


def _from_json(payload: Any, max_records: int) -> Records:
    found = [form for form in FORMS if isinstance(payload, dict) and form in payload]
    if len(found) != 1:
        have = f"has {' and '.join(found)}" if found else f"is {kind_of(payload)} without any of them"
        raise NotJsonError(f"The body must be a JSON object with exactly one of {', '.join(FORMS)}; it {have}")
    value = payload[found[0]]
    if found[0] == "dataframe_split":
        return _from_split(value, max_records)
    if found[0] == "inputs" and isinstance(value, dict):
        return _from_columns(value, max_records)
    if not isinstance(value, list):
        raise NotJsonError(f"{found[0]} is {kind_of(value)}; send a list of records, which are JSON objects")
    return value


def _from_split(value: Any, max_records: int) -> Records:
    columns, rows = (value.get("columns"), value.get("data")) if isinstance(value, dict) else (None, None)
    if not _is_list_of(columns, str) or not _is_list_of(rows, list):
        raise NotJsonError('dataframe_split must be {"columns": [names], "data": [[values of a row], ...]}')
    check_n_records(len(rows), max_records)
    if len(set(columns)) < len(columns):
        raise NotJsonError("dataframe_split names a column twice; name each once")
    for position, row in enumerate(rows):
        if len(row) != len(columns):
            raise NotJsonError(
                f"dataframe_split: row {position} has {len(row)} values for {len(columns)} columns; give one each"
            )
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _from_columns(value: dict[str, Any], max_records: int) -> Records:
    if not all(isinstance(column, list) for column in value.values()):
        raise NotJsonError('inputs must be {"column": [one value per row], ...} or a list of records')
    lengths = sorted({len(column) for column in value.values()})
    if len(lengths) > 1:
        raise NotJsonError(f"inputs: the columns have between {lengths[0]} and {lengths[-1]} values; give one per row")
    check_n_records(max(lengths, default=0), max_records)
    return [dict(zip(value, row, strict=True)) for row in zip(*value.values(), strict=True)]


def _is_list_of[T](value: Any, kind: type[T]) -> TypeGuard[list[T]]:
    return isinstance(value, list) and all(isinstance(item, kind) for item in value)
