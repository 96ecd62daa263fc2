"""The raw schema as JSON Schema (draft 2020-12), and a record that fits it."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

from ml_project.data.raw_schema import ColumnKind, ColumnRule, RawSchema
from ml_project.validation.requirements import requirements_of

_TYPES: dict[ColumnKind, str] = {
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "category": "string",
    "text": "string",
    "datetime": "string",
}
_EXAMPLE_TEXTS = ("example", "Example", "EXAMPLE", "a", "A", "1", "123", "A1", "AB12", "A-1")


def describe_records(schema: RawSchema, example: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of one record; fields that may be missing may be null or absent."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {rule.name: _describe(rule) for rule in schema.columns},
        "required": [rule.name for rule in schema.columns if not rule.nullable],
        "examples": [example],
    }


def _describe(rule: ColumnRule) -> dict[str, Any]:
    json_type = _TYPES[rule.kind]
    limits = {
        "description": _description(rule),
        "format": "date-time" if rule.kind == "datetime" else None,
        "enum": None if rule.allowed is None else [*rule.allowed, *([None] if rule.nullable else [])],
        "minimum": _plain(rule.minimum),
        "exclusiveMinimum": _plain(rule.exclusive_minimum),
        "maximum": _plain(rule.maximum),
        "exclusiveMaximum": _plain(rule.exclusive_maximum),
        "pattern": None if rule.pattern is None else f"^(?:{rule.pattern})",
        "minLength": rule.min_length,
        "maxLength": rule.max_length,
    }
    typed: dict[str, Any] = {"type": [json_type, "null"] if rule.nullable else json_type}
    return typed | {name: limit for name, limit in limits.items() if limit is not None}


def _description(rule: ColumnRule) -> str | None:
    moments = [found.wording for found in requirements_of(rule)] if rule.kind == "datetime" else []
    return " ".join(filter(None, [rule.description, *(f"It {wording}." for wording in moments)])) or None


def _plain(bound: float | None) -> float | int | None:
    return int(bound) if bound is not None and bound.is_integer() else bound


def example_record(schema: RawSchema) -> dict[str, Any]:
    """Return a record of JSON values that fits the rules.

    A text with a pattern takes the example that the schema gives; without one, some common texts are tried.
    """
    return {rule.name: _example(rule) for rule in schema.columns}


def _example(rule: ColumnRule) -> Any:
    if rule.example is not None:
        return rule.example
    requirements = requirements_of(rule)
    candidates = _candidates(rule)
    fitting = [value for value in candidates if all(found.fulfilled(value) for found in requirements)]
    chosen = fitting[0] if fitting else None if rule.nullable else candidates[0]
    return chosen.isoformat() if isinstance(chosen, dt.datetime) else chosen


def _candidates(rule: ColumnRule) -> list[Any]:
    if rule.allowed is not None:
        return list(rule.allowed)
    if rule.kind == "boolean":
        return [True]
    if rule.kind == "datetime":
        moments = (dt.datetime(2024, 5, 17, 8, 30), rule.earliest, rule.latest)
        return [moment for moment in moments if moment is not None]
    if rule.kind in {"integer", "number"}:
        return _numbers(rule)
    length = rule.max_length if rule.max_length is not None else max(rule.min_length or 0, len(_EXAMPLE_TEXTS[0]))
    return [*_EXAMPLE_TEXTS, "example"[:length].ljust(rule.min_length or 0, "e")]


def _numbers(rule: ColumnRule) -> list[Any]:
    bounds = (rule.minimum, rule.exclusive_minimum, rule.maximum, rule.exclusive_maximum)
    present = [bound for bound in bounds if bound is not None]
    middle = [(min(present) + max(present)) / 2] if len(present) > 1 else []
    found = [*middle, *(bound + step for bound in present for step in (1.0, -1.0, 0.0)), 1.0]
    if rule.kind == "number":
        return found
    return [whole for number in found for whole in (math.floor(number), math.ceil(number))]
