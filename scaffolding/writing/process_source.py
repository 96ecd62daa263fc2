"""The planned feature processes as source."""

from __future__ import annotations

from collections.abc import Sequence

from scaffolding.plan import FeatureProcessPlan
from scaffolding.writing.attribute_names import attribute_names
from scaffolding.writing.literals import literal


def variables(processes: Sequence[FeatureProcessPlan]) -> list[str]:
    """Return the name of the variable of each process."""
    return list(attribute_names([process.name for process in processes]).values())


def process_lines(processes: Sequence[FeatureProcessPlan]) -> list[str]:
    """Return an assignment for each process."""
    lines = []
    for variable, process in zip(variables(processes), processes, strict=True):
        arguments = "".join(f", {name}={literal(value)}" for name, value in process.arguments.items())
        lines.append(f"{variable} = {process.kind}({literal(process.name)}{arguments})")
    return lines
