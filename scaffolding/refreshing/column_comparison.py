"""What changed in one column against its rule, and the rule that it fits again."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ml_project.data.coercion import ConvertedColumn, convert_column
from ml_project.data.distinct import distinct_values
from ml_project.data.raw_schema import BatchExpectations, ColumnKind, ColumnRule
from ml_project.validation.expectations import MIN_ROWS_FOR_RATES
from scaffolding.profiling.column_kinds import markers_of
from scaffolding.refreshing.generated_descriptions import is_generated
from scaffolding.refreshing.value_comparison import LIMITS, Converted, compare_values, no_longer_seen
from scaffolding.refreshing.value_words import in_rows, samples

if TYPE_CHECKING:
    import pandas as pd

_KINDS: tuple[ColumnKind, ...] = ("integer", "number", "boolean", "datetime", "text")
"""All kinds but the category, from the narrowest to the widest."""
_NAMES = {
    "integer": "whole numbers", "number": "numbers", "boolean": "true and false", "category": "categories",
    "text": "text", "datetime": "dates and times",
}  # fmt: skip


@dataclass(frozen=True)
class ColumnChange:
    """What changed in a column.

    Attributes
    ----------
    old, new
        The column's rule as it is, and as it has to be for the data; the same where nothing can be done about it.
    findings
        The changes in words; empty where there is none.
    notes
        What the rule allows and the column does not show.
    """

    old: ColumnRule
    new: ColumnRule
    findings: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Expected:
    """What the comparison of a column goes by, besides its rule.

    Attributes
    ----------
    missing_values
        Texts that mean a missing value.
    never_missing
        Columns in which no missing value can be allowed: the target, and the one by which rows are held out.
    infer
        Returns the rule that a column would have in a new project, ``None`` where it is of no kind.
    describe
        Returns the description that a column with a rule would have in a new project.
    """

    missing_values: Collection[str]
    never_missing: Collection[str]
    infer: Callable[[pd.Series[Any]], ColumnRule | None]
    describe: Callable[[pd.Series[Any], ColumnRule], str]


def compare_column(values: pd.Series[Any], rule: ColumnRule, expected: Expected) -> ColumnChange:
    """Return what changed in a column.

    Parameters
    ----------
    values
        The column as the source gives it, shape ``(n_rows,)``.
    rule
        The column's rule.
    expected
        What else counts.
    """
    converted = _convert(values, rule, expected)
    new, findings = rule, _unusable(values, converted, rule)
    if findings:
        new, remark = _retyped(values, rule, expected)
        findings = (*findings, remark)
        converted = _convert(values, new, expected)
    typed, found = compare_values(_spread(converted, len(values)), new, expected.never_missing)
    if typed.kind != new.kind:  # a category became a text, in which blanks around a value count
        converted = _convert(values, typed, expected)
        typed, more = compare_values(_spread(converted, len(values)), typed, expected.never_missing)
        found += more
    notes = no_longer_seen(_spread(converted, len(values)), typed) if len(values) >= MIN_ROWS_FOR_RATES else ()
    if typed != rule and is_generated(rule.description):
        typed = typed.model_copy(update={"description": expected.describe(values, typed)})
    return ColumnChange(rule, typed, (*findings, *found), notes)


def is_usable(values: pd.Series[Any], rule: ColumnRule, expected: Expected) -> bool:
    """Return whether all values of a column have the kind that a rule asks for."""
    return not _convert(values, rule, expected).unusable


def _convert(values: pd.Series[Any], rule: ColumnRule, expected: Expected) -> ConvertedColumn:
    return convert_column(distinct_values(values, rule.kind), rule, expected.missing_values)


def _spread(converted: ConvertedColumn, n_rows: int) -> Converted:
    is_unusable = np.zeros(n_rows, dtype=bool)
    for positions in converted.unusable.values():
        is_unusable[positions] = True
    return Converted(converted, is_unusable)


def _unusable(values: pd.Series[Any], converted: ConvertedColumn, rule: ColumnRule) -> tuple[str, ...]:
    """Return in words which values are of another kind."""
    return tuple(
        f"{text} {in_rows(rows, len(values))}: {samples(values.iloc[rows].to_numpy(dtype=object))}"
        for text, rows in converted.unusable.items()
    )


def _retyped(values: pd.Series[Any], rule: ColumnRule, expected: Expected) -> tuple[ColumnRule, str]:
    """Return the rule with the kind that the values have now, and what to say of it."""
    markers = () if rule.kind in ("text", "category") else markers_of(values, expected.missing_values)
    if markers:
        named = ", ".join(map(repr, markers))
        return rule, f"{named} probably means a missing value: add it to data.missing_values of the config"
    other = _other_kind(values, rule, expected)
    if other is None:
        return rule, "the values are of no single kind; correct the data"
    return other, f"the column now holds {_NAMES[other.kind]}, no longer {_NAMES[rule.kind]}"


def _other_kind(values: pd.Series[Any], rule: ColumnRule, expected: Expected) -> ColumnRule | None:
    """Return the rule with the kind that all values have, and the limits of a new column where they cannot stay."""
    if rule.kind == "integer":
        allowed = None if rule.allowed is None else tuple(map(float, rule.allowed))
        number = rule.model_copy(update={"kind": "number", "allowed": allowed})
        if is_usable(values, number, expected):
            return number
    inferred = expected.infer(values)
    candidates = [*([inferred] if inferred else []), *(ColumnRule(name=rule.name, kind=kind) for kind in _KINDS)]
    for found in candidates:
        if is_usable(values, found, expected):
            limits = {name: getattr(found, name) for name in LIMITS}
            rates = BatchExpectations(max_missing_rate=rule.expectations.max_missing_rate)
            return rule.model_copy(update={"kind": found.kind, **limits, "expectations": rates, "example": None})
    return None
