"""``Pipfile.lock`` of a project that got another name, as pipenv writes it."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

LOCK = "Pipfile.lock"
NO_CATEGORIES = ("source", "packages", "dev-packages", "requires", "scripts", "pipfile", "pipenv", "default", "develop")
"""Tables of a Pipfile that are no category of packages, or that the hash names differently."""


def pipfile_hash(pipfile: str) -> str:
    r"""Return the SHA-256 by which pipenv knows whether a lock belongs to a Pipfile.

    It is that of the Pipfile's content as JSON, so that layout and comments do not count.

    Examples
    --------
    >>> same = pipfile_hash('[[source]]\nname = "pypi" # the usual one') == pipfile_hash('source = [{name = "pypi"}]')
    >>> same
    True
    """
    tables = tomllib.loads(pipfile)
    hashed: dict[str, Any] = {
        "_meta": {"sources": tables["source"], "requires": tables.get("requires", {})},
        "default": tables.get("packages", {}),
        "develop": tables.get("dev-packages", {}),
        **{name: table for name, table in tables.items() if name not in NO_CATEGORIES},
    }
    return hashlib.sha256(json.dumps(hashed, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def renamed_lock(lock: str, pipfile: str, old: str, new: str) -> str:
    """Return the text of a lock in which a project has another name.

    Parameters
    ----------
    lock
        Text of the lock.
    pipfile
        Text of the Pipfile with the new name.
    old, new
        The project's names, as packages are named: ``customer-churn``.
    """
    content = json.loads(lock)
    for category, packages in content.items():
        if category != "_meta" and old in packages:
            packages[new] = packages.pop(old)
    content["_meta"]["hash"]["sha256"] = pipfile_hash(pipfile)
    return json.dumps(content, indent=4, separators=(",", ": "), sort_keys=True) + "\n"


def locked_names(root: Path) -> set[str]:
    """Return the names of all locked packages, with underscores as their modules have them."""
    content = json.loads((root / LOCK).read_text(encoding="utf-8"))
    categories = (packages for category, packages in content.items() if category != "_meta")
    return {name.lower().replace("-", "_") for packages in categories for name in packages}
