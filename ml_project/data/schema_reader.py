"""Read the raw schema from the project's pandera model, refusing what could not be checked on a single record."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from ml_project.data.raw_schema import BatchExpectations, ColumnKind, ColumnRule, RawSchema
from ml_project.errors import ConfigError, Problem

if TYPE_CHECKING:
    from pandera.pandas import DataFrameModel

Limits = dict[str, Any]
"""Fields of a :class:`ColumnRule` by name."""

_MODEL_WIDE = (
    ("checks", "a check of the whole frame cannot be made on one record; check single columns with pandera.Field"),
    ("unique", "joint uniqueness is not supported; use unique=True in the pandera.Field of one column"),
    ("parsers", "parsers are not supported; values are coerced by the column's type"),
    ("index", "an index is not supported; declare it as a column"),
)
_SINGLE_CHECKS = "ge, gt, le, lt, in_range, eq, isin, str_matches or str_length"


def read_schema(model: type[DataFrameModel]) -> RawSchema:
    """Return the rules of all columns of a pandera model.

    Parameters
    ----------
    model
        The project's model of raw data. Types: ``int``, ``float``, ``bool``, ``str``, ``pandas.Timestamp``, their
        nullable variants of pandas, ``pandas.CategoricalDtype``. Checks: ``ge, gt, le, lt, in_range, eq, isin,
        str_matches, str_length``. ``metadata={"expectations": {...}}`` takes the fields of
        :class:`~ml_project.data.raw_schema.BatchExpectations`.

    Raises
    ------
    ConfigError
        With every type, check and expectation that is not supported, and what to use instead.
    """
    declared = model.to_schema()
    problems = [Problem(f"{model.__name__}: {text}") for name, text in _MODEL_WIDE if getattr(declared, name)]
    rules = []
    for name, column in declared.columns.items():
        try:
            rules.append(_read_column(str(name), column))
        except ConfigError as error:
            problems += error.problems
    if not declared.columns:
        problems.append(Problem(f"{model.__name__} declares no column"))
    if problems:
        raise ConfigError("The schema of the raw data has parts that cannot be used.", problems)
    return RawSchema(columns=tuple(rules))


def _read_column(name: str, column: Any) -> ColumnRule:
    problems: list[Problem] = []

    def attempt(read: Callable[[], Limits]) -> Limits:
        try:
            return read()
        except ValueError as error:
            problems.append(Problem(str(error), field=name))
            return {}

    found = attempt(lambda: _read_type(column.dtype))
    kind = cast("ColumnKind", found.pop("kind", "text"))
    limits = [found, *(attempt(lambda check=check: _read_check(check, kind)) for check in column.checks)]  # type: ignore[misc]
    expectations = attempt(lambda: _read_expectations(column.metadata, kind))
    if column.regex or not column.required:
        problems.append(Problem("regex and optional columns are not supported; name each column, nullable or not", name))
    if column.parsers:
        problems.append(Problem("parsers are not supported; values are coerced by the column's type", name))
    merged = attempt(lambda: _merge(limits))
    if problems:
        raise ConfigError(f"Column {name!r} cannot be used.", problems)
    if kind == "text" and merged.get("allowed") is not None:
        kind = "category"
    about = {"nullable": bool(column.nullable), "unique": bool(column.unique), "description": column.description}
    return ColumnRule.model_validate({"name": name, "kind": kind, **about, **merged, **expectations})


def _read_type(dtype: Any) -> Limits:
    from pandera import dtypes

    if isinstance(dtype, dtypes.Category):
        if not dtype.categories:
            raise ValueError("the categories are not named; use str with isin=[...]")
        return {"kind": "text", "allowed": tuple(_allowed(value, "text") for value in dtype.categories)}
    kinds: tuple[tuple[type[Any], ColumnKind], ...] = (
        (dtypes.Bool, "boolean"),
        (dtypes.Int, "integer"),
        (dtypes.Float, "number"),
        (dtypes.String, "text"),
        (dtypes.Timestamp, "datetime"),
    )
    for pandera_type, kind in kinds:
        if isinstance(dtype, pandera_type) and not isinstance(dtype, dtypes.UInt):
            return {"kind": kind}
    raise ValueError(f"type {dtype} is not supported; use int, float, bool, str, pandas.Timestamp or their nullable variants")


def _read_check(check: Any, kind: ColumnKind) -> Limits:
    readers: dict[str, Callable[[Limits, ColumnKind], Limits]] = {
        "greater_than_or_equal_to": lambda found, kind: _bound("minimum", found["min_value"], kind),
        "greater_than": lambda found, kind: _bound("exclusive_minimum", found["min_value"], kind),
        "less_than_or_equal_to": lambda found, kind: _bound("maximum", found["max_value"], kind),
        "less_than": lambda found, kind: _bound("exclusive_maximum", found["max_value"], kind),
        "in_range": _in_range,
        "equal_to": lambda found, kind: {"allowed": (_allowed(found["value"], kind),)},
        "isin": lambda found, kind: {"allowed": tuple(_allowed(value, kind) for value in found["allowed_values"])},
        "str_matches": _pattern,
        "str_length": _length,
    }
    reader = readers.get(check.name) if check.statistics else None
    if reader is None:
        raise ValueError(f"check {check.name!r} cannot be made on single records; use {_SINGLE_CHECKS}")
    if check.raise_warning or not check.ignore_na:
        raise ValueError(f"check {check.name!r}: raise_warning and ignore_na=False are not supported; leave them out")
    return reader(check.statistics, kind)


def _bound(field: str, value: Any, kind: ColumnKind) -> Limits:
    if kind in {"integer", "number"}:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"a bound must be a number, found {value!r}")
        return {field: float(value)}
    if kind != "datetime":
        raise ValueError("bounds are for numbers, dates and times; use isin, str_matches or str_length here")
    import pandas as pd

    moment = pd.Timestamp(value)
    naive = (moment if moment.tz is None else moment.tz_convert("UTC").tz_localize(None)).as_unit("us").to_pydatetime()
    step = {"exclusive_minimum": dt.timedelta(microseconds=1), "exclusive_maximum": -dt.timedelta(microseconds=1)}
    return {"earliest" if "minimum" in field else "latest": naive + step.get(field, dt.timedelta())}


def _in_range(found: Limits, kind: ColumnKind) -> Limits:
    lower = "minimum" if found["include_min"] else "exclusive_minimum"
    upper = "maximum" if found["include_max"] else "exclusive_maximum"
    return _bound(lower, found["min_value"], kind) | _bound(upper, found["max_value"], kind)


def _allowed(value: Any, kind: ColumnKind) -> str | int | float | bool:
    types: dict[ColumnKind, tuple[type[Any], ...]] = {
        "text": (str,),
        "boolean": (bool,),
        "integer": (int,),
        "number": (int, float),
    }
    wanted = types.get(kind)
    if wanted is None or not isinstance(value, wanted) or (isinstance(value, bool) and kind != "boolean"):
        raise ValueError(f"isin, eq and categories must hold plain values of the column's type ({kind}), found {value!r}")
    return float(value) if kind == "number" else cast("str | int | bool", value)


def _pattern(found: Limits, kind: ColumnKind) -> Limits:
    if kind != "text":
        raise ValueError("str_matches is for text columns")
    pattern = found["pattern"]
    text = pattern if isinstance(pattern, str) else pattern.pattern
    if not isinstance(pattern, str) and pattern.flags & ~re.UNICODE:
        raise ValueError("str_matches: write flags into the pattern, for instance (?i)")
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"str_matches: {text!r} is not a regular expression: {error}") from error
    return {"pattern": text}


def _length(found: Limits, kind: ColumnKind) -> Limits:
    if kind != "text":
        raise ValueError("str_length is for text columns")
    exact = found.get("exact_value")
    return {
        "min_length": found.get("min_value") if exact is None else exact,
        "max_length": found.get("max_value") if exact is None else exact,
    }


def _read_expectations(metadata: Mapping[str, Any] | None, kind: ColumnKind) -> Limits:
    stated = (metadata or {}).get("expectations") or {}
    try:
        expectations = BatchExpectations.model_validate(stated)
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        known = ", ".join(BatchExpectations.model_fields)
        raise ValueError(f"expectations are wrong: {found}; known are {known}") from error
    if expectations.mean_between is not None and kind not in {"integer", "number"}:
        raise ValueError("expectations: mean_between is for numbers; use share_between here")
    return {"expectations": expectations}


def _merge(limits: list[Limits]) -> Limits:
    """Return all limits together, of each bound the stricter one."""
    stricter: dict[str, Callable[[Any, Any], Any]] = {
        **dict.fromkeys(("minimum", "exclusive_minimum", "earliest", "min_length"), max),
        **dict.fromkeys(("maximum", "exclusive_maximum", "latest", "max_length"), min),
        "allowed": lambda one, other: tuple(value for value in one if value in other),
    }
    merged: Limits = {}
    for field, value in (item for limit in limits for item in limit.items() if item[1] is not None):
        if field in merged and field not in stricter:
            raise ValueError(f"{field} is given twice; give one")
        merged[field] = stricter[field](merged[field], value) if field in merged else value
    if merged.get("allowed") == ():
        raise ValueError("isin, eq and categories together allow no value")
    return merged
