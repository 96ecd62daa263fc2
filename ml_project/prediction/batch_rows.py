"""The rows of a chunk that break the schema, all of them, with every problem."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ml_project.data.coercion import ConvertedColumn, convert_column, require_columns
from ml_project.data.distinct import distinct_in_arrow, distinct_values
from ml_project.data.raw_schema import ColumnRule, RawSchema
from ml_project.data.sources.arrow_source import to_frame
from ml_project.data.sources.base import Rows
from ml_project.data.values import is_missing as is_missing_value
from ml_project.errors import Problem
from ml_project.feature_engineering.process import is_missing
from ml_project.validation.requirements import REQUIRED, Requirement, requirements_of

if TYPE_CHECKING:
    import pandas as pd

ROW, PROBLEMS = "row", "problems"


@dataclass(frozen=True)
class Finding:
    """One kind of problem in one column of a chunk, and the positions of its rows."""

    field: str
    text: str
    positions: npt.NDArray[np.intp]


@dataclass(frozen=True)
class CheckedChunk:
    """A chunk whose good and bad rows are known.

    Attributes
    ----------
    source
        The rows as the source gave them.
    start
        Number of the first row in the whole table.
    columns
        All rows of the schema's columns as raw data; unusable values are missing in it.
    findings
        What is wrong.
    """

    source: Rows
    start: int
    columns: Mapping[str, ConvertedColumn]
    findings: tuple[Finding, ...]

    @cached_property
    def invalid(self) -> npt.NDArray[np.bool_]:
        """Return which rows have a problem, of shape ``(n_rows,)``."""
        mask = np.zeros(len(self.source), dtype=bool)
        for finding in self.findings:
            mask[finding.positions] = True
        return mask

    @property
    def valid_rows(self) -> npt.NDArray[np.int64]:
        """Return the numbers of the rows without problems in the whole table."""
        return self.start + np.flatnonzero(~self.invalid)

    def valid_columns(self) -> Mapping[str, ConvertedColumn]:
        """Return the raw data of the rows without problems."""
        if not self.findings:
            return self.columns
        valid = ~self.invalid
        return {
            name: ConvertedColumn(column.values[valid], None, {})
            if column.codes is None
            else ConvertedColumn(column.values, column.codes[valid], {})
            for name, column in self.columns.items()
        }

    def value(self, field: str, position: int) -> Any:
        """Return a value as the source gave it, ``None`` where it is missing."""
        found = self.source[field]
        value = found.iloc[position] if hasattr(found, "iloc") else found[position].as_py()
        if is_missing_value(value):
            return None
        return value.item() if isinstance(value, np.generic) else value

    def rejected(self) -> pd.DataFrame:
        """Return the rows with problems as the source gave them, with their number and what is wrong."""
        texts: dict[int, list[str]] = {}
        for finding in self.findings:
            for position in finding.positions.tolist():
                problem = Problem(finding.text, finding.field, value=self.value(finding.field, position))
                texts.setdefault(position, []).append(str(problem))
        rows = sorted(texts)
        rejected = self.source.iloc[rows] if hasattr(self.source, "iloc") else to_frame(self.source.take(rows))
        rejected = rejected.drop(columns=[ROW, PROBLEMS], errors="ignore")  # of an earlier run
        rejected.insert(0, ROW, [self.start + row for row in rows])
        return rejected.assign(**{PROBLEMS: ["; ".join(texts[row]) for row in rows]})


def check_chunk(source: Rows, schema: RawSchema, *, missing_values: Collection[str], start: int = 0) -> CheckedChunk:
    """Return a chunk with everything that is wrong with its rows.

    Parameters
    ----------
    source
        Rows as a source gives them; they are not changed.
    schema
        The columns wanted.
    missing_values
        Texts that mean a missing value.
    start
        Number of the first row in the whole table.

    Raises
    ------
    InvalidDataError
        When columns are missing or repeated.
    """
    is_frame = hasattr(source, "iloc")
    require_columns(source.columns if is_frame else source.column_names, schema)
    find = distinct_values if is_frame else distinct_in_arrow
    columns = {
        rule.name: convert_column(find(source[rule.name], rule.kind), rule, missing_values) for rule in schema.columns
    }
    findings = [
        Finding(name, text, positions)
        for name, column in columns.items()
        for text, positions in column.unusable.items()
    ]
    for rule in schema.columns:
        findings.extend(_broken_rules(columns[rule.name], rule))
    return CheckedChunk(source, start, columns, tuple(findings))


def _broken_rules(column: ConvertedColumn, rule: ColumnRule) -> Iterator[Finding]:
    absent = is_missing(column.values)
    if not rule.nullable:
        missing = column.spread_mask(absent, missing=True)
        unusable = list(column.unusable.values())
        if unusable:
            missing = missing.copy()
            missing[np.concatenate(unusable)] = False
        if missing.any():
            yield Finding(rule.name, REQUIRED, np.flatnonzero(missing))
    for requirement in requirements_of(rule):
        broken = _broken(requirement, column.values, absent)
        if broken.any():
            positions = np.flatnonzero(column.spread_mask(broken, missing=False))
            if len(positions):  # a dictionary may hold values that no row has
                yield Finding(rule.name, requirement.wording, positions)


def _broken(requirement: Requirement, values: npt.NDArray[Any], absent: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    if values.dtype != object:
        return ~(requirement.fulfilled_in(values) | absent)
    broken = np.zeros(len(values), dtype=bool)
    present = ~absent
    broken[present] = ~requirement.fulfilled_in(values[present])
    return broken
