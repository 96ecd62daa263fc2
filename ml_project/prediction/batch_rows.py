"""The rows of a chunk that break the schema, all of them, with every problem."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml_project.data.coercion import convert
from ml_project.data.raw_schema import ColumnRule, RawSchema
from ml_project.errors import MAX_SAMPLES_PER_PROBLEM, Problem
from ml_project.validation.requirements import REQUIRED, requirements_of

PROBLEMS = "problems"


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
    raw
        All rows as raw data; unusable values are missing in it.
    findings
        What is wrong.
    """

    source: pd.DataFrame
    raw: pd.DataFrame
    findings: tuple[Finding, ...]
    schema: RawSchema

    @property
    def invalid(self) -> npt.NDArray[np.bool_]:
        """Return which rows have a problem, of shape ``(n_rows,)``."""
        mask = np.zeros(len(self.source), dtype=bool)
        for finding in self.findings:
            mask[finding.positions] = True
        return mask

    def valid_raw(self) -> pd.DataFrame:
        """Return the raw data of the rows without problems, integers as integers again."""
        valid = self.raw.loc[~self.invalid]
        whole = [rule.name for rule in self.schema.columns if rule.kind == "integer" and not rule.nullable]
        return valid.astype(dict.fromkeys(whole, np.int64))

    def rejected(self) -> pd.DataFrame:
        """Return the rows with problems as the source gave them, with their number and what is wrong."""
        texts: dict[int, list[str]] = {}
        for finding in self.findings:
            values = self.source[finding.field]
            for position in finding.positions.tolist():
                problem = Problem(finding.text, finding.field, value=_shown(values.iloc[position]))
                texts.setdefault(position, []).append(str(problem))
        rows = sorted(texts)
        rejected = self.source.iloc[rows]
        rejected.insert(0, "row", self.source.index[rows])
        return rejected.assign(**{PROBLEMS: ["; ".join(texts[row]) for row in rows]})


def check_chunk(source: pd.DataFrame, schema: RawSchema, *, missing_values: Collection[str]) -> CheckedChunk:
    """Return a chunk with everything that is wrong with its rows.

    Parameters
    ----------
    source
        Rows as a source gives them, indexed by their number in the whole table; they are not changed.
    schema
        The columns wanted.
    missing_values
        Texts that mean a missing value.

    Raises
    ------
    InvalidDataError
        When columns are missing or repeated.
    """
    conversion = convert(source, schema, missing_values=missing_values)
    findings = [
        Finding(name, text, positions)
        for name, by_problem in conversion.unusable.items()
        for text, positions in by_problem.items()
    ]
    unusable = {name: np.concatenate(list(found.values())) for name, found in conversion.unusable.items() if found}
    for rule in schema.columns:
        findings.extend(_broken_rules(conversion.raw[rule.name], rule, unusable.get(rule.name, np.empty(0, np.intp))))
    return CheckedChunk(source, conversion.raw, tuple(findings), schema)


def _broken_rules(values: pd.Series[Any], rule: ColumnRule, unusable: npt.NDArray[np.intp]) -> Iterator[Finding]:
    missing = values.isna().to_numpy(copy=True)
    present = np.flatnonzero(~missing)
    missing[unusable] = False
    if not rule.nullable and missing.any():
        yield Finding(rule.name, REQUIRED, np.flatnonzero(missing))
    known = values.iloc[present]
    for requirement in requirements_of(rule):
        fulfilled = requirement.fulfilled_in(known).to_numpy(dtype=bool)
        if not fulfilled.all():
            yield Finding(rule.name, requirement.wording, present[~fulfilled])


class ProblemCollector:
    """Gathers the problems of all chunks, with few samples of each and the number of all."""

    def __init__(self) -> None:
        self._samples: dict[tuple[str, str], list[Problem]] = {}
        self._counts: dict[tuple[str, str], int] = {}

    def add(self, chunk: CheckedChunk) -> None:
        """Add what is wrong with a chunk."""
        for finding in chunk.findings:
            key = (finding.field, finding.text)
            samples = self._samples.setdefault(key, [])
            self._counts[key] = self._counts.get(key, 0) + len(finding.positions)
            values = chunk.source[finding.field]
            for position in finding.positions[: MAX_SAMPLES_PER_PROBLEM - len(samples)].tolist():
                row, value = int(chunk.source.index[position]), _shown(values.iloc[position])
                samples.append(Problem(finding.text, finding.field, row, value))

    def problems(self) -> list[Problem]:
        """Return the samples, the first of each kind with the number of all."""
        found = []
        for key, samples in self._samples.items():
            more = self._counts[key] - len(samples)
            first, *others = samples
            text = f"{first.problem} ({self._counts[key]:,} values in all)" if more else first.problem
            found += [Problem(text, first.field, first.row, first.value), *others]
        return found


def _shown(value: Any) -> Any:
    """Return a value as a reader wants to see it, ``None`` where it is missing."""
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    return value.item() if isinstance(value, np.generic) else value
