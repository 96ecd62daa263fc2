"""The places that results go to, looked at before the work starts instead of when hours of it are done."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ml_project.errors import ConfigError, Problem


def check_output_places(*, files: Mapping[str, Path] | None = None, folders: Mapping[str, Path] | None = None) -> None:
    """Refuse places that cannot be written to; nothing is made or changed.

    Parameters
    ----------
    files, folders
        Where files and folders are to be, by the config field that says so.

    Raises
    ------
    ConfigError
        With every place that cannot be written to.
    """
    problems = [
        Problem("is a folder; name a file in it", field, value=str(path))
        for field, path in (files or {}).items()
        if path.is_dir()
    ]
    parents = {**{field: path.parent for field, path in (files or {}).items()}, **(folders or {})}
    for field, folder in parents.items():
        existing = _existing_part(folder)
        if not existing.is_dir():
            problems.append(Problem(f"{existing} is a file, where a folder is needed", field, value=str(folder)))
        elif not os.access(existing, os.W_OK | os.X_OK):
            problems.append(Problem(f"the folder {existing} is not writable for this user", field, value=str(folder)))
    if problems:
        raise ConfigError("Results cannot be written where the config says; nothing was started.", problems)


def _existing_part(path: Path) -> Path:
    """Return the path itself or the nearest parent of it that exists."""
    return next(candidate for candidate in (path, *path.absolute().parents) if os.path.lexists(candidate))
