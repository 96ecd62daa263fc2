"""What raw data looks like: one rule per column, readable from and writable to JSON.

The rules are read from the project's pandera model (:func:`read_schema`), stored in the artifact's manifest, and are
what the frame check, the record check and the coercion of incoming values are derived from.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

ColumnKind = Literal["integer", "number", "boolean", "category", "text", "datetime"]

NUMERIC_KINDS: frozenset[ColumnKind] = frozenset({"integer", "number", "boolean"})


class BatchExpectations(BaseModel):
    """What a batch of rows is expected to show in one column; a single row cannot break it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_missing_rate: float | None = None
    """Largest expected share of missing values, 0 to 1."""
    mean_between: tuple[float, float] | None = None
    """Lowest and highest expected mean of a numeric column."""
    share_between: dict[str, tuple[float, float]] | None = None
    """Lowest and highest expected share of single values, by the value as text."""


class ColumnRule(BaseModel):
    """The rule of one raw column."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: ColumnKind
    nullable: bool = False
    unique: bool = False
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: float | None = None
    exclusive_maximum: float | None = None
    earliest: dt.datetime | None = None
    """First moment allowed, naive in UTC."""
    latest: dt.datetime | None = None
    """Last moment allowed, naive in UTC."""
    allowed: tuple[str | int | float | bool, ...] | None = None
    """The only values allowed; ``None`` for any."""
    pattern: str | None = None
    """Regular expression that a text must match from its start, as ``str.match`` does."""
    min_length: int | None = None
    max_length: int | None = None
    expectations: BatchExpectations = BatchExpectations()
    description: str | None = None
    example: str | int | float | bool | None = None
    """A valid value, for the documentation of the service."""


class RawSchema(BaseModel):
    """The rules of all raw columns, in the order of the project's schema."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: tuple[ColumnRule, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the column names in order."""
        return tuple(rule.name for rule in self.columns)

    def rule(self, name: str) -> ColumnRule:
        """Return the rule of one column.

        Raises
        ------
        KeyError
            When the schema has no such column.
        """
        for rule in self.columns:
            if rule.name == name:
                return rule
        raise KeyError(name)

    def select(self, names: Iterable[str]) -> Self:
        """Return the schema of some columns, in the order of this schema."""
        wanted = set(names)
        return self.model_copy(update={"columns": tuple(rule for rule in self.columns if rule.name in wanted)})
