"""Make a project of its own from the template and a table."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ml_project.data.sources import open_source
from ml_project.errors import ConfigError, MlProjectError, Problem
from scaffolding.addresses import is_database, without_secrets
from scaffolding.plan import ColumnRoles, ProjectPlan, Source
from scaffolding.profiling.planning import plan_project
from scaffolding.profiling.role_checks import LEAST_ROWS, check_roles
from scaffolding.profiling.table import find_source, read_table
from scaffolding.template.copying import copy_template, package_of, sort_imports
from scaffolding.template.destination import check_destination, made_at_once
from scaffolding.template.names import check_name
from scaffolding.template.repository import Outcome, make_repository
from scaffolding.writing.config_source import source_variable
from scaffolding.writing.sample import DataFiles, plan_files, write_data
from scaffolding.writing.user_part import write_user_part

Say = Callable[[str], None]


@dataclass(frozen=True)
class Wish:
    """What the user said.

    Attributes
    ----------
    name
        Name of the new package.
    data
        Address of the table.
    destination
        Absolute path of the folder to make.
    roles
        Target and other columns with a purpose.
    table
        Table of a database.
    csv
        How a CSV file is written, as far as the user said so.
    """

    name: str
    data: str
    destination: Path
    roles: ColumnRoles
    table: str | None = None
    csv: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Made:
    """A project that was made.

    Attributes
    ----------
    plan
        What it is.
    destination
        Its folder.
    files
        Where its data lies.
    n_columns
        Columns of the table.
    repository
        Whether git has its files.
    """

    plan: ProjectPlan
    destination: Path
    files: DataFiles
    n_columns: int
    repository: Outcome


def create_project(root: Path, wish: Wish, say: Say) -> Made:
    """Make a project and return what was made.

    Parameters
    ----------
    root
        Folder of the template.
    wish
        What the user said.
    say
        Told what is done, in one line each.

    Raises
    ------
    ConfigError
        With all that is wrong with the user's words, before anything is written.
    MlProjectError
        When the data cannot be read or nothing can be learned from it.
    OSError
        When something cannot be written.
    """
    say(f"Looking at {_shown(wish)} ...")
    source = _check(root, wish)
    frame = read_table(source)
    files = plan_files(source, wish.name, frame[wish.roles.target])
    plan = plan_project(
        wish.name, frame, source, wish.roles, data_path=files.source, committed_data=files.committed
    )
    with made_at_once(wish.destination) as unfinished:
        say("Copying the template ...")
        paths = copy_template(root, unfinished, wish.name)
        say("Writing schema, features, config, tests and data ...")
        own_paths = write_user_part(plan, unfinished, frame)
        sort_imports(unfinished, own_paths)
        write_data(frame, source, unfinished, wish.name, wish.roles)
        _name_committed_data(unfinished, plan)
        say("Reading everything back ...")
        _verify(unfinished, [_address(files.committed, plan), *([files.source] if files.is_copied else [])])
        message = f"Start {plan.title} from a template and a look at its data"
        repository = make_repository(unfinished, sorted({*paths, *own_paths, files.committed}), message)
    return Made(plan, wish.destination, files, len(frame.columns), repository)


def _check(root: Path, wish: Wish) -> Source:
    """Return the source, or raise with all that is wrong with the user's words."""
    problems = check_name(wish.name, root)
    n_bytes = 0
    source = None
    try:
        source = find_source(wish.data, target=wish.roles.target, table=wish.table, csv=wish.csv)
        rows = next(iter(open_source(source.data).read_chunks(LEAST_ROWS)))
        check_roles(rows if hasattr(rows, "iloc") else rows.to_pandas(), wish.roles)
        n_bytes = source.n_bytes or 0
    except MlProjectError as error:
        problems += _as_problems(error)
    problems += check_destination(wish.destination, root, package_of(root), n_bytes)
    if problems or source is None:
        raise ConfigError("No project was made.", problems)
    return source


def _as_problems(error: MlProjectError) -> list[Problem]:
    """Return an error as a part of a longer list."""
    is_list = isinstance(error, ConfigError) and error.problems
    return list(error.problems) if is_list else [Problem(str(error), "--data")]


def _address(path: str, plan: ProjectPlan) -> str:
    return f"sqlite:///{path}" if is_database(plan.data.source) else path


def _name_committed_data(root: Path, plan: ProjectPlan) -> None:
    """Let the new project's pipeline use the data that lies in its repository."""
    pipeline = root / "cicd_pipeline.sh"
    line = re.compile(rf"^(export {source_variable(plan.package)}=).*$", re.MULTILINE)
    address = shlex.quote(_address(plan.committed_data, plan))
    text, n_found = line.subn(lambda found: found[1] + address, pipeline.read_text(encoding="utf-8"))
    if n_found != 1:
        raise MlProjectError(f"cicd_pipeline.sh names the committed data in {n_found} lines; there must be one.")
    pipeline.write_text(text, encoding="utf-8")


def _verify(root: Path, sources: list[str]) -> None:
    """Let the new project read its own config, schema, features and data."""
    environment = os.environ | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "scaffolding.template.verifying", *dict.fromkeys(sources)]
    done = subprocess.run(  # noqa: S603  no words of the user, and no shell
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise MlProjectError(
            "The project does not understand its own data, so it was removed again. This is a defect: please report "
            f"what follows, with some rows of the table.\n{done.stderr.strip()}"
        )


def _shown(wish: Wish) -> str:
    """Return what is looked at, without passwords."""
    table = f", table {wish.table!r}" if wish.table else ""
    return f"{without_secrets(wish.data)}{table}"
