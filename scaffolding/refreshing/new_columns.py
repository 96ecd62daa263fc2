"""What a column that the schema does not name yet could be for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ml_project.config import Config
from ml_project.data.coercion import convert
from ml_project.data.columns import to_columns
from ml_project.data.raw_schema import ColumnRule, RawSchema
from ml_project.data.target import read_target
from ml_project.errors import TargetError
from scaffolding.profiling.column_profile import profile_column
from scaffolding.profiling.column_rules import infer_rule
from scaffolding.profiling.leakage import find_leaks, to_numbers
from scaffolding.profiling.roles import reason_to_leave_out

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class NewColumn:
    """A column that the schema does not name.

    Attributes
    ----------
    name
        Its name.
    rule
        The rule that it would have; ``None`` where the project cannot use it.
    reason_against
        Why it should be no feature, as the end of a sentence about it; ``None`` where it can be one.
    warning
        What to look at before it becomes one, as the end of a sentence about it; ``None`` for nothing.
    """

    name: str
    rule: ColumnRule | None
    reason_against: str | None
    warning: str | None = None

    @property
    def belongs_to_schema(self) -> bool:
        """Return whether the schema should have it: a column without use would only have to be there and be right."""
        return self.rule is not None and self.reason_against is None

    @property
    def can_be_feature(self) -> bool:
        """Return whether it can be a feature as it is, without a second look."""
        is_value = self.rule is not None and self.rule.kind != "datetime"
        return is_value and self.belongs_to_schema and self.warning is None


def look_at_new(frame: pd.DataFrame, names: Sequence[str], target: ColumnRule, config: Config) -> list[NewColumn]:
    """Return what new columns could be for.

    Parameters
    ----------
    frame
        The table as its source gives it, with the target.
    names
        The new columns.
    target
        Rule of the target.
    config
        The project's config.
    """
    found = [_profiled(frame[name], config.data.missing_values) for name in names]
    rules = [column.rule for column in found if column.rule is not None]
    reasons, warnings = _leaks(frame, rules, target, config)
    return [
        replace(
            column,
            reason_against=column.reason_against or reasons.get(column.name),
            warning=warnings.get(column.name),
        )
        for column in found
    ]


def _profiled(values: pd.Series, missing_values: Collection[str]) -> NewColumn:
    profile = profile_column(values, missing_values=missing_values)
    rule = None if profile.kind is None or not profile.name.strip() else infer_rule(profile)
    return NewColumn(profile.name, rule, reason_to_leave_out(profile))


def _leaks(
    frame: pd.DataFrame, rules: Sequence[ColumnRule], target: ColumnRule, config: Config
) -> tuple[dict[str, str], dict[str, str]]:
    """Return by column why it gives the target away, and why it may."""
    schema = RawSchema(columns=(*rules, target))
    raw = convert(frame, schema, missing_values=config.data.missing_values).raw
    known = raw[raw[target.name].notna()].reset_index(drop=True)
    task, positive = config.modelling.task, config.data.positive_class
    try:
        read = read_target(known, target.name, task=task, positive_class=positive)
    except TargetError:  # its own changes are reported; leaks can be looked for once it is in order
        return {}, {}
    arrays = to_columns(known, schema)
    leaks = find_leaks({rule.name: to_numbers(arrays[rule.name]) for rule in rules}, read, target.name)
    heads = {rule.name: f"Column {rule.name!r} " for rule in rules}
    may = {
        name: text.removeprefix(head).partition(" If ")[0].rstrip(".")
        for name, head in heads.items()
        for text in leaks.warnings
        if text.startswith(head)
    }
    return {one.column: one.reason for one in leaks.left_out}, may
