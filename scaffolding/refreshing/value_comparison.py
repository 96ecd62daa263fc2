"""What the values of one column show against the limits of its rule, and limits that all of them fulfil."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.data.coercion import ConvertedColumn, as_raw
from ml_project.data.raw_schema import ColumnRule, RawSchema
from ml_project.validation.expectations import sum_columns, unexpected
from ml_project.validation.requirements import requirements_of
from scaffolding.refreshing.relaxing import relaxed, relaxed_expectations
from scaffolding.refreshing.value_words import in_rows, samples, shown

LIMITS = {
    "minimum": "below", "exclusive_minimum": "not above", "maximum": "above", "exclusive_maximum": "not below",
    "earliest": "before", "latest": "after", "allowed": "not among the values allowed", "pattern": "not of the pattern",
    "min_length": "shorter than", "max_length": "longer than",
}  # fmt: skip
"""The fields of a rule that limit single values, with what breaks them in words."""


@dataclass(frozen=True)
class Converted:
    """A column with the values of its rule's kind.

    Attributes
    ----------
    column
        The values.
    is_unusable
        Which rows have a value of another kind, shape ``(n_rows,)``.
    """

    column: ConvertedColumn
    is_unusable: npt.NDArray[np.bool_]

    @property
    def n_rows(self) -> int:
        """Return the number of rows."""
        return len(self.is_unusable)

    @property
    def is_present(self) -> npt.NDArray[np.bool_]:
        """Return which of the distinct values are not missing."""
        values = self.column.values
        if values.dtype == object:
            return np.fromiter((value is not None for value in values.tolist()), dtype=bool, count=len(values))
        return np.asarray(values == values, dtype=bool)  # noqa: PLR0124  NaN and NaT differ from themselves

    @property
    def missing_rows(self) -> npt.NDArray[np.intp]:
        """Return the rows without a value."""
        return np.flatnonzero(self.column.spread_mask(~self.is_present, missing=True) & ~self.is_unusable)

    @property
    def occurring(self) -> npt.NDArray[Any]:
        """Return the distinct values that rows have, without missing ones."""
        there = self.is_present
        if self.column.codes is not None:
            occurs = np.zeros(len(there), dtype=bool)
            occurs[self.column.codes[self.column.codes >= 0]] = True
            there &= occurs
        return self.column.values[there]


def compare_values(
    converted: Converted, rule: ColumnRule, never_missing: Collection[str]
) -> tuple[ColumnRule, tuple[str, ...]]:
    """Return the rule with limits and expectations that a column fulfils, and what it does not fulfil now, in words.

    Parameters
    ----------
    converted
        The column.
    rule
        Its rule, of the same kind.
    never_missing
        Columns in which missing values cannot be allowed.
    """
    new, findings = _compare_missing(converted, rule, never_missing)
    for name in LIMITS:
        if getattr(new, name) is not None:
            new, found = _compare_limit(converted, new, name)
            findings += found
    new, found = _compare_unique(converted, new)
    findings += found
    sums = sum_columns({rule.name: converted.column}, RawSchema(columns=(new,)))
    problems = unexpected(sums[rule.name], new) if rule.name in sums else []
    if problems:
        new = relaxed_expectations(new, sums[rule.name])
    return new, (*findings, *(problem.problem for problem in problems))


def no_longer_seen(converted: Converted, rule: ColumnRule) -> tuple[str, ...]:
    """Return what a rule allows and no value shows."""
    notes = []
    if rule.allowed is not None:
        occurring = set(converted.occurring.tolist())
        absent = [value for value in rule.allowed if value not in occurring]
        if absent:
            notes.append(f"no row has {', '.join(map(shown, absent[:5]))}{', ...' if absent[5:] else ''}")
    if rule.nullable and not len(converted.missing_rows):
        notes.append("nullable, but no value is missing")
    return tuple(notes)


def _compare_missing(
    converted: Converted, rule: ColumnRule, never_missing: Collection[str]
) -> tuple[ColumnRule, tuple[str, ...]]:
    rows = converted.missing_rows
    if rule.nullable or not len(rows):
        return rule, ()
    found = f"missing, though none may be, {in_rows(rows, converted.n_rows)}"
    if len(rows) == converted.n_rows:
        found = "every value is missing, though none may be"
    if rule.name in never_missing:
        return rule, (f"{found}; drop these rows or fill them: training needs the column",)
    return rule.model_copy(update={"nullable": True}), (found,)


def _compare_limit(converted: Converted, rule: ColumnRule, name: str) -> tuple[ColumnRule, tuple[str, ...]]:
    """Return the rule with one of its limits such that all values fulfil it."""
    limit = getattr(rule, name)
    alone = ColumnRule.model_validate({"name": rule.name, "kind": rule.kind, name: limit})
    column, places = converted.column, np.flatnonzero(converted.is_present)
    breaks = np.zeros(len(column.values), dtype=bool)
    breaks[places] = ~requirements_of(alone)[0].fulfilled_in(column.values[places])
    rows = np.flatnonzero(column.spread_mask(breaks, missing=False))
    if not len(rows):
        return rule, ()
    broken = column.values[breaks] if column.codes is None else column.values[np.unique(column.codes[rows])]
    against = {"allowed": "", "pattern": f" {limit!r}", "min_length": f" {limit} characters"}
    against["max_length"] = against["min_length"]
    broken_one = f"{LIMITS[name]}{against.get(name, f' {shown(limit)}')}"
    found = f"{broken_one} {in_rows(rows, converted.n_rows)}: {samples(broken)}"
    if name == "allowed" and set(converted.occurring.tolist()).isdisjoint(limit):
        found = f"{found}; none of the values allowed so far is left: was the coding changed?"
    return relaxed(rule, name, broken), (found,)


def _compare_unique(converted: Converted, rule: ColumnRule) -> tuple[ColumnRule, tuple[str, ...]]:
    if not rule.unique:
        return rule, ()
    column = as_raw(converted.column.spread(), rule).dropna()
    repeated = column[column.duplicated()]
    if repeated.empty:
        return rule, ()
    rows = repeated.index.to_numpy(dtype=np.intp)
    found = f"unique, but an earlier value repeats {in_rows(rows, converted.n_rows)}: {samples(repeated.to_numpy())}"
    return rule.model_copy(update={"unique": False}), (found,)
