"""What a table holds, column by column, in the words of a README."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from ml_project.data.coercion import coerce
from ml_project.data.raw_schema import ColumnKind, ColumnRule
from ml_project.validation.requirements import written
from scaffolding.plan import ProjectPlan
from scaffolding.words import code, code_in_cell, in_cell, listed, number_text, share_text
from scaffolding.writing.config_source import left_out_words

if TYPE_CHECKING:
    Facts = Sequence[tuple[str, ...]]

KIND_WORDS: Mapping[ColumnKind, str] = {
    "integer": "whole number",
    "number": "number",
    "boolean": "yes or no",
    "category": "category",
    "text": "text",
    "datetime": "date or time",
}
NUMBERS: frozenset[ColumnKind] = frozenset({"integer", "number"})
MOST_NAMED = 5


def column_rows(plan: ProjectPlan, frame: pd.DataFrame) -> Facts:
    """Return a row per column: its name, type, values, missing share and use, ready for a table of Markdown.

    Parameters
    ----------
    plan
        The project.
    frame
        The whole table as its source gives it.
    """
    raw = coerce(frame, plan.schema, missing_values=plan.data.missing_values)
    uses = _uses(plan)
    return [
        (
            code_in_cell(rule.name),
            KIND_WORDS[rule.kind],
            in_cell(_values(raw[rule.name].dropna(), rule)),
            share_text(float(raw[rule.name].isna().mean())),
            in_cell(uses.get(rule.name, "")),
        )
        for rule in plan.schema.columns
    ]


def class_shares(plan: ProjectPlan, frame: pd.DataFrame) -> str:
    """Return the classes of the target with their shares of the rows, the most frequent ones first."""
    rule = plan.schema.rule(plan.data.target_column)
    target = coerce(frame[[rule.name]], plan.schema.select([rule.name]), missing_values=plan.data.missing_values)
    shares = target[rule.name].value_counts(normalize=True, dropna=True)
    named = [f"{code(str(value))} ({share_text(share)})" for value, share in shares.items()]
    return listed(named, most=MOST_NAMED)


def _uses(plan: ProjectPlan) -> dict[str, str]:
    uses = dict.fromkeys(plan.columns, "feature")
    for process in plan.processes:
        for column in process_inputs(process.arguments):
            uses.setdefault(column, "input of feature processes")
    roles: dict[str | None, str] = {
        plan.group_column: "groups rows",
        plan.time_column: "orders rows in time",
        plan.data.id_column: "identifies a row",
        plan.data.target_column: "target",
    }
    for name, role in roles.items():
        if name is not None:
            uses[name] = f"{role}, {uses[name]}" if name in uses else role
    return uses | {left.column: left_out_words(left.reason) for left in plan.left_out}


def process_inputs(arguments: Mapping[str, Any]) -> list[str]:
    """Return the columns that the arguments of a planned process name."""
    return [arguments[name] for name in ("column", "until", "since") if arguments.get(name) is not None]


def _values(present: pd.Series[Any], rule: ColumnRule) -> str:
    """Return what the present values of a column are: from where to where, or which."""
    if present.empty:
        return "none"
    if rule.kind == "boolean":
        return f"true in {share_text(float(present.astype(float).mean()))}"
    if rule.kind == "datetime" or (rule.kind in NUMBERS and rule.allowed is None):
        ends = dict.fromkeys(_text(end, rule.kind) for end in (present.min(), present.max()))
        return " to ".join(ends)
    if rule.kind == "text" and present.nunique() > MOST_NAMED:
        return f"{present.nunique():,} different"
    values = sorted(present.unique()) if rule.kind in NUMBERS else present.value_counts().index
    return listed([_text(value, rule.kind) for value in values], most=MOST_NAMED)


def _text(value: Any, kind: ColumnKind) -> str:
    if kind == "datetime":
        return written(value.to_pydatetime()).removesuffix("T00:00:00")
    return number_text(value) if kind in NUMBERS else str(value)
