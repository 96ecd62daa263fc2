"""What a provider says about itself and hands to the deployer: tools, checks, a plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from ml_project.artifacts.manifest import Manifest
from ml_project.errors import Problem

Framework = Literal["fastapi", "flask"]
SERVED_MODULES: Mapping[Framework, tuple[str, ...]] = {
    "fastapi": ("ml_project.serve_command", "ml_project.serving.fastapi_app", "uvicorn", "uvloop", "httptools"),
    "flask": ("ml_project.serve_command", "ml_project.serving.flask_app", "flask", "gunicorn"),
}
"""Modules that ``python -m ml_project serve`` needs with a framework, beside those of the artifact."""
STORING_MODULES = ("ml_project.monitoring.database", "sqlalchemy", "psycopg")
"""Modules that it needs to store predictions."""


@dataclass(frozen=True)
class Options:
    """What the command line says.

    Attributes
    ----------
    provider
        Name of the provider, which is the name of its folder.
    artifact
        File with the exported model.
    framework
        Web framework of providers that run a process.
    dry_run
        Whether only to tell what would be done.
    force
        Whether to replace or remove files that were not written by the deployer, or were edited since.
    extra
        The provider's own options by name, for instance ``{"account-id": "123456789012"}``; absent where not given.
    """

    provider: str
    artifact: Path
    framework: Framework = "fastapi"
    dry_run: bool = False
    force: bool = False
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PlannedFile:
    """A file that a deployment needs.

    Attributes
    ----------
    path
        Relative to the root, with forward slashes.
    content
        Its bytes; equal options and sources give equal bytes.
    executable
        Whether it may be run.
    """

    path: str
    content: bytes
    executable: bool = False


@dataclass(frozen=True)
class Step:
    """Something to be done once the files are written, for instance building an image.

    Attributes
    ----------
    title
        What it does, in a few words.
    command
        Words of a command to run in the root; ``None`` where ``run`` does it.
    run
        Function that does it; ``None`` where ``command`` does it.
    undo
        How a person goes back: a command, or a sentence; empty where nothing stays.
    """

    title: str
    command: Sequence[str] | None = None
    run: Callable[[], None] | None = None
    undo: str = ""


@dataclass(frozen=True)
class Plan:
    """Everything that setting a deployment up does.

    Attributes
    ----------
    files
        Files to write, each path once.
    steps
        What to do afterwards, in this order.
    next_commands
        Lines for a person to type next; lines that start with ``#`` explain.
    """

    files: tuple[PlannedFile, ...]
    steps: tuple[Step, ...] = ()
    next_commands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tool:
    """A program that a deployment needs.

    Attributes
    ----------
    name
        The program, as it is found on PATH.
    why
        What it is needed for.
    how_to_get
        How to install it.
    required
        Whether setting up needs it; otherwise only the next commands do, and its absence is a note.
    fault
        Function that returns why the program is there but does not work (a docker engine that does not run), or
        ``None``; only asked when the program is there.
    """

    name: str
    why: str
    how_to_get: str
    required: bool = True
    fault: Callable[[], str | None] | None = None


@dataclass(frozen=True)
class Context:
    """What a provider makes its plan from.

    Attributes
    ----------
    root
        Folder of the project, in which the files will be written.
    options
        What the command line says.
    manifest
        What the artifact says about itself.
    """

    root: Path
    options: Options
    manifest: Manifest

    def requirements(self, *extra_categories: str, storage: bool = False) -> str:
        """Return the locked requirements, with hashes, of serving this artifact.

        Parameters
        ----------
        *extra_categories
            Categories of the Pipfile beside those that the artifact's engine needs, for instance ``"fastapi"``.
        storage
            Whether predictions are stored in a database.
        """
        from deployment.deployer.requirements import categories_for, locked_requirements

        return locked_requirements(self.root, categories_for(self.manifest, *extra_categories, storage=storage))

    def package_files(self) -> dict[str, bytes]:
        """Return the sources that serving needs by their path, ``ml_project/...``, sorted."""
        from deployment.deployer.sources import package_files

        return package_files(self.root)

    def provider_file(self, name: str) -> bytes:
        """Return a file of the provider's own folder."""
        return (self.root / "deployment" / self.options.provider / name).read_bytes()

    def artifact_bytes(self) -> bytes:
        """Return the artifact."""
        return self.options.artifact.read_bytes()


class Provider(Protocol):
    """A place that a model can be deployed to; ``deployment/<name>/provider.py`` has one as ``PROVIDER``."""

    @property
    def name(self) -> str:
        """Name of the provider, which is the name of its folder."""
        ...

    @property
    def summary(self) -> str:
        """What it is, in one line."""
        ...

    @property
    def extra_options(self) -> Mapping[str, str]:
        """The provider's own options: help text by name without dashes in front."""
        ...

    def tools(self, options: Options) -> Sequence[Tool]:
        """Return the programs that are needed."""
        ...

    def check(self, context: Context) -> Sequence[Problem]:
        """Return what is wrong beyond the artifact and the tools."""
        ...

    def plan(self, context: Context) -> Plan:
        """Return what to write and to do; changes nothing itself."""
        ...
