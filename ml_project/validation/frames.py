"""Check raw data row by row against the raw schema, through a pandera schema built from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml_project.data.columns import to_array
from ml_project.data.raw_schema import ColumnKind, ColumnRule, RawSchema
from ml_project.errors import MAX_SAMPLES_PER_PROBLEM, InvalidDataError, Problem
from ml_project.validation.requirements import REQUIRED, Requirement, requirements_of

if TYPE_CHECKING:
    from pandera.pandas import Column, DataFrameSchema

Positions = npt.NDArray[np.intp]

_DTYPES: dict[tuple[ColumnKind, bool], str] = {
    ("integer", False): "int64",
    ("integer", True): "float64",
    ("number", False): "float64",
    ("number", True): "float64",
    ("boolean", False): "bool",
    ("boolean", True): "boolean",
    ("category", False): "str",
    ("category", True): "str",
    ("text", False): "str",
    ("text", True): "str",
    ("datetime", False): "datetime64[us]",
    ("datetime", True): "datetime64[us]",
}
_NOT_NULLABLE = "not_nullable"


@dataclass(frozen=True)
class _Failure:
    field: str
    wording: str
    positions: Positions


def to_pandera(schema: RawSchema) -> DataFrameSchema:
    """Return the pandera schema of coerced raw data; uniqueness is left to the check of a batch."""
    from pandera.pandas import DataFrameSchema

    return DataFrameSchema({rule.name: _to_column(rule) for rule in schema.columns})


def _to_column(rule: ColumnRule) -> Column:
    from pandera.pandas import Check, Column

    def check(requirement: Requirement) -> Check:
        def fulfilled(present: pd.Series[Any]) -> pd.Series[bool]:
            return pd.Series(requirement.fulfilled_in(to_array(present, rule.kind)), index=present.index)

        return Check(fulfilled, name=requirement.wording, error=requirement.wording)

    checks = [check(requirement) for requirement in requirements_of(rule)]
    return Column(
        _DTYPES[rule.kind, rule.nullable], checks, nullable=rule.nullable, description=rule.description, name=rule.name
    )


def check_raw(raw: pd.DataFrame, schema: RawSchema) -> list[Problem]:
    """Return what is wrong with the rows of raw data, at most five rows of each kind with the number of all.

    Parameters
    ----------
    raw
        Coerced data of shape ``(n_rows, n_columns)``; it is not changed.
    schema
        The columns to check.

    Raises
    ------
    InvalidDataError
        When the data was not coerced: a column is missing or of another dtype.
    """
    problems: list[Problem] = []
    for failure in _find_failures(raw, schema):
        count = len(failure.positions)
        for place, position in enumerate(failure.positions[:MAX_SAMPLES_PER_PROBLEM]):
            more = f" ({count} rows in all)" if place == 0 and count > MAX_SAMPLES_PER_PROBLEM else ""
            problems.append(_problem(raw, failure, int(position), more))
    return problems


def validate_raw(raw: pd.DataFrame, schema: RawSchema) -> pd.DataFrame:
    """Return the raw data when every row fits the schema.

    Raises
    ------
    InvalidDataError
        With every kind of problem and its first rows.
    """
    problems = check_raw(raw, schema)
    if problems:
        raise InvalidDataError("Some rows do not fit the schema.", problems)
    return raw


def failing_rows(raw: pd.DataFrame, schema: RawSchema) -> dict[int, list[Problem]]:
    """Return all problems of every row that has one, by row number in ascending order."""
    found: dict[int, list[Problem]] = {}
    for failure in _find_failures(raw, schema):
        for position in failure.positions.tolist():
            found.setdefault(position, []).append(_problem(raw, failure, position))
    return dict(sorted(found.items()))


def _problem(raw: pd.DataFrame, failure: _Failure, position: int, more: str = "") -> Problem:
    found: Any = None if failure.wording == REQUIRED else raw[failure.field].iloc[position]
    value = found.item() if isinstance(found, np.generic) else found
    return Problem(failure.wording + more, field=failure.field, row=position, value=value)


def _find_failures(raw: pd.DataFrame, schema: RawSchema) -> list[_Failure]:
    from pandera.errors import SchemaErrors

    _require_coerced(raw, schema)
    try:
        to_pandera(schema).validate(raw.reset_index(drop=True), lazy=True)
    except SchemaErrors as error:
        return _read_failures(error.failure_cases, schema)
    return []


def _require_coerced(raw: pd.DataFrame, schema: RawSchema) -> None:
    problems = []
    for rule in schema.columns:
        if rule.name not in raw.columns:
            problems.append(Problem("the column is missing", field=rule.name))
            continue
        # A column of integers or booleans has the dtype of a nullable one when values are missing against the rules.
        nullable = rule.nullable or bool(raw[rule.name].isna().any())
        found, expected = str(raw[rule.name].dtype), _DTYPES[rule.kind, nullable]
        if found != expected:
            problems.append(Problem(f"has dtype {found}, expected {expected}", field=rule.name))
    if problems:
        raise InvalidDataError("The data was not coerced to the schema; use ml_project.data.coercion.coerce.", problems)


def _read_failures(cases: pd.DataFrame, schema: RawSchema) -> list[_Failure]:
    cases = cases[~cases["check"].str.startswith("dtype(")]  # what _require_coerced let pass shows as a missing value
    failures = []
    for (column, check), group in cases.groupby(["column", "check"], sort=False):
        wording = REQUIRED if check == _NOT_NULLABLE else str(check)
        failures.append(_Failure(str(column), wording, np.sort(group["index"].to_numpy(dtype=np.intp))))
    order = {name: place for place, name in enumerate(schema.names)}
    return sorted(failures, key=lambda failure: order[failure.field])
