"""Retrieve raw data: historic data from a source, production data from JSON records, both with the same result."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ml_project.config import DataConfig
from ml_project.data.coercion import coerce
from ml_project.data.names import misspelt_names
from ml_project.data.raw_schema import RawSchema
from ml_project.data.sources import open_source
from ml_project.data.values import NOT_A_RECORD
from ml_project.errors import InvalidDataError, Problem

if TYPE_CHECKING:
    import pandas as pd


def read_historic(config: DataConfig, schema: RawSchema) -> pd.DataFrame:
    """Return the raw data of the configured source, shape ``(n_rows, n_columns)``.

    Raises
    ------
    DataSourceError
        When the source cannot be read.
    InvalidDataError
        With every missing or repeated column and every kind of unusable value.
    """
    source = open_source(config, number_columns=number_columns(schema))
    return coerce(source.read(), schema, missing_values=config.missing_values)


def number_columns(schema: RawSchema) -> tuple[str, ...]:
    """Return the columns whose texts are numbers, in which a source may write decimals its own way."""
    return tuple(rule.name for rule in schema.columns if rule.kind in {"integer", "number"})


def parse_records(body: bytes | str) -> list[dict[str, Any]]:
    """Return the records of a JSON text: one object, or a list of them.

    Raises
    ------
    InvalidDataError
        When the text is not JSON, holds something else, or an object names a field twice.

    Examples
    --------
    >>> parse_records('{"age": 3}')
    [{'age': 3}]
    """
    try:
        parsed = json.loads(body, object_pairs_hook=_unique_fields)
    except RecursionError as error:
        raise InvalidDataError("The input is nested too deeply; send one JSON object per record.") from error
    except ValueError as error:
        raise InvalidDataError(f"The input is not JSON: {error}. Send one JSON object, or a list of them.") from error
    return _as_records(parsed)


def _unique_fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        problems = [Problem("the field is given twice; keep one", name) for name in fields if names.count(name) > 1]
        raise InvalidDataError("A record names a field twice.", problems)
    return fields


def _as_records(parsed: Any) -> list[Any]:
    records = [parsed] if isinstance(parsed, Mapping) else parsed
    if not isinstance(records, Sequence) or isinstance(records, str | bytes):
        problems = [Problem(NOT_A_RECORD, value=parsed)]
    else:
        misfits = [(row, found) for row, found in enumerate(records) if not isinstance(found, Mapping)]
        problems = [Problem(NOT_A_RECORD, row=row, value=found) for row, found in misfits]
    if problems:
        raise InvalidDataError("The input must be one record or a list of records.", problems)
    return list(records)


def records_to_frame(
    records: Mapping[str, Any] | Sequence[Mapping[str, Any]], schema: RawSchema, *, missing_values: Collection[str]
) -> pd.DataFrame:
    """Return production records as raw data, the same as historic data with these rows.

    Parameters
    ----------
    records
        One record or several, as parsed from JSON. An absent field is missing.
    schema
        The columns wanted.
    missing_values
        Texts that mean a missing value.

    Raises
    ------
    InvalidDataError
        When something is no record, a name is probably misspelt, or a value is unusable.
    """
    import pandas as pd

    rows = _as_records(records)
    problems = [
        Problem(f"is absent; did you mean the field {meant!r}? Rename it", field=name, row=row)
        for row, record in enumerate(rows)
        for name, meant in misspelt_names(record, schema.names).items()
    ]
    if problems:
        raise InvalidDataError("The input does not fit the schema.", problems)
    values = {name: pd.Series([record.get(name) for record in rows], dtype=object) for name in schema.names}
    return coerce(pd.DataFrame(values, columns=list(schema.names)), schema, missing_values=missing_values)
