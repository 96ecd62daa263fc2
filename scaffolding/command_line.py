"""The command that makes a project, or compares one with its data: ``bash executables/new_project.sh``.

Exit codes: 0 when the work is done, 1 when it failed, 2 for wrong usage, 130 after Ctrl-C, 143 after SIGTERM. With
``--refresh``: 0 when nothing changed or ``--check`` is not given, 1 when something changed, 2 when that cannot be said.
"""

from __future__ import annotations

import argparse
import csv
import sys
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import get_args

from ml_project.cli import DONE, FAILED, INTERRUPTED, TERMINATED, WRONG_USAGE
from ml_project.config import Task
from ml_project.errors import ConfigError, MlProjectError, Problem
from ml_project.termination import Terminated, sigterm_raises
from scaffolding.plan import ColumnRoles

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = "new_project.sh"
NO_ANSWER = WRONG_USAGE
"""Exit code of a comparison that cannot be made."""
REQUIRED = ("name", "data", "target", "dest")
ROLES = ("task", "id", "time", "group", "leave_out")
CSV_OPTIONS = ("delimiter", "encoding", "decimal", "thousands")
EXAMPLES = """\
examples:
  bash executables/new_project.sh --name churn --data customers.csv --target Churn --dest ../churn
  bash executables/new_project.sh --name churn --data customers.csv --target Churn --dest ../churn \\
      --csv-delimiter ';' --csv-decimal , --id 'Customer no' --leave-out Phone,E-mail
  bash executables/new_project.sh --name prices --data sales.parquet --target price --time sold_on --dest ../prices
  bash executables/new_project.sh --name churn --data sqlite:///crm.db --table customers --target Churn --dest ../churn
  bash executables/new_project.sh --refresh
  bash executables/new_project.sh --refresh --data customers_of_may.csv
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    words = build_parser().parse_args(arguments)
    try:
        _check_usage(words)
        with sigterm_raises():
            return _refresh(words) if words.refresh else _create(words)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  the last place that can turn it into readable lines
        if words.debug:
            traceback.print_exc()
        message, code = _explain(error)
        if words.refresh and code == FAILED:  # which says there that something changed
            code = NO_ANSWER
        print(f"{PROGRAM}: {message}", file=sys.stderr)
        return code


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command's options."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Make a project of your own from this one and a table, or compare a project with its data.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    project = parser.add_argument_group("the project")
    project.add_argument("--name", help="name of the new Python package, for instance customer_churn")
    project.add_argument("--dest", metavar="FOLDER", help="folder to make; it is empty or not there")
    table = parser.add_argument_group("the table")
    table.add_argument("--data", metavar="ADDRESS", help="CSV or Parquet file, s3:// or gs:// address, SQLAlchemy URL")
    table.add_argument("--table", help="table of a database")
    for option in CSV_OPTIONS:
        table.add_argument(f"--csv-{option}", metavar=option.upper(), help=f"{option} of a CSV file; else found out")
    columns = parser.add_argument_group("its columns")
    columns.add_argument("--target", metavar="COLUMN", help="column to predict")
    columns.add_argument(
        "--task", choices=("auto", *get_args(Task)), help="what the target poses; auto decides by its values"
    )
    columns.add_argument("--id", metavar="COLUMN", help="column that identifies a row")
    columns.add_argument("--time", metavar="COLUMN", help="column that orders rows in time: the latest are held out")
    columns.add_argument("--group", metavar="COLUMN", help="column whose rows of one value are held out together")
    columns.add_argument(
        "--leave-out",
        metavar="COLUMNS",
        action="append",
        help='columns that shall be no features, separated by commas; one with a comma in quotes: \'a,"b, c"\'',
    )
    refresh = parser.add_argument_group("a project and its data")
    refresh.add_argument("--refresh", action="store_true", help="show what changed in the data, and propose an edit")
    refresh.add_argument("--check", action="store_true", help="with --refresh: exit code 1 when something changed")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def _check_usage(words: argparse.Namespace) -> None:
    """Refuse options that are missing or that do not belong to what shall be done."""
    making = ("name", "dest", "target", *ROLES, *(f"csv_{option}" for option in CSV_OPTIONS))
    if words.refresh:
        problems = _problems(making, "makes a project, and --refresh compares one; omit it", words, given=True)
    else:
        missing = [option for option in REQUIRED if getattr(words, option) is None]
        problems = _problems(missing, "is missing; --help shows examples", words, given=False)
        problems += [Problem("belongs to --refresh; omit it", "--check")] if words.check else []
    if problems:
        raise ConfigError("Wrong usage; nothing was started.", problems)


def _problems(options: Iterable[str], problem: str, words: argparse.Namespace, *, given: bool) -> list[Problem]:
    wrong = [option for option in options if (getattr(words, option) is not None) is given]
    return [Problem(problem, f"--{option.replace('_', '-')}") for option in wrong]


def _create(words: argparse.Namespace) -> int:
    from scaffolding.creating import Wish, create_project
    from scaffolding.summary import summary

    csv_options = {option: getattr(words, f"csv_{option}") for option in CSV_OPTIONS}
    task = None if words.task == "auto" else words.task
    left_out = tuple(name for names in csv.reader(words.leave_out or ()) for name in names)
    wish = Wish(
        name=words.name,
        data=words.data,
        destination=Path(words.dest).absolute(),
        roles=ColumnRoles(words.target, words.id, words.time, words.group, left_out, task),
        table=words.table,
        csv={option: value for option, value in csv_options.items() if value is not None},
    )
    print(summary(create_project(ROOT, wish, _say)))
    return DONE


def _refresh(words: argparse.Namespace) -> int:
    from scaffolding.refreshing.refresh import refresh

    return refresh(ROOT, source=words.data, table=words.table, check=words.check, say=print)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _explain(error: BaseException) -> tuple[str, int]:
    """Return what to tell of an error, and the exit code."""
    match error:
        case ConfigError():
            return str(error), WRONG_USAGE
        case MlProjectError():
            return str(error), FAILED
        case Terminated():
            return "ended by SIGTERM; nothing was left behind", TERMINATED
        case KeyboardInterrupt():
            return "interrupted; nothing was left behind", INTERRUPTED
        case OSError():
            return f"a file or folder cannot be used: {error}; check it, and the free disk space", FAILED
        case _:
            return f"unexpected {type(error).__name__}: {error}\nThis is a defect; --debug shows the traceback.", FAILED
