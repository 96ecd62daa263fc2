"""The golden requests: what every deployment is asked, and what it has to answer.

Errors are written down whole, and predictions computed by the artifact in this process.
A project with another schema replaces :data:`RECORD` and the errors that name its columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from pydantic_core import to_json

from deployment.tests.golden_request import STATEMENTS, Golden, Record

MAX_BODY_BYTES = 1_000_000
MAX_BATCH_ROWS = 10_000
SETTINGS = {
    "ML_PROJECT_SERVING__MAX_BODY_BYTES": str(MAX_BODY_BYTES),
    "ML_PROJECT_SERVING__MAX_BATCH_ROWS": str(MAX_BATCH_ROWS),
}
"""Environment of every deployment that this suite starts."""

CSV_TYPE = {"content-type": "text/csv"}
RECORD: Record = {
    "pclass": 3,
    "name": "Dee, Miss. Ann",
    "sex": "female",
    "age": 29.5,
    "sibsp": 1,
    "parch": 1,
    "fare": 20.25,
    "cabin": "F7",
    "embarked": "S",
}


def changed(**values: Any) -> Record:
    """Return the record with other values."""
    return {**RECORD, **values}


def many_records() -> list[Record]:
    """Return records of all classes, sexes and ports, with and without age."""
    values = product((1, 2, 3), ("female", "male"), ("C", "Q", "S", None), (0.75, 38, None))
    return [
        changed(pclass=pclass, sex=sex, embarked=port, age=age, fare=5.5 * number)
        for number, (pclass, sex, port, age) in enumerate(values)
    ]


def predicted(name: str, record: Record) -> Golden:
    """Return a request with one record, which is predicted."""
    return Golden(name, "POST", "/predict", to_json(record), records=[record], single=True)


def refused(name: str, status: int, code: str, message: str, details: Sequence[Record] = (), **request: Any) -> Golden:
    """Return a request that is answered with an error."""
    error = {"code": code, "message": message, "details": list(details)}
    return Golden(name, **{"method": "POST", "path": "/predict", **request}, status=status, error=error)


def invalid(name: str, content: Any, *problems: tuple[int, str, Any, str]) -> Golden:
    """Return a request with records that break the schema; a problem is row, field, value and what is wrong."""
    details = [dict(zip(("row", "field", "value", "problem"), problem, strict=True)) for problem in problems]
    return refused(
        name, 422, "data_invalid", "The input does not fit the schema.", details=details, body=to_json(content)
    )


def without(*names: str) -> Record:
    """Return the record without some fields."""
    return {name: value for name, value in RECORD.items() if name not in names}


CSV_BODY = b"""pclass,name,sex,age,sibsp,parch,fare,cabin,embarked
3,"Dee, Miss. Ann",female,29.5,1,1,20.25,F7,S
3,"Dee, Miss. Ann",male,,1,1,20.25,F7,S
"""

GOLDEN = (
    predicted("valid", RECORD),
    Golden("batch", "POST", "/predict", to_json(many_records()), records=many_records()),
    Golden("empty_batch", "POST", "/predict", b"[]", records=[]),
    predicted("missing_value", changed(age=None, fare=None, embarked=None)),
    predicted("absent_optional_columns", without("age", "fare", "cabin", "embarked")),
    predicted("unseen_deck", changed(cabin="X9")),
    predicted("outlier", changed(fare=999)),
    predicted("not_ascii", changed(name="Ðæ, Miss. Añña 🚢")),
    invalid("unseen_category", changed(embarked="X"), (0, "embarked", "X", "must be one of C, Q, S")),
    invalid("wrong_type", changed(age="old"), (0, "age", "old", "is not a number")),
    invalid(
        "missing_columns",
        without("pclass", "sex"),
        (0, "pclass", None, "is required"),
        (0, "sex", None, "is required"),
    ),
    invalid(
        "batch_with_problems",
        [RECORD, changed(pclass=9, sex="f"), changed(age=-4)],
        (1, "pclass", 9, "must be one of 1, 2, 3"),
        (1, "sex", "f", "must be one of female, male"),
        (2, "age", -4, "must be at least 0"),
    ),
    refused(
        "not_json",
        400,
        "not_json",
        "The body is not JSON: EOF while parsing an object at line 1 column 1",
        body=b"{",
    ),
    refused("empty_body", 400, "not_json", "The body is empty; send JSON"),
    refused(
        "no_record",
        400,
        "not_json",
        "The body is a number; send one record as a JSON object, or a list of them",
        body=b"7",
    ),
    refused(
        "too_many_records",
        413,
        "batch_too_large",
        "10,001 records at once are too many; send at most 10,000 per request",
        body=to_json([1] * (MAX_BATCH_ROWS + 1)),
    ),
    Golden(
        "too_large",
        "POST",
        "/predict",
        b" " * (MAX_BODY_BYTES + 1),
        status=413,
        error={
            "code": "body_too_large",
            "message": "The body has more than 1,000,000 bytes; send fewer records",
            "details": [],
        },
        needs_settings=True,
    ),
    refused(
        "wrong_content_type",
        415,
        "media_type_unsupported",
        "The content type 'text/plain' is not understood here; send JSON with 'Content-Type: application/json'",
        body=to_json(RECORD),
        headers={"content-type": "text/plain"},
    ),
    Golden(
        "mlflow_records",
        "POST",
        "/invocations",
        to_json({"dataframe_records": many_records()}),
        records=many_records(),
    ),
    Golden("csv", "POST", "/invocations", CSV_BODY, CSV_TYPE, records=[RECORD, changed(sex="male", age=None)]),
    refused(
        "csv_too_wide",
        400,
        "not_json",
        "CSV: row 0 has 2 values for 1 columns; give one each",
        path="/invocations",
        body=b"age\n1,2",
        headers=CSV_TYPE,
    ),
    refused(
        "unknown_route",
        404,
        "route_unknown",
        "There is no route /nowhere; GET /docs shows those that there are",
        method="GET",
        path="/nowhere",
        headers={},
    ),
    Golden(
        "wrong_method",
        "GET",
        "/predict",
        headers={},
        status=405,
        error={"code": "method_not_allowed", "message": "/predict answers to POST only", "details": []},
        answer_headers={"allow": "POST"},
    ),
    *(Golden(path.strip("/"), "GET", path, headers={}) for path in STATEMENTS),
)
"""All golden requests."""
