"""What the READMEs of a new project say of its data."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from scaffolding.addresses import has_server, is_database, without_secrets
from scaffolding.plan import ProjectPlan, SplitStrategy
from scaffolding.words import code, code_in_cell, counted, in_prose
from scaffolding.writing.config_source import source_variable
from scaffolding.writing.rendering import render
from scaffolding.writing.sample import count_committed
from scaffolding.writing.table_facts import class_shares, column_rows

if TYPE_CHECKING:
    import pandas as pd

WIDTH = 120
MAX_DESCRIBED_COLUMNS = 60
"""Rows of the table of columns in the README; the schema has the others."""


def readme_section(plan: ProjectPlan, frame: pd.DataFrame) -> str:
    """Return the section of the README on the data, as Markdown."""
    package = plan.package
    rows = column_rows(plan, frame)
    n_more = len(rows) - MAX_DESCRIBED_COLUMNS
    more = (
        f"The table has {counted(n_more, 'more column', 'more columns')} than are listed here. " if n_more > 0 else ""
    )
    committed = _committed(plan, _count_committed(plan, frame))
    return render(
        "readme_section.md.j2",
        where=_filled(f"{_where(plan)} {committed} More on the files: [data/data](data/data/README.md)."),
        task=_filled(f"{_task(plan, frame)} {_splits(plan)}"),
        rows=rows[:MAX_DESCRIBED_COLUMNS],
        schema=_filled(
            f"{more}What is allowed in a column stands in `{package}/project/schema.py`, and was inferred from this "
            "table: correct there what you know better. What a model sees stands in `use_cases/use_case_config.py`."
        ),
        warnings=[_filled(f"- {in_prose(warning)}", indent="  ") for warning in plan.warnings],
    )


def data_readme(plan: ProjectPlan, frame: pd.DataFrame) -> str:
    """Return ``data/data/README.md``."""
    target = code_in_cell(plan.data.target_column)
    n_columns = str(len(frame.columns))
    n_committed = _count_committed(plan, frame)
    name = Path(plan.committed_data).name
    whole = [(f"`{Path(plan.data.source).name}`", f"{plan.n_rows:,} x {n_columns}", target, "The whole table.")]
    sample = (f"`{name}`", f"{n_committed:,} x {n_columns}", target, _sample_words(plan, n_committed))
    is_inside = Path(plan.data.source).parent == Path("data/data")
    is_whole = plan.data.source == plan.committed_data
    files = [*(whole if is_inside else []), *([] if is_whole else [sample])]
    return render("data_readme.md.j2", files=files, paragraphs=list(map(_filled, _paragraphs(plan))))


def _sample_words(plan: ProjectPlan, n_committed: int) -> str:
    if n_committed == plan.n_rows:
        return "All rows of the table, for tests."
    return "Randomly drawn rows of the table in their order, for tests" + (
        "." if plan.n_classes is None else ", with every class."
    )


def _where(plan: ProjectPlan) -> str:
    rows = f"{counted(plan.n_rows, 'row')} and {counted(len(plan.schema.columns), 'column')}"
    if is_database(plan.data.source):
        return f"The table {code(plan.data.table or '')} of {code(without_secrets(plan.data.source))} has {rows}."
    return f"{code(plan.data.source)} has {rows}."


def _count_committed(plan: ProjectPlan, frame: pd.DataFrame) -> int:
    return count_committed(frame[plan.data.target_column])


def _committed(plan: ProjectPlan, n_committed: int) -> str:
    if plan.data.source == plan.committed_data:
        return "It lies in the repository."
    if n_committed == plan.n_rows:
        return f"All of them are also in `{plan.committed_data}`, which lies in the repository for the tests."
    return (
        f"It is no part of the repository; {n_committed:,} of its rows are, in `{plan.committed_data}`, "
        "with which the tests run."
    )


def _task(plan: ProjectPlan, frame: pd.DataFrame) -> str:
    target = code(plan.data.target_column)
    if plan.n_classes is None:
        return f"The target is {target}, a number, so this is a regression.{_without_target(plan)}"
    kind = "binary" if plan.task == "binary" else "multi-class"
    return (
        f"The target is {target}, with {counted(plan.n_classes, 'class', 'classes')}: {class_shares(plan, frame)}. "
        f"So this is a {kind} classification.{_without_target(plan)}"
    )


def _without_target(plan: ProjectPlan) -> str:
    """Return a sentence, behind a blank, on the rows that nothing is learned from."""
    if plan.data.rows_without_target == "refuse":
        return ""
    return (
        f" Rows without {code(plan.data.target_column)} are left out: nothing is learned from them, and they count in "
        "no metric, because `data.rows_without_target` is `leave_out`; with `refuse` they would end a training."
    )


def _splits(plan: ProjectPlan) -> str:
    held_out: dict[SplitStrategy, str] = {
        "random": "A fifth of the rows, drawn by chance, is held out for the final evaluation",
        "stratified": "A fifth of the rows of each class, drawn by chance, is held out for the final evaluation",
        "grouped": f"Rows with the same {code(plan.group_column or '')} stay together when rows are held out",
        "chronological": f"The last fifth of the rows by {code(plan.time_column or '')} is held out",
    }
    return f"{held_out[plan.split_strategy]}; candidates are compared by {plan.n_folds} folds of the others."


def _paragraphs(plan: ProjectPlan) -> list[str]:
    variable = source_variable(plan.package)
    paragraphs = []
    if has_server(plan.data.source):
        example = _with_password(without_secrets(plan.data.source))
        paragraphs.append(
            f"The data stays in its database. If it asks for a password, set the whole address in the environment, "
            f"never in a file of the repository: `export {variable}='{example}'`."
        )
    elif plan.data.source != plan.committed_data:
        ignored = Path(plan.data.source).parent == Path("data/data")
        stays = "is ignored by git: whoever clones the repository puts it here" if ignored else "stays where it is"
        paragraphs.append(
            f"The whole table {stays}, or names its own place with the environment variable `{variable}`."
            if ignored
            else f"The whole table {stays}, `{without_secrets(plan.data.source)}`; the environment variable "
            f"`{variable}` names another place."
        )
    if plan.data.source != plan.committed_data:
        address = f"{'sqlite:///' if is_database(plan.data.source) else ''}{plan.committed_data}"
        paragraphs.append(f"The committed rows alone are enough to try things: `export {variable}={address}`.")
    return [*paragraphs, *([text.strip()] if (text := _without_target(plan)) else [])]


def _with_password(address: str) -> str:
    scheme, _, rest = address.partition("://")
    user, at, host = rest.rpartition("@")
    return f"{scheme}://{user or 'USER'}:PASSWORD@{host}" if at or rest else address


def _filled(text: str, *, indent: str = "") -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
