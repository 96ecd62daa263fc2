"""The new project's config as source: the fields of each section that are not left to their defaults."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import Any

from ml_project.config import CsvConfig, DataConfig
from ml_project.masking import is_secret_name
from scaffolding.addresses import has_server, without_secrets
from scaffolding.plan import LeftOut, ProjectPlan
from scaffolding.words import plain_name
from scaffolding.writing.literals import literal

Fields = list[tuple[str, str]]
COMMENT_WIDTH = 120 - len("            # ")
_DIRECTIVE = re.compile(r"\bnoqa\b|\b(?:fmt|isort|mypy|pragma|ruff|type)(?=\s*:)", re.IGNORECASE)
"""What tools understand as an order to them when it stands in a comment."""


def data_fields(data: DataConfig) -> Fields:
    """Return the fields of the section on data, without any secret."""
    values = data.model_dump(exclude_defaults=True)
    fields = []
    for name in values:
        value = getattr(data, name)
        if name == "source":
            fields.append((name, repr(without_secrets(value))))
        elif name == "csv":
            fields.append((name, _csv(value)))
        elif name == "storage_options":
            fields.append((name, repr({key: kept for key, kept in value.items() if not is_secret_name(key)})))
        else:
            fields.append((name, _value(value)))
    return fields


def data_comment(plan: ProjectPlan) -> list[str]:
    """Return what to say of the address of a database that asks for a password."""
    if not has_server(plan.data.source):
        return []
    variable = source_variable(plan.package)
    return textwrap.wrap(
        f"A password stands in no file: the environment variable {variable} holds the whole address, password "
        "included, and wins over this line.",
        COMMENT_WIDTH,
    )


def source_variable(package: str) -> str:
    """Return the environment variable that names the data in place of the config.

    Examples
    --------
    >>> source_variable("churn")
    'CHURN_DATA__SOURCE'
    """
    return f"{package.upper()}_DATA__SOURCE"


def feature_fields(plan: ProjectPlan) -> Fields:
    """Return the fields of the section on features."""
    fields = {"columns": plan.columns, "processes": tuple(process.name for process in plan.processes)}
    return [(name, _value(chosen)) for name, chosen in fields.items() if chosen]


def left_out_comment(left_out: Sequence[LeftOut]) -> list[str]:
    """Return a comment that lists the columns that are no features, with their reasons."""
    if not left_out:
        return []
    if len(left_out) == 1:
        (left,) = left_out
        return textwrap.wrap(_quiet(f"{plain_name(left.column)} is {left_out_words(left.reason)}."), COMMENT_WIDTH)
    lines = ["Left out:"]
    for left in left_out:
        text = _quiet(f"- {plain_name(left.column)}: {left.reason}")
        lines += textwrap.wrap(text, COMMENT_WIDTH, subsequent_indent="  ")
    return lines


def left_out_words(reason: str) -> str:
    """Return the reason as it follows the name of the column and "is".

    Examples
    --------
    >>> left_out_words("is free text"), left_out_words("left out by the user")
    ('left out because it is free text', 'left out by the user')
    """
    return reason if reason.startswith("left out") else f"left out because it {reason}"


def split_fields(plan: ProjectPlan) -> Fields:
    """Return the fields of the section on splits: always how, the rest where it is not the default."""
    fields = {"group_column": plan.group_column, "time_column": plan.time_column}
    folds = {} if plan.n_folds == 5 else {"n_folds": plan.n_folds}
    given = {name: column for name, column in fields.items() if column is not None}
    return [(name, repr(value)) for name, value in {"strategy": plan.split_strategy, **given, **folds}.items()]


def _csv(csv: CsvConfig) -> str:
    fields = ", ".join(f"{name}={value!r}" for name, value in csv.model_dump(exclude_defaults=True).items())
    return f"CsvConfig({fields})"


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    return literal(value)


def _quiet(text: str) -> str:
    """Return words of a data set for a comment, in which no tool finds an order to it."""
    return _DIRECTIVE.sub(lambda found: repr(found[0]), plain_name(text))
