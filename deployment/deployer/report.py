"""What the deployer says, as lines."""

from __future__ import annotations

from collections.abc import Sequence

from deployment.deployer.changes import Change, Kind
from deployment.deployer.memory import DoneStep
from deployment.deployer.planning import CheckedPlan
from deployment.deployer.provider import Step

DONE_WORDS: dict[Kind, str] = {
    "write": "written",
    "replace": "replaced",
    "keep": "unchanged",
    "leave": "not ours",
    "remove": "removed",
}
PLANNED_WORDS: dict[Kind, str] = {**DONE_WORDS, "write": "to write", "replace": "to replace", "remove": "to remove"}
IN_THE_WAY = "IN THE WAY"


def set_up_lines(checked: CheckedPlan, changes: Sequence[Change]) -> list[str]:
    """Return what was done, and what to type next."""
    lines = [_title(checked), *_change_lines(changes, DONE_WORDS)]
    return [*lines, *_next_lines(checked), "", "Remove it again: bash executables/cleanup_project.sh"]


def planned_lines(checked: CheckedPlan, changes: Sequence[Change]) -> list[str]:
    """Return what would be done."""
    force = checked.context.options.force
    lines = [f"{_title(checked)}: nothing is changed (--dry-run)", *_change_lines(changes, PLANNED_WORDS, force=force)]
    steps = checked.plan.steps
    return [*lines, *(step_line(number, len(steps), step) for number, step in enumerate(steps)), *_next_lines(checked)]


def removed_lines(changes: Sequence[Change], steps: Sequence[DoneStep], *, dry_run: bool) -> list[str]:
    """Return what was removed, or would be, and what a person has to undo where no deployer reaches."""
    lines = _change_lines(changes, PLANNED_WORDS if dry_run else DONE_WORDS) or ["  nothing to remove"]
    made = [f"  {step.provider}, {step.title}: {step.undo}" for step in steps]
    return [*lines, *(["", "Made outside of these files; to undo it:", *made] if made else [])]


def step_line(number: int, n_steps: int, step: Step) -> str:
    """Return what a step does."""
    command = f": {' '.join(step.command)}" if step.command is not None else ""
    return f"  step {number + 1} of {n_steps}: {step.title}{command}"


def _title(checked: CheckedPlan) -> str:
    options, manifest = checked.context.options, checked.context.manifest
    artifact, root = options.artifact, checked.context.root
    shown = artifact.relative_to(root) if artifact.is_relative_to(root) else artifact
    return f"{options.provider}: {manifest.name} {manifest.version}, engine {manifest.engine.name}, {shown}"


def _change_lines(changes: Sequence[Change], words: dict[Kind, str], *, force: bool = True) -> list[str]:
    width = max((len(change.path) for change in changes), default=0)
    return [f"  {_word(change, words, force=force):<11} {_sized(change, width)}".rstrip() for change in changes]


def _word(change: Change, words: dict[Kind, str], *, force: bool) -> str:
    is_in_the_way = change.blocked is not None or (change.conflict is not None and not force)
    return IN_THE_WAY if is_in_the_way else words[change.kind]


def _sized(change: Change, width: int) -> str:
    if change.file is None:
        return change.path
    return f"{change.path:<{width}} {len(change.file.content):>12,} bytes"


def _next_lines(checked: CheckedPlan) -> list[str]:
    notes = [f"Note: {note}" for note in checked.notes]
    commands = [f"  {line}" for line in checked.plan.next_commands]
    return [*(["", *notes] if notes else []), *(["", "What to type next:", *commands] if commands else [])]
