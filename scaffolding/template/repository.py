"""The git repository of a new project, with its first commit."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

Outcome = Literal["committed", "staged", "no git"]

BRANCH = "main"
PLACES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX")
"""Variables that would lead git to another repository, as they are set while it runs a hook."""


def make_repository(root: Path, paths: Sequence[str], message: str) -> Outcome:
    """Make a repository of a folder, with a first commit of files.

    The user's settings of git are used and never changed. Where git does not know who the user is, or refuses the
    commit, the files are left staged.

    Parameters
    ----------
    root
        Folder of the project.
    paths
        Files to commit, relative to it; also those that the user's own settings would ignore.
    message
        Message of the commit.

    Returns
    -------
    str
        What there is now: ``committed``, ``staged`` or ``no git``.
    """
    try:
        _git(root, "init", "--quiet")
    except FileNotFoundError:
        return "no git"
    _git(root, "symbolic-ref", "HEAD", f"refs/heads/{BRANCH}")
    _git(root, "add", "--force", "--pathspec-from-file=-", "--pathspec-file-nul", words="\0".join(paths))
    # Without this, git would make up a name out of the login and the machine.
    known = _git(root, "-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT", check=False)
    if known.returncode:
        return "staged"
    done = _git(root, "commit", "--quiet", "--message", message, check=False)
    return "staged" if done.returncode else "committed"


def _git(root: Path, *arguments: str, words: str = "", check: bool = True) -> subprocess.CompletedProcess[bytes]:
    environment = {name: value for name, value in os.environ.items() if name not in PLACES}
    literally = {"GIT_LITERAL_PATHSPECS": "1", "GIT_TERMINAL_PROMPT": "0"}
    return subprocess.run(  # noqa: S603  no words of the user, and no shell
        ["git", *arguments],  # noqa: S607  which git it is, the user's PATH says
        cwd=root,
        env=environment | literally,
        input=os.fsencode(words),
        capture_output=True,
        check=check,
    )
