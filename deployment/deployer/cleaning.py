"""Removing exactly what was written, and telling what else is left of a deployment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from deployment.deployer.applying import only_deployer, remove_files
from deployment.deployer.changes import problems_of, removal
from deployment.deployer.discovery import ROOT
from deployment.deployer.errors import FileConflictError
from deployment.deployer.memory import MEMORY_FILE, Memory, WrittenFile, read_memory
from deployment.deployer.report import removed_lines


def clean_up(
    tell: Callable[[str], None],
    *,
    provider: str | None = None,
    dry_run: bool = False,
    force: bool = False,
    root: Path = ROOT,
) -> None:
    """Remove the files of one deployment, or of all.

    Parameters
    ----------
    tell
        Takes the lines for a person to read.
    provider
        Whose files; ``None`` for all.
    dry_run
        Whether only to tell what would be removed.
    force
        Whether to remove edited files, too.
    root
        Folder of the project.

    Raises
    ------
    FileConflictError
        When files were edited since, and were therefore left; everything else is removed.
    """
    with only_deployer(root):
        memory = read_memory(root)
        steps = [step for step in memory.steps if provider in (None, step.provider)]
        changes = [removal(path, memory, root) for path in _only_theirs(memory, provider)]
        left = problems_of(changes, force=force)
        removable = [change for change in changes if not problems_of([change], force=force)]
        if not dry_run:
            remove_files(removable, _without(memory, provider), root)
    tell("\n".join(removed_lines(removable, steps, dry_run=dry_run)))
    if left:
        raise FileConflictError(
            "Files are left, because the deployer does not remove what is not its own. --force removes edited ones; to "
            f"keep them and forget that the deployer wrote them, delete {MEMORY_FILE}.",
            left,
        )


def _only_theirs(memory: Memory, provider: str | None) -> list[str]:
    """Return the files that nobody else wants."""
    return [path for path, known in memory.files.items() if provider is None or known.providers == (provider,)]


def _without(memory: Memory, provider: str | None) -> Memory:
    """Return the memory without a provider's share of common files and without its steps."""
    files = {path: _less(known, provider) for path, known in memory.files.items()}
    steps = tuple(step for step in memory.steps if provider not in (None, step.provider))
    return memory.model_copy(update={"files": files, "steps": steps})


def _less(known: WrittenFile, provider: str | None) -> WrittenFile:
    others = tuple(name for name in known.providers if name != provider)
    return known.model_copy(update={"providers": others}) if others else known
