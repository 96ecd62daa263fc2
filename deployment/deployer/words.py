"""From the words of a command line to what they mean, with all that is wrong with them."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from deployment.deployer.discovery import ROOT, find_provider, known_providers
from deployment.deployer.errors import UsageError
from deployment.deployer.provider import Options, Provider
from ml_project.errors import Problem
from ml_project.suggestions import suggest

PROVIDER_VARIABLE = "cloud_provider"
FRAMEWORKS = ("fastapi", "flask")
SET_UP, CLEAN_UP = "bash executables/cloud_setup.sh", "bash executables/cleanup_project.sh"


@dataclass(frozen=True)
class CleanUp:
    """What the words of a clean-up say.

    Attributes
    ----------
    provider
        Whose files to remove; ``None`` for all.
    dry_run
        Whether only to tell what would be removed.
    force
        Whether to remove edited files, too.
    """

    provider: str | None
    dry_run: bool
    force: bool


class _Parser(argparse.ArgumentParser):
    """A parser that raises what it finds."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}")


def parse_set_up(words: Sequence[str], environment: Mapping[str, str]) -> Options:
    """Return what the words of a set-up say.

    Parameters
    ----------
    words
        A provider, an artifact where it is not the configured one, options.
    environment
        Variables, of which ``cloud_provider`` names the provider where no word does.

    Raises
    ------
    UsageError
        For an unknown provider, option or value.
    """
    name, rest = _split_provider(words, environment.get(PROVIDER_VARIABLE) or None)
    provider = find_provider(name)
    values, unknown = _set_up_parser(provider).parse_known_args(rest)
    artifact = values.artifact or values.artifact_option
    problems = _unknown_words(unknown, ["artifact", "framework", "dry-run", "force", *provider.extra_options])
    if values.framework not in FRAMEWORKS:
        problems.append(Problem(f"must be one of {', '.join(FRAMEWORKS)}", "--framework", value=values.framework))
    if values.artifact and values.artifact_option:
        problems.append(Problem("is given twice", "artifact", value=f"{values.artifact} {values.artifact_option}"))
    if problems:
        raise UsageError("The command line is not usable; nothing was changed.", problems)
    return Options(
        provider=name,
        artifact=Path.cwd() / artifact if artifact else configured_artifact(environment),
        framework=values.framework,
        dry_run=values.dry_run,
        force=values.force,
        extra={option: text for option in provider.extra_options if (text := getattr(values, option)) is not None},
    )


def parse_clean_up(words: Sequence[str]) -> CleanUp:
    """Return what the words of a clean-up say.

    Raises
    ------
    UsageError
        For an unknown provider or option.
    """
    parser = _Parser(prog=CLEAN_UP, description="Remove what the deployer wrote.", allow_abbrev=False)
    parser.add_argument("provider", nargs="?", help="whose files to remove; default: all")
    _add_switches(parser, force="remove files that were edited since, too")
    values, unknown = parser.parse_known_args(words)
    problems = _unknown_words(unknown, ["dry-run", "force"])
    if problems:
        raise UsageError("The command line is not usable; nothing was changed.", problems)
    if values.provider is not None:
        find_provider(values.provider)
    return CleanUp(values.provider, values.dry_run, values.force)


def configured_artifact(environment: Mapping[str, str]) -> Path:
    """Return the artifact that the project's config names."""
    from ml_project.config import LOCAL_PRODUCTION
    from ml_project.config_sources import load_config
    from ml_project.use_case_file import USE_CASE_FILE, load_use_case

    with contextlib.chdir(ROOT):  # the config names its files from there
        use_case = load_use_case(USE_CASE_FILE, LOCAL_PRODUCTION) if USE_CASE_FILE.exists() else None
        return ROOT / load_config(use_case, environment=environment).artifacts.path


def _split_provider(words: Sequence[str], variable: str | None) -> tuple[str, list[str]]:
    """Return the name of the provider and the other words; a known name counts wherever it stands."""
    known, rest = known_providers(), list(words)
    plain = [word for word in words if not word.startswith("-")]
    named = next((word for word in words if word in known), None if variable else next(iter(plain), None))
    if named is not None:
        rest.remove(named)
    if named is not None and variable not in (None, named):
        raise UsageError(f"{PROVIDER_VARIABLE} says {variable!r} and the command line {named!r}; leave one of them out")
    if named is None and variable is None:
        if {"-h", "--help"} & set(words):
            sys.stdout.write("\n".join(_overview()) + "\n")
            raise SystemExit(0)
        raise UsageError("\n".join(["Name a provider.", *_overview()]))
    return str(named or variable), rest


def _overview() -> list[str]:
    lines = [f"  {name:<22} {find_provider(name).summary}" for name in known_providers()]
    return [f"usage: {SET_UP} NAME [ARTIFACT] [--dry-run] [--force] [options of NAME]", "", *lines]


def _set_up_parser(provider: Provider) -> _Parser:
    parser = _Parser(prog=f"{SET_UP} {provider.name}", description=provider.summary, allow_abbrev=False)
    parser.add_argument("artifact", nargs="?", help="the exported model; default: the config's artifacts.path")
    parser.add_argument("--artifact", dest="artifact_option", metavar="FILE", help="the same as an option")
    parser.add_argument("--framework", default="fastapi", metavar="NAME", help="fastapi (default) or flask")
    _add_switches(parser, force="replace files that are in the way")
    for name, text in provider.extra_options.items():
        parser.add_argument(f"--{name}", dest=name, metavar="VALUE", help=text.replace("%", "%%"))
    return parser


def _add_switches(parser: argparse.ArgumentParser, *, force: str) -> None:
    parser.add_argument("--dry-run", action="store_true", help="only tell what would be done")
    parser.add_argument("--force", action="store_true", help=force)


def _unknown_words(words: Sequence[str], options: Sequence[str]) -> list[Problem]:
    problems: list[Problem] = []
    for word in words:
        name = word.partition("=")[0]
        if name.startswith("-"):
            hint = suggest(name.lstrip("-"), options).replace("'", "").replace("mean ", "mean --")
            problems.append(Problem(f"is no option{hint}", name))
        else:
            problems.append(Problem("is a word too many", word))
    return problems
