"""Terraform's files in the form that ``terraform fmt`` asks for, after names in them got longer or shorter."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import groupby

ENDINGS = (".tf", ".hcl")

_ARGUMENT = re.compile(r"^( *)([\w.-]+) += (?=\S)")


def align_arguments(text: str, names: Collection[str]) -> str:
    r"""Return a text in which the equals signs of neighbouring arguments stand below each other.

    Only neighbours of an argument whose name holds one of the given names are moved.

    Examples
    --------
    >>> print(align_arguments('a      = 1\nLONG_B = 2', ["LONG"]))
    a      = 1
    LONG_B = 2
    >>> print(align_arguments('a      = 1\nX_B = 2', ["X"]))
    a   = 1
    X_B = 2
    """
    lines: list[str] = []
    for indent, group in groupby(text.splitlines(keepends=True), _indent):
        block = list(group)
        is_concerned = indent is not None and any(name in _name(line) for line in block for name in names)
        lines += _aligned(block) if is_concerned else block
    return "".join(lines)


def _indent(line: str) -> str | None:
    """Return the blanks before an argument; ``None`` for a line that is none."""
    found = _ARGUMENT.match(line)
    return found[1] if found else None


def _name(line: str) -> str:
    found = _ARGUMENT.match(line)
    assert found is not None
    return found[2]


def _aligned(block: list[str]) -> list[str]:
    width = max(len(_name(line)) for line in block)
    return [_ARGUMENT.sub(rf"\g<1>{_name(line):<{width}} = ", line) for line in block]
