"""The words of a shell: ``setup NAME [ARTIFACT] [options]`` and ``cleanup [NAME] [options]``.

Exit codes: 0 when it is done, 1 when something is missing, in the way or fails, 2 for wrong words, 130 after Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from deployment.deployer.cleaning import clean_up
from deployment.deployer.errors import UsageError
from deployment.deployer.setting_up import set_up
from deployment.deployer.words import parse_clean_up, parse_set_up
from ml_project.errors import ConfigError, MlProjectError

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    commands: dict[str, Callable[[Sequence[str]], None]] = {"setup": _set_up, "cleanup": _clean_up}
    if not words or words[0] not in commands:
        print("usage: python -m deployment.deployer setup NAME [options] | cleanup [NAME] [options]", file=sys.stderr)
        return WRONG_USAGE
    try:
        commands[words[0]](words[1:])
    except (UsageError, ConfigError) as error:
        return _fail(str(error), WRONG_USAGE)
    except MlProjectError as error:
        return _fail(str(error), FAILED)
    except OSError as error:
        return _fail(f"a file or folder cannot be used: {error}", FAILED)
    except KeyboardInterrupt:
        return _fail("interrupted; the same command goes on from here, cleanup_project.sh goes back", INTERRUPTED)
    return DONE


def _set_up(words: Sequence[str]) -> None:
    set_up(parse_set_up(words, os.environ), _tell)


def _clean_up(words: Sequence[str]) -> None:
    chosen = parse_clean_up(words)
    clean_up(_tell, provider=chosen.provider, dry_run=chosen.dry_run, force=chosen.force)


def _tell(text: str) -> None:
    try:
        print(text, flush=True)  # at once, because a step's own output follows
    except BrokenPipeError:
        # Nobody reads on; what is under way shall be done all the same, and no later flush shall fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code
