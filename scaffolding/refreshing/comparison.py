"""What changed in a table against the schema of a project."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ml_project.config import Config
from ml_project.data.names import misspelt_names
from ml_project.data.raw_schema import ColumnRule, RawSchema
from ml_project.errors import TargetError
from ml_project.suggestions import suggest
from scaffolding.profiling.column_profile import profile_column
from scaffolding.profiling.column_rules import infer_rule
from scaffolding.profiling.descriptions import describe
from scaffolding.refreshing.column_comparison import ColumnChange, Expected, compare_column, is_usable
from scaffolding.refreshing.new_columns import NewColumn, look_at_new

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Comparison:
    """What changed in a table.

    Attributes
    ----------
    n_rows
        Rows of the table.
    order
        Columns of the table, in its order.
    changes
        Columns of the schema whose values no longer fit it, by their names in the table.
    new
        Columns that the schema does not name.
    gone
        Columns of the schema that the table lacks, without those renamed.
    renamed
        New names by column of the schema.
    notes
        What the schema allows and the table no longer shows: column and words.
    """

    n_rows: int
    order: tuple[str, ...]
    changes: tuple[ColumnChange, ...]
    new: tuple[NewColumn, ...]
    gone: tuple[str, ...]
    renamed: dict[str, str]
    notes: tuple[tuple[str, str], ...]

    @property
    def is_empty(self) -> bool:
        """Return whether nothing changed."""
        return not self.n_changes

    @property
    def n_changes(self) -> int:
        """Return how many columns changed."""
        return len(self.changes) + len(self.new) + len(self.gone) + len(self.renamed)


def compare(frame: pd.DataFrame, schema: RawSchema, config: Config, *, left_out: Collection[str] = ()) -> Comparison:
    """Return what changed in a table against the schema.

    Parameters
    ----------
    frame
        The table as its source gives it, shape ``(n_rows, n_columns)``; it is not changed.
    schema
        The project's schema.
    config
        The project's config: what the columns are for, and which texts mean a missing value.
    left_out
        Columns of the table that are left out of the schema on purpose.

    Raises
    ------
    TargetError
        When the table lacks the target.
    """
    order = tuple(map(str, frame.columns))
    _require_target(order, schema, config.data.target_column)
    expected = _expected(config)
    renamed = _renamed(frame, schema, expected, left_out)
    names = {rule.name: renamed.get(rule.name, rule.name) for rule in schema.columns}
    rules = [rule.model_copy(update={"name": names[rule.name]}) for rule in schema.columns if names[rule.name] in order]
    compared = [compare_column(frame[rule.name], rule, expected) for rule in rules]
    known = {*names.values(), *left_out}
    target = next(change.new for change in compared if change.new.name == config.data.target_column)
    return Comparison(
        n_rows=len(frame),
        order=order,
        changes=tuple(change for change in compared if change.findings),
        new=tuple(look_at_new(frame, [name for name in order if name not in known], target, config)),
        gone=tuple(rule.name for rule in schema.columns if names[rule.name] not in order),
        renamed=renamed,
        notes=tuple((change.old.name, note) for change in compared for note in change.notes),
    )


def _expected(config: Config) -> Expected:
    missing_values = config.data.missing_values
    held_out_by = {
        "grouped": config.splits.group_column,
        "chronological": config.splits.time_column,
    }.get(config.splits.strategy)

    def infer(values: pd.Series[Any]) -> ColumnRule | None:
        profile = profile_column(values, missing_values=missing_values)
        return None if profile.kind is None else infer_rule(profile)

    def description(values: pd.Series[Any], rule: ColumnRule) -> str:
        return describe(profile_column(values, missing_values=missing_values), rule)

    never_missing = {config.data.target_column, *([] if held_out_by is None else [held_out_by])}
    return Expected(missing_values, never_missing, infer, description)


def _require_target(order: Sequence[str], schema: RawSchema, target: str) -> None:
    if target not in schema.names:
        raise TargetError(f"data.target_column {target!r} is no column of the schema{suggest(target, schema.names)}.")
    if target not in order:
        raise TargetError(
            f"The target column {target!r} is not in the table{suggest(target, order)}. Name the new column in "
            "data.target_column of use_cases/use_case_config.py and in the schema, or correct the table."
        )


def _renamed(frame: pd.DataFrame, schema: RawSchema, expected: Expected, left_out: Collection[str]) -> dict[str, str]:
    """Return the new names of columns that were probably renamed: nearly the same name, values of the same kind."""
    found = [name for name in map(str, frame.columns) if name in schema.names or name not in left_out]
    meant = misspelt_names(found, schema.names)
    once = {new: old for old, new in reversed(meant.items())}
    return {old: new for new, old in once.items() if is_usable(frame[new], schema.rule(old), expected)}
