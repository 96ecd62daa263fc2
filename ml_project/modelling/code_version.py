"""Which version of the code runs, as git knows it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass


@dataclass(frozen=True)
class CodeVersion:
    """Commit of the code and whether files differ from it; ``None`` outside a git repository."""

    commit: str | None
    is_dirty: bool | None

    @property
    def label(self) -> str | None:
        """Return the commit, with ``-dirty`` behind it where files differ from it, as ``git describe`` does."""
        return f"{self.commit}-dirty" if self.is_dirty else self.commit


def read_code_version() -> CodeVersion:
    """Return the version of the code in the current folder."""
    git = shutil.which("git")
    if git is None:
        return CodeVersion(None, None)
    commit = _run(git, "rev-parse", "HEAD")
    changes = _run(git, "status", "--porcelain") if commit else None
    return CodeVersion(commit, None if changes is None else bool(changes))


def _run(git: str, *arguments: str) -> str | None:
    outcome = subprocess.run([git, *arguments], capture_output=True, text=True, check=False)  # noqa: S603  found on PATH
    return outcome.stdout.strip() if outcome.returncode == 0 else None
