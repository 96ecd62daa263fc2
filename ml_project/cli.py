"""The one way in from a shell: ``python -m ml_project COMMAND`` and the scripts in ``use_cases``.

Exit codes: 0 when the work is done, 1 when it failed, 2 for wrong usage or a wrong config, 130 after Ctrl-C, 143 after
SIGTERM.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from ml_project.artifacts.own_config import read_artifact_layer
from ml_project.command_line import (
    EXAMPLE_SHORT_NAMES,
    SHORT_NAMES,
    ShortNames,
    build_parser,
    parse_arguments,
    resolve_config,
)
from ml_project.commands import evaluate_model, predict_table, train_model
from ml_project.config import LOCAL_PRODUCTION, MODELLING, SCORING, Config, Switches
from ml_project.config_sources import Layer, explain
from ml_project.errors import ConfigError, MlProjectError
from ml_project.example_command import print_example
from ml_project.production_commands import generate_rows
from ml_project.serve_command import serve_predictions
from ml_project.termination import Terminated, sigterm_raises
from ml_project.use_case_file import USE_CASE_FILE, load_use_case

Action = Callable[[Config], None]
BuildConfig = Callable[[], Config]

DONE, FAILED, WRONG_USAGE, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143


class Command(NamedTuple):
    """What a word of the command line does.

    Attributes
    ----------
    action
        What to do with the config.
    switches
        Those of its config.
    needs_artifact_only
        Whether the artifact says what the other sources of the config leave out, where there is no use case.
    short_names
        Further names of its options.
    """

    action: Action
    switches: Switches
    needs_artifact_only: bool = False
    short_names: ShortNames = SHORT_NAMES


COMMANDS: dict[str, Command] = {
    "train": Command(train_model, MODELLING),
    "evaluate": Command(evaluate_model, SCORING),
    "predict": Command(predict_table, SCORING),
    "serve": Command(serve_predictions, LOCAL_PRODUCTION, True),
    "generate": Command(generate_rows, SCORING),
    "example": Command(print_example, LOCAL_PRODUCTION, True, EXAMPLE_SHORT_NAMES),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line such as ``train --data.source customers.csv`` and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help"):
        print(_usage(), file=sys.stdout if words else sys.stderr)
        return DONE if words else WRONG_USAGE
    name, *rest = words
    if name not in COMMANDS:
        print(f"ml_project: there is no command {name!r}; commands are {', '.join(COMMANDS)}", file=sys.stderr)
        return WRONG_USAGE
    command = COMMANDS[name]
    use_case = (lambda: load_use_case(USE_CASE_FILE, command.switches)) if USE_CASE_FILE.exists() else None
    return run(
        command.action,
        use_case,
        program=f"python -m ml_project {name}",
        arguments=rest,
        read_artifact=read_artifact_layer if command.needs_artifact_only and use_case is None else None,
        short_names=command.short_names,
    )


def run_use_case(action: Action, use_case: BuildConfig) -> int:
    """Run a use-case script with the options of its command line and return the exit code."""
    return run(action, use_case, program=Path(sys.argv[0]).name, arguments=sys.argv[1:])


def run(
    action: Action,
    use_case: BuildConfig | None,
    *,
    program: str,
    arguments: Sequence[str],
    read_artifact: Callable[[Path], Layer] | None = None,
    short_names: ShortNames = SHORT_NAMES,
) -> int:
    """Run an action with the config of all sources.

    Parameters
    ----------
    action
        What to do with the config.
    use_case
        Function that builds the use case's config; ``None`` where only the other sources count.
    program
        Name in the help and in messages.
    arguments
        Words of the command line after the name.
    read_artifact
        See :func:`ml_project.config_sources.load_config`.
    short_names
        Further names of options, by field.

    Returns
    -------
    int
        The exit code.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s", stream=sys.stderr)
    debug = "--debug" in arguments
    try:
        config = _build(use_case)
        parser = build_parser(program, (action.__doc__ or "").strip().splitlines()[0], config, short_names)
        with sigterm_raises():
            action(resolve_config(parse_arguments(arguments, parser), config, os.environ, read_artifact))
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  the last place that can turn it into readable lines
        message, code = _explain(error)
        return _report(program, message, code, debug)
    return DONE


def _build(use_case: BuildConfig | None) -> Config | None:
    try:
        return use_case() if use_case else None
    except ValidationError as error:
        raise explain(error) from error


def _explain(error: BaseException) -> tuple[str, int]:
    """Return what to tell of an error, and the exit code."""
    match error:
        case ConfigError():
            return str(error), WRONG_USAGE
        case MlProjectError():
            return str(error), FAILED
        case Terminated():
            return "ended by SIGTERM", TERMINATED
        case KeyboardInterrupt():
            return "interrupted", INTERRUPTED
        case OSError():
            return f"a file, folder or connection cannot be used: {error}; check it, and the free disk space", FAILED
        case _:
            return f"unexpected {type(error).__name__}: {error}\nThis is a defect; --debug shows the traceback.", FAILED


def _report(program: str, message: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    print(f"{program}: {message}", file=sys.stderr)
    return code


def _usage() -> str:
    lines = [
        f"  {name:<10} {(command.action.__doc__ or '').strip().splitlines()[0]}" for name, command in COMMANDS.items()
    ]
    return "\n".join(
        [
            "usage: python -m ml_project COMMAND [options]",
            "",
            "commands:",
            *lines,
            "",
            "COMMAND --help lists all options.",
        ]
    )
