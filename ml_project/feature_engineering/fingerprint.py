"""A hash of a process's code and parameters, so that a model never runs with other features than it learned from."""

from __future__ import annotations

import ast
import hashlib
import inspect
import sys
import textwrap
from types import FunctionType
from typing import Any

from ml_project.errors import FeatureError
from ml_project.feature_engineering.process import FeatureProcess
from ml_project.feature_engineering.row_function import RowFeature

_PLAIN = (str, bytes, int, float, bool, type(None))


def source_fingerprint(process: FeatureProcess) -> str:
    """Return the SHA-256 of a process's code and parameters, as 64 hexadecimal digits.

    Comments, docstrings and formatting do not count. Functions, classes and constants of the same module that the
    code names do, so that a changed mapping is noticed too; code of other modules does not, except base classes.

    Raises
    ------
    FeatureError
        When the source cannot be read, for instance because it was typed into a console.

    Examples
    --------
    >>> from ml_project.feature_engineering.ready_made import Sum
    >>> one, other = Sum("a", columns=("x", "y")), Sum("b", columns=("x", "y"))
    >>> source_fingerprint(one) == source_fingerprint(one), source_fingerprint(one) == source_fingerprint(other)
    (True, False)
    """
    parts = [_plain_text(process.parameters())]
    seen: set[str] = set()
    if isinstance(process, RowFeature):
        _collect(process.function, parts, seen)
    else:
        for class_ in type(process).__mro__:
            if class_ is FeatureProcess:
                break
            _collect(class_, parts, seen)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _collect(code: Any, parts: list[str], seen: set[str]) -> None:
    """Append the normalised source of a function or class, and of what it names in its own module."""
    identity = f"{code.__module__}.{code.__qualname__}"
    if identity in seen:
        return
    seen.add(identity)
    tree = _normalised(code)
    parts.append(f"{code.__name__}: {ast.unparse(tree)}")
    namespace = code.__globals__ if isinstance(code, FunctionType) else vars(sys.modules[code.__module__])
    for name in sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}):
        value = namespace.get(name)
        if isinstance(value, RowFeature):
            value = value.function
        if isinstance(value, (FunctionType, type)) and value.__module__ == code.__module__:
            _collect(value, parts, seen)
        elif name in namespace and (text := _constant_text(value)) is not None:
            parts.append(f"{name} = {text}")


def _normalised(code: Any) -> ast.Module:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(code)))
    except (OSError, TypeError, SyntaxError) as error:
        raise FeatureError(
            f"the source of {code.__qualname__} cannot be read ({error}); define feature processes in a Python file"
        ) from error
    for node in ast.walk(tree):
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            continue
        node.decorator_list = []  # What a decorator declares is among the parameters.
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree


def _constant_text(value: Any) -> str | None:
    """Return a module's constant as text, or ``None`` for what is no data: modules, type aliases and the like."""
    try:
        return _plain_text(value)
    except TypeError:
        return None


def _plain_text(value: Any) -> str:
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_plain_text(key)}: {_plain_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_plain_text, value)) + "]"
    if isinstance(value, (set, frozenset)):
        return "{" + ", ".join(sorted(map(_plain_text, value))) + "}"
    pattern = getattr(value, "pattern", None)  # A compiled regular expression.
    if isinstance(pattern, str):
        return f"re({pattern!r}, {value.flags})"
    raise TypeError(f"{type(value).__name__} is not plain data")
