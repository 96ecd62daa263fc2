"""Functions of numbers that are nothing but arithmetic, computed for all rows at once with the same results."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

import numpy as np
import numpy.typing as npt

_OPERATORS = frozenset({"+", "-", "*", "/"})
_OPCODES = frozenset({"RESUME", "LOAD_FAST", "STORE_FAST", "UNARY_NEGATIVE", "RETURN_VALUE"})
_LARGEST_CONSTANT = 2**53
"""Whole numbers up to it become floats without rounding."""


def is_plain_arithmetic(function: Callable[..., Any]) -> bool:
    """Return whether a function adds, subtracts, multiplies and divides its arguments and constants, and no more.

    For such a function Python and NumPy compute the same bits, because both follow IEEE 754 in these operations. Their
    only difference is a division by zero, see :func:`compute_arithmetic`.

    Examples
    --------
    >>> is_plain_arithmetic(lambda fare, people: fare / (people + 1))
    True
    >>> is_plain_arithmetic(lambda fare: round(fare)), is_plain_arithmetic(lambda fare: fare if fare > 0 else 0.0)
    (False, False)
    """
    if not isinstance(function, FunctionType) or function.__defaults__ or function.__kwdefaults__:
        return False
    if function.__code__.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS):
        return False
    instructions = list(dis.get_instructions(function))
    return sum(found.opname == "RETURN_VALUE" for found in instructions) == 1 and all(map(_is_arithmetic, instructions))


def _is_arithmetic(instruction: dis.Instruction) -> bool:
    if instruction.opname == "BINARY_OP":
        return instruction.argrepr in _OPERATORS
    if instruction.opname == "LOAD_CONST":
        constant = instruction.argval
        return type(constant) is float or (type(constant) is int and abs(constant) <= _LARGEST_CONSTANT)
    return instruction.opname in _OPCODES


def compute_arithmetic(
    function: Callable[..., Any], arrays: Sequence[npt.NDArray[np.float64]]
) -> npt.NDArray[np.float64] | None:
    """Return what plain arithmetic gives for every row, or ``None`` where Python would raise for one of them.

    Parameters
    ----------
    function
        Function for which :func:`is_plain_arithmetic` holds.
    arrays
        Its arguments, each of shape ``(n_rows,)``.

    Examples
    --------
    >>> compute_arithmetic(lambda a, b: a / b, [np.array([1.0, 2.0]), np.array([4.0, 5.0])]).tolist()
    [0.25, 0.4]
    >>> compute_arithmetic(lambda a, b: a / b, [np.array([1.0]), np.array([0.0])]) is None
    True
    """
    try:
        with np.errstate(divide="raise", invalid="raise", over="ignore", under="ignore"):
            result = function(*arrays)
    except (FloatingPointError, ZeroDivisionError):
        return None
    return np.array(np.broadcast_to(result, arrays[0].shape), dtype=np.float64)
