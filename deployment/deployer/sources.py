"""The sources of the project that a deployment needs: those of serving, without training, tracking and evaluation."""

from __future__ import annotations

from pathlib import Path

PACKAGE = "ml_project"

LEFT_OUT = (
    "ml_project/evaluation/",
    "ml_project/modelling/",
    "ml_project/tracking/",
    "ml_project/project/candidates.py",
    "ml_project/data/synthetic",
)
"""Beginnings of paths that only training, evaluation and made-up data need."""


def package_files(root: Path) -> dict[str, bytes]:
    """Return the sources that serving needs, by path, sorted.

    Parameters
    ----------
    root
        Folder of the project.
    """
    paths = sorted(path for path in (root / PACKAGE).rglob("*") if path.is_file() and path.suffix in (".py", ".typed"))
    named = {path.relative_to(root).as_posix(): path for path in paths}
    return {name: path.read_bytes() for name, path in named.items() if not name.startswith(LEFT_OUT)}
