"""Read the raw schema from the project's pandera model, refusing what could not be checked on a single record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from ml_project.data.raw_schema import BatchExpectations, ColumnKind, ColumnRule, RawSchema
from ml_project.data.schema_checks import Limits, allowed_value, read_check
from ml_project.errors import ConfigError, Problem

if TYPE_CHECKING:
    from pandera.pandas import DataFrameModel, DataFrameSchema

_MODEL_WIDE = (
    ("checks", "a check of the whole frame cannot be made on one record; check single columns with pandera.Field"),
    ("unique", "joint uniqueness is not supported; use unique=True in the pandera.Field of one column"),
    ("parsers", "parsers are not supported; values are coerced by the column's type"),
    ("index", "an index is not supported; declare it as a column"),
)


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
    declared = _build(model)
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


def _build(model: type[DataFrameModel]) -> DataFrameSchema:
    from pandera.errors import SchemaInitError

    try:
        return model.to_schema()
    except (SchemaInitError, TypeError, ValueError) as error:
        text = f"{model.__name__} is no valid pandera model: {error}"
        raise ConfigError("The schema of the raw data cannot be read.", [Problem(text)]) from error


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
    limits = [found, *(attempt(lambda check=check: read_check(check, kind)) for check in column.checks)]  # type: ignore[misc]
    stated = attempt(lambda: _read_metadata(column.metadata or {}, kind))
    if column.regex or not column.required:
        text = "regex and optional columns are not supported; name each column, nullable if its values may be missing"
        problems.append(Problem(text, field=name))
    if column.parsers:
        problems.append(Problem("parsers are not supported; values are coerced by the column's type", name))
    merged = attempt(lambda: _merge(limits))
    if problems:
        raise ConfigError(f"Column {name!r} cannot be used.", problems)
    if kind == "text" and merged.get("allowed") is not None:
        kind = "category"
    about = {"nullable": bool(column.nullable), "unique": bool(column.unique), "description": column.description}
    return ColumnRule.model_validate({"name": name, "kind": kind, **about, **merged, **stated})


def _read_type(dtype: Any) -> Limits:
    from pandera import dtypes

    if isinstance(dtype, dtypes.Category):
        if not dtype.categories:
            raise ValueError("the categories are not named; use str with isin=[...]")
        return {"kind": "text", "allowed": tuple(allowed_value(value, "text") for value in dtype.categories)}
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
    known = "int, float, bool, str, pandas.Timestamp or a nullable variant of these"
    raise ValueError(f"type {dtype} is not supported; use {known}")


def _read_metadata(metadata: Mapping[str, Any], kind: ColumnKind) -> Limits:
    unknown = sorted(set(metadata) - {"expectations", "example"})
    if unknown:
        raise ValueError(f"metadata {', '.join(map(repr, unknown))} is unknown; known are 'expectations' and 'example'")
    try:
        expectations = BatchExpectations.model_validate(metadata.get("expectations") or {})
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        known = ", ".join(BatchExpectations.model_fields)
        raise ValueError(f"expectations are wrong: {found}; known are {known}") from error
    if expectations.mean_between is not None and kind not in {"integer", "number"}:
        raise ValueError("expectations: mean_between is for numbers; use share_between here")
    return {"expectations": expectations, "example": metadata.get("example")}


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
