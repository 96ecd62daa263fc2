"""Check single records against the raw schema in a few microseconds, without pandas or pandera.

A record of clean values passes through one compiled validator. A record with anything else is looked at again, field by
field, by the same converters and requirements that tables go through; only this second look decides what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic_core import SchemaValidator, ValidationError

from ml_project.data.names import misspelt_names
from ml_project.data.raw_schema import NUMERIC_KINDS, ColumnRule, RawSchema
from ml_project.data.values import NOT_A_RECORD, UnusableValueError, converter_for
from ml_project.errors import InvalidDataError, Problem
from ml_project.validation.json_schema import describe_records, example_record
from ml_project.validation.record_fast_path import ManyRecordsPath, compile_fast_path
from ml_project.validation.requirements import REQUIRED, requirements_of

MANY_RECORDS = 16
"""From so many records on it pays to look at all of them together first."""


class RecordValidator:
    """Checks and converts records, with the same verdicts as coercion and check of a table.

    A field that may be missing may also be absent. Fields that the schema does not name are ignored, unless one is
    probably a misspelt name of an absent field.

    Parameters
    ----------
    schema
        The fields of a record.
    missing_values
        Texts that mean a missing value, compared after stripping blanks.

    Examples
    --------
    >>> schema = RawSchema(columns=(ColumnRule(name="age", kind="number", minimum=0, nullable=True),))
    >>> validator = RecordValidator(schema, missing_values=("NA",))
    >>> validator.validate({"age": " 12 "}), validator.validate({})
    ({'age': 12.0}, {'age': None})
    """

    def __init__(self, schema: RawSchema, *, missing_values: Collection[str]) -> None:
        self.schema = schema
        self.missing_values = tuple(missing_values)
        self._names = frozenset(schema.names)
        self._fields = tuple(_Field(rule, missing_values) for rule in schema.columns)
        self._fast_path: SchemaValidator = compile_fast_path(schema, missing_values)
        self._many_path = ManyRecordsPath(schema, missing_values)

    def validate(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the raw values of one record by field, in the schema's order, ``None`` for missing.

        Raises
        ------
        InvalidDataError
            With every problem of the record.
        """
        return self.validate_many((record,))[0]

    def validate_many(self, records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the raw values of records, in order.

        Raises
        ------
        InvalidDataError
            With every problem of every record: row counted from 0, field, value found.
        """
        if len(records) >= MANY_RECORDS and (clean := self._many_path.validate(records)) is not None:
            return clean
        problems: list[Problem] = []
        validated = [self._validate(record, row, problems) for row, record in enumerate(records)]
        if problems:
            raise InvalidDataError("The input does not fit the schema.", problems)
        return validated

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema (draft 2020-12) of one record, with a valid example."""
        return describe_records(self.schema, self.example())

    def example(self) -> dict[str, Any]:
        """Return a record built from the rules, as JSON values."""
        return example_record(self.schema)

    def _validate(self, record: Mapping[str, Any], row: int, problems: list[Problem]) -> dict[str, Any]:
        try:
            validated: dict[str, Any] = self._fast_path.validate_python(record)
            fields = record.keys()
            # Else an unknown field may be a misspelt absent one. The first comparison is the quickest.
            if fields == validated.keys() or self._names <= fields or fields <= self._names:
                return validated
        except ValidationError:
            pass
        return self._look_closely(record, row, problems)

    def _look_closely(self, record: Mapping[str, Any], row: int, problems: list[Problem]) -> dict[str, Any]:
        if not isinstance(record, Mapping):
            problems.append(Problem(NOT_A_RECORD, row=row, value=record))
            return {}
        misspelt = misspelt_names(record, self.schema.names)
        validated = {}
        for field in self._fields:
            value = record.get(field.name)
            validated[field.name], found = field.check(value)
            if field.name in misspelt:
                found = [f"is absent; did you mean the field {misspelt[field.name]!r}? Rename it"]
            problems += [Problem(text, field=field.name, row=row, value=value) for text in found]
        return validated


class _Field:
    """Converts and checks one value of any type, and says everything that is wrong with it."""

    def __init__(self, rule: ColumnRule, missing_values: Collection[str]) -> None:
        self.name = rule.name
        self._nullable = rule.nullable
        self._convert: Callable[[Any], Any] = converter_for(rule, missing_values)
        self._requirements = requirements_of(rule)

    def check(self, value: Any) -> tuple[Any, list[str]]:
        try:
            converted = self._convert(value)
        except UnusableValueError as error:
            return None, [str(error)]
        if converted is None:
            return None, [] if self._nullable else [REQUIRED]
        return converted, [found.wording for found in self._requirements if not found.fulfilled(converted)]


class RecordColumns:
    """Turns validated records into arrays by column name, equal to those of the same rows in a table.

    Parameters
    ----------
    schema
        The columns wanted.

    Examples
    --------
    >>> schema = RawSchema(columns=(ColumnRule(name="age", kind="number"), ColumnRule(name="sex", kind="text")))
    >>> RecordColumns(schema)([{"age": 4.0, "sex": None}])
    {'age': array([4.]), 'sex': array([None], dtype=object)}
    """

    def __init__(self, schema: RawSchema) -> None:
        names: dict[np.dtype[Any], list[str]] = {}
        for rule in schema.columns:
            names.setdefault(_array_type(rule), []).append(rule.name)
        self._groups = [(dtype, group, _values_of(group)) for dtype, group in names.items()]

    def __call__(self, validated: Sequence[Mapping[str, Any]]) -> dict[str, npt.NDArray[Any]]:
        """Return arrays of shape ``(n_records,)`` in the form of :data:`ml_project.data.columns.Columns`.

        Parameters
        ----------
        validated
            What :meth:`RecordValidator.validate_many` returned.
        """
        columns: dict[str, npt.NDArray[Any]] = {}
        if len(validated) == 1:  # one array per type and not per column, which takes half of the time
            record = validated[0]
            for dtype, names, values_of in self._groups:
                # Not strict, because a strict zip asks the array for one more row, which takes as long as all others.
                columns.update(zip(names, np.array(values_of(record), dtype)[:, None], strict=False))
            return columns
        for dtype, names, _ in self._groups:
            for name in names:
                columns[name] = np.array([record[name] for record in validated], dtype)
        return columns


def _values_of(names: Sequence[str]) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
    """Return a function from a record to the values of some fields."""
    if len(names) > 1:
        return itemgetter(*names)
    (name,) = names
    return lambda record: (record[name],)


def _array_type(rule: ColumnRule) -> np.dtype[Any]:
    if rule.kind in NUMERIC_KINDS:
        return np.dtype(np.float64)
    return np.dtype("datetime64[us]" if rule.kind == "datetime" else object)
