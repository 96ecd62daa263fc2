"""From options to a plan: the artifact and the tools are checked first, and all problems are told together."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from deployment.deployer.discovery import ROOT, find_provider
from deployment.deployer.errors import DeploymentError
from deployment.deployer.provider import Context, Options, Plan, PlannedFile, Provider, Tool
from ml_project.artifacts.manifest import Manifest, read_manifest
from ml_project.errors import MlProjectError, Problem


@dataclass(frozen=True)
class CheckedPlan:
    """A plan whose checks have passed.

    Attributes
    ----------
    context
        What it was made from.
    plan
        What to do.
    notes
        What is missing for the next commands only.
    """

    context: Context
    plan: Plan
    notes: tuple[str, ...]


def make_plan(options: Options, root: Path = ROOT) -> CheckedPlan:
    """Return what setting a provider up does; nothing is changed.

    Parameters
    ----------
    options
        What the command line says.
    root
        Folder of the project.

    Raises
    ------
    DeploymentError
        With everything that is missing or wrong.
    """
    provider = find_provider(options.provider)
    problems, notes = check_tools(provider.tools(options))
    manifest = _read_manifest(options.artifact, problems)
    if manifest is not None:
        context = Context(root, options, manifest)
        problems += provider.check(context)
    if problems or manifest is None:
        raise DeploymentError(f"{provider.name} cannot be set up; nothing was changed.", problems)
    plan = provider.plan(context)
    refuse_unusable(plan.files, provider)
    return CheckedPlan(context, plan, tuple(notes))


def check_tools(tools: Sequence[Tool]) -> tuple[list[Problem], list[str]]:
    """Return which tools keep the set-up from being done, and notes about those that only the next commands need."""
    problems, notes = [], []
    for tool in tools:
        fault = f"not found on PATH; {tool.how_to_get}" if shutil.which(tool.name) is None else _fault(tool)
        if fault is None:
            continue
        if tool.required:
            problems.append(Problem(f"needed for {tool.why}: {fault}", tool.name))
        else:
            notes.append(f"{tool.name}, needed for {tool.why}: {fault}")
    return problems, notes


def refuse_unusable(files: Sequence[PlannedFile], provider: Provider) -> None:
    """Refuse paths that are given twice or lead out of the root, which would be a defect of a provider."""
    paths = [file.path for file in files]
    wrong = [Problem("is planned twice", path) for path in sorted({path for path in paths if paths.count(path) > 1})]
    wrong += [Problem("must be a path below the root, with /", path) for path in paths if is_outside(path)]
    if wrong:
        raise DeploymentError(f"The provider {provider.name} plans unusable files; correct its plan().", wrong)


def is_outside(path: str) -> bool:
    """Return whether a path is not plainly one below the root."""
    parts = PurePosixPath(path).parts
    return not parts or path != "/".join(parts) or parts[0] == "/" or ".." in parts or "\\" in path


def _fault(tool: Tool) -> str | None:
    return tool.fault() if tool.fault is not None else None


def _read_manifest(artifact: Path, problems: list[Problem]) -> Manifest | None:
    try:
        return read_manifest(artifact)
    except MlProjectError as error:
        problems.insert(0, Problem(str(error)))
        return None
