"""CSV bodies with a header, as SageMaker sends them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from ml_project.errors import MediaTypeError, NotJsonError
from ml_project.serving.codecs.json_body import is_utf8
from ml_project.serving.codecs.limits import check_n_records

CSV = "text/csv"


def read_csv(body: bytes, parameters: str, *, max_records: int) -> Sequence[Mapping[str, Any]]:
    """Return the records of a CSV body; all values are texts.

    Parameters
    ----------
    body
        CSV in UTF-8; a byte-order mark and empty lines are passed over.
    parameters
        What follows ``text/csv;`` in the content type.
    max_records
        Most records that are taken.

    Raises
    ------
    MediaTypeError
        When the content type says that there is no header, or another encoding.
    NotJsonError
        When the body is no CSV with a header.
    BatchTooLargeError
        When there are too many records.
    """
    if "header=absent" in parameters.lower().replace(" ", ""):
        raise MediaTypeError("CSV without a header is not understood, because columns are known by name; send one")
    if not is_utf8(parameters):
        raise MediaTypeError("The charset of the CSV is not understood; send UTF-8")
    try:
        reader = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
        header = next(reader, None)
        # One row more than allowed is enough to refuse them, however many there are.
        rows = list(islice((row for row in reader if row), max_records + 1))
    except (UnicodeDecodeError, csv.Error) as error:
        raise NotJsonError(f"The body is not CSV in UTF-8: {error}") from error
    if not header:
        raise NotJsonError("The body is empty; send CSV with a header of column names")
    check_n_records(len(rows), max_records)
    return _to_records(header, rows)


def _to_records(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    if len(set(header)) < len(header):
        raise NotJsonError("The CSV's header names a column twice; name each once")
    for number, row in enumerate(rows):
        if len(row) != len(header):
            raise NotJsonError(f"CSV: row {number} has {len(row)} values for {len(header)} columns; give one each")
    return [dict(zip(header, row, strict=True)) for row in rows]
