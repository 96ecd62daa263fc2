"""The providers that there are: every folder beside this one that has a ``provider.py``."""

from __future__ import annotations

from difflib import SequenceMatcher
from importlib import import_module
from pathlib import Path

from deployment.deployer.errors import DeploymentError, UsageError
from deployment.deployer.provider import Provider

ROOT = Path(__file__).resolve().parents[2]
"""Folder of the project."""


def known_providers(root: Path = ROOT) -> list[str]:
    """Return the names of all providers, sorted."""
    folders = [file.parent for file in (root / "deployment").glob("*/provider.py")]
    return sorted(folder.name for folder in folders if folder.name != Path(__file__).parent.name)


def find_provider(name: str) -> Provider:
    """Return a provider by its name.

    Raises
    ------
    UsageError
        When there is none, with those that there are, the closest first.
    DeploymentError
        When its module cannot be used.
    """
    known = known_providers()
    if name not in known:
        raise UsageError(f"There is no provider {name!r}; there are {', '.join(_closest_first(name, known))}")
    try:
        provider: Provider = import_module(f"deployment.{name}.provider").PROVIDER
    except (ImportError, AttributeError) as error:
        raise DeploymentError(f"deployment/{name}/provider.py cannot be used: {error}") from error
    return provider


def _closest_first(name: str, known: list[str]) -> list[str]:
    def distance(other: str) -> float:
        return -SequenceMatcher(None, name.strip().lower().replace("-", "_"), other).ratio()

    return sorted(known, key=distance)
