"""The options of every command and use case: one per field of the config, with description, range and default."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_project.config import Config
from ml_project.config_fields import ConfigField, config_fields, value_text
from ml_project.config_sources import Layer, load_config, unknown_field
from ml_project.errors import ConfigError, Problem

PRECEDENCE = (
    "Any field of the config is an option. Later sources win: defaults, project_config.yaml, the use case, "
    "--config FILE, environment (ML_PROJECT_DATA__SOURCE for data.source), options. Lists are separated by commas, "
    "'null' unsets a field or leaves a step out."
)

ShortNames = Mapping[str, tuple[str, ...]]
SHORT_NAMES: ShortNames = {f"serving.{name}": (f"--{name}",) for name in ("framework", "host", "port", "workers")}
"""Further names of options, by field."""
EXAMPLE_SHORT_NAMES: ShortNames = {"serving.example_format": ("--format",)}
"""Those of the command that prints an example; anywhere else --format could be that of the data."""


@dataclass(frozen=True)
class Arguments:
    """What a command line says.

    Attributes
    ----------
    options
        Texts by dotted field name.
    config_file
        YAML file with fields of the config.
    debug
        Whether errors show their traceback.
    problems
        What is wrong with the line itself.
    """

    options: Mapping[str, str]
    config_file: Path | None
    debug: bool
    problems: tuple[Problem, ...]


def parse_arguments(arguments: Sequence[str], parser: argparse.ArgumentParser) -> Arguments:
    """Return what a command line says; ``--help`` prints the help and ends the program.

    Parameters
    ----------
    arguments
        Words of the command line.
    parser
        Parser as :func:`build_parser` returns it.
    """
    known, unknown = parser.parse_known_args(arguments)
    values = vars(known)
    options = {name: values[name] for name in config_fields() if values.get(name) is not None}
    return Arguments(options, known.config, known.debug, tuple(_unknown_words(unknown)))


def build_parser(
    program: str, description: str, use_case: Config | None, short_names: ShortNames = SHORT_NAMES
) -> argparse.ArgumentParser:
    """Return the parser of a command or use case, whose help shows the values that hold without options."""
    parser = argparse.ArgumentParser(
        prog=program, usage=f"{program} [options]", description=description, epilog=PRECEDENCE, allow_abbrev=False
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="YAML file with fields of the config, by section")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    values = _values(use_case)
    groups: dict[str, argparse._ArgumentGroup] = {}
    for field in config_fields().values():
        section = field.name.split(".")[0] if field.is_section or "." in field.name else "switches"
        if section not in groups:
            groups[section] = parser.add_argument_group(section, field.description if field.is_section else None)
        if field.is_section and "." not in field.name:
            continue
        names = (f"--{field.name}", *short_names.get(field.name, ()))
        groups[section].add_argument(*names, dest=field.name, metavar="", help=_help(field, values))
    return parser


def resolve_config(
    arguments: Arguments,
    use_case: Config | None,
    environment: Mapping[str, str],
    read_artifact: Callable[[Path], Layer] | None = None,
) -> Config:
    """Return the config of a command line with all other sources.

    Parameters are those of :func:`ml_project.config_sources.load_config`.

    Raises
    ------
    ConfigError
        With everything that is wrong in any source.
    """
    try:
        config = load_config(
            use_case,
            config_file=arguments.config_file,
            environment=environment,
            options=arguments.options,
            read_artifact=read_artifact,
        )
    except ConfigError as error:
        raise ConfigError(error.message, [*arguments.problems, *error.problems]) from None
    if arguments.problems:
        raise ConfigError("The command line is not usable; nothing was started.", arguments.problems)
    return config


def _help(field: ConfigField, values: Mapping[str, Any]) -> str:
    default = value_text(values[field.name]) if field.name in values else "default: unset"
    parts = (
        f"{field.description} [{field.allowed}]"
        if field.is_section
        else f"{field.description} [{field.allowed}; {default}]"
    )
    return parts.replace("%", "%%")


def _values(use_case: Config | None) -> dict[str, Any]:
    """Return the values that hold without options, by dotted name; sections that are off count with their defaults."""
    values = {name: field.default for name, field in config_fields().items()}
    if use_case is None:
        return values
    for name in values:
        value: Any = use_case
        for part in name.split("."):
            value = getattr(value, part, None)
            if value is None:
                break
        else:
            values[name] = value
    return values


def _unknown_words(words: Sequence[str]) -> list[Problem]:
    problems = []
    previous_was_option = False
    for word in words:
        is_option = word.startswith("--")
        if is_option:
            problems.append(unknown_field(word.removeprefix("--").partition("=")[0], "the command line"))
        elif not previous_was_option:
            problems.append(Problem("is no option; options start with --", "command line", value=word))
        previous_was_option = is_option and "=" not in word
    return problems
