"""What is said of a project that was made."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from scaffolding.addresses import without_secrets
from scaffolding.creating import Made
from scaffolding.sections import BULLET, section_lines
from scaffolding.words import listed

TASKS = {"binary": "binary classification", "multiclass": "multi-class classification", "regression": "regression"}
HOLDOUTS = {
    "random": "by chance",
    "stratified": "by chance, with the same share of every class",
    "grouped": "whole groups of {group!r}",
    "chronological": "the latest by {time!r}",
}


def summary(made: Made) -> str:
    """Return what was found, where everything lies, and what to type next."""
    return "\n".join(
        [
            f"The project {made.plan.package} lies in {made.destination}.",
            *section_lines("What was found", _findings(made)),
            *section_lines("Left out", ((one.column, one.reason) for one in made.plan.left_out)),
            *section_lines("Please look at this", ((BULLET, warning) for warning in made.plan.warnings)),
            *section_lines("Where it lies", _places(made)),
            "",
            "What to type next",
            f"  cd {shlex.quote(way_to(made.destination))}",
            "  bash executables/quickstart.sh                  install and train",
            "  bash cicd_pipeline.sh                           run all checks and tests",
            "  bash executables/new_project.sh --refresh       later: compare new data with the schema",
        ]
    )


def way_to(destination: Path) -> str:
    """Return the path of a folder from the one that this is called from."""
    try:
        return os.path.relpath(destination)
    except FileNotFoundError:  # somebody removed the folder that this is called from
        return str(destination)


def _findings(made: Made) -> Iterator[tuple[str, str]]:
    plan = made.plan
    classes = "" if plan.n_classes is None else f", {plan.n_classes} classes"
    yield "table", f"{plan.n_rows:,} rows, {made.n_columns:,} columns"
    yield "target", f"{plan.data.target_column}: {TASKS[plan.task]}{classes}"
    if plan.data.id_column is not None:
        yield "identifier", plan.data.id_column
    features = [*plan.columns, *(process.name for process in plan.processes)]
    yield "features", f"{len(features)}: {listed(features, most=12)}"
    holdout = HOLDOUTS[plan.split_strategy].format(group=plan.group_column, time=plan.time_column)
    yield "held out", f"{holdout}; {plan.n_folds} folds"


def _places(made: Made) -> Iterator[tuple[str, str]]:
    plan = made.plan
    yield "rules of the columns", f"{plan.package}/project/schema.py"
    yield "features", f"{plan.package}/project/features.py"
    yield "config", "use_cases/use_case_config.py"
    yield "data", _data(made)
    yield "real rows in git", _committed(made)
    if made.repository == "staged":
        yield "git", "all files are staged, but not committed: git does not know you, or refused; run: git commit"
    elif made.repository == "no git":
        yield "git", "was not found; install it and run: git init && git add . && git commit"
    else:
        yield "git", "a repository with a first commit, on the branch main"


def _data(made: Made) -> str:
    address = without_secrets(made.plan.data.source)
    if not made.files.is_copied:
        return f"stays where it is: {address}"
    return address if made.files.is_whole else f"{address}, which git ignores"


def _committed(made: Made) -> str:
    return f"{made.files.committed}, {made.files.n_committed:,} rows: think before you push them anywhere"
