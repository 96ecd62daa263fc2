"""The planned feature processes as source, and an example of one that a user could add."""

from __future__ import annotations

from collections.abc import Sequence

from ml_project.data.raw_schema import ColumnKind, ColumnRule
from scaffolding.plan import FeatureProcessPlan, ProjectPlan
from scaffolding.writing.attribute_names import attribute_names
from scaffolding.writing.formatting import format_source
from scaffolding.writing.literals import literal

_NUMBERS: frozenset[ColumnKind] = frozenset({"integer", "number"})
_WORDS: frozenset[ColumnKind] = frozenset({"category", "text"})


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


def example_lines(plan: ProjectPlan) -> list[str]:
    """Return a row function over columns of this project: what it has of two numbers, one text, one of anything."""
    return format_source("\n".join(_example(plan))).splitlines()


def _example(plan: ProjectPlan) -> list[str]:
    rules = [plan.schema.rule(name) for name in plan.columns] or list(plan.schema.columns)
    ordered = sorted(rules, key=lambda rule: len(rule.name))
    numbers = [rule for rule in ordered if rule.kind in _NUMBERS]
    words = [rule for rule in ordered if rule.kind in _WORDS]
    if len(numbers) > 1:
        return _ratio(numbers[0], numbers[1])
    return _length(words[0]) if words else _presence((numbers or ordered)[0])


def _ratio(first: ColumnRule, second: ColumnRule) -> list[str]:
    one, other = attribute_names([first.name, second.name]).values()
    return [
        f'@row_feature(inputs=({literal(first.name)}, {literal(second.name)}), kind="number", missing="propagates")',
        f"def {one}_per_{other}({one}: float, {other}: float) -> float | None:",
        f'    """Return the ratio of the two; there is none where {other} is 0."""',
        f"    return {one} / {other} if {other} else None",
    ]


def _length(rule: ColumnRule) -> list[str]:
    (name,) = attribute_names([rule.name]).values()
    return [
        f'@row_feature(inputs=({literal(rule.name)},), kind="number", missing="propagates")',
        f"def length_of_{name}({name}: str) -> float:",
        '    """Return the number of characters."""',
        f"    return len({name})",
    ]


def _presence(rule: ColumnRule) -> list[str]:
    (name,) = attribute_names([rule.name]).values()
    return [
        f'@row_feature(inputs=({literal(rule.name)},), kind="number", missing="propagates")',
        f"def {name}_is_known({name}: object) -> float:",
        '    """Return 1 where there is a value; where there is none, the result is missing, too."""',
        "    return 1",
    ]
