"""Setting a deployment up: check, compare, write, do the steps, tell what comes next."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from deployment.deployer.applying import apply_changes, only_deployer
from deployment.deployer.changes import Change, changes_for, problems_of
from deployment.deployer.discovery import ROOT
from deployment.deployer.errors import FileConflictError, StepFailedError
from deployment.deployer.memory import DoneStep, Memory, read_memory, with_step, write_memory
from deployment.deployer.planning import CheckedPlan, make_plan
from deployment.deployer.provider import Options, Step
from deployment.deployer.report import planned_lines, set_up_lines, step_line
from ml_project.errors import MlProjectError, Problem

Tell = Callable[[str], None]


def set_up(options: Options, tell: Tell, root: Path = ROOT) -> None:
    """Set a deployment up, or tell what that would do.

    Parameters
    ----------
    options
        What the command line says.
    tell
        Takes the lines for a person to read.
    root
        Folder of the project.

    Raises
    ------
    DeploymentError
        When something is missing, in the way, or fails.
    """
    checked = make_plan(options, root)
    with only_deployer(root):
        memory = read_memory(root)
        changes = changes_for(checked.plan.files, options.provider, memory, root)
        if options.dry_run:
            tell("\n".join(planned_lines(checked, changes)))
        _refuse_conflicts(changes, options)
        if options.dry_run:
            return
        memory = apply_changes(changes, options.provider, memory, root)
        _do_steps(checked, memory, root, tell)
    tell("\n".join(set_up_lines(checked, changes)))


def _refuse_conflicts(changes: Sequence[Change], options: Options) -> None:
    problems = problems_of(changes, force=options.force)
    if problems:
        removable = [change for change in changes if change.conflict is not None and change.blocked is None]
        hint = "; save what you need of them, then --force replaces them" if removable else ""
        raise FileConflictError(f"Files are in the way; nothing was changed{hint}.", problems)


def _do_steps(checked: CheckedPlan, memory: Memory, root: Path, tell: Tell) -> None:
    steps, provider = checked.plan.steps, checked.context.options.provider
    for number, step in enumerate(steps):
        tell(step_line(number, len(steps), step))
        if step.undo:
            # Remembered before it is done: a step that fails may have left something already.
            memory = with_step(memory, DoneStep(provider=provider, title=step.title, undo=step.undo))
            write_memory(root, memory)
        try:
            _do(step, root)
        except Exception as error:  # whatever a provider's library raises: what exists now has to be told
            raise StepFailedError(*_failure(steps, number, error)) from error


def _do(step: Step, root: Path) -> None:
    if step.command is not None:
        subprocess.run(step.command, cwd=root, check=True)  # noqa: S603  the provider's own command
    if step.run is not None:
        step.run()


def _failure(steps: Sequence[Step], number: int, error: Exception) -> tuple[str, list[Problem]]:
    """Return what to tell when a step fails: what exists now, how to go on, how to undo."""
    problems = [Problem(f"done; to undo: {step.undo}", step.title) for step in steps[:number] if step.undo]
    problems += [Problem("done", step.title) for step in steps[:number] if not step.undo]
    failed = steps[number]
    problems.append(Problem(f"failed; if it left something: {failed.undo}" if failed.undo else "failed", failed.title))
    problems += [Problem("not started", step.title) for step in steps[number + 1 :]]
    return (
        f"Step {number + 1} of {len(steps)} failed: {_reason(error)}\nThe files are written. Correct the cause and run "
        "the same command again, or bash executables/cleanup_project.sh, which removes the files. The steps:",
        problems,
    )


def _reason(error: Exception) -> str:
    match error:
        case subprocess.CalledProcessError():
            return f"the command ended with exit code {error.returncode}: {' '.join(map(str, error.cmd))}"
        case MlProjectError() | OSError():
            return str(error)
        case _:
            return f"{type(error).__name__}: {error}"
