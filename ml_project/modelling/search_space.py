"""The hyper-parameters of a candidate: names, ranges and defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.trial import Trial


@dataclass(frozen=True)
class Whole:
    """A whole number from ``low`` to ``high``, both included; ``log`` spreads the draws over orders of magnitude."""

    name: str
    low: int
    high: int
    default: int
    log: bool = False

    def suggest(self, trial: Trial) -> int:
        """Draw a value."""
        return trial.suggest_int(self.name, self.low, self.high, log=self.log)


@dataclass(frozen=True)
class Real:
    """A number from ``low`` to ``high``; ``log`` spreads the draws over orders of magnitude."""

    name: str
    low: float
    high: float
    default: float
    log: bool = False

    def suggest(self, trial: Trial) -> float:
        """Draw a value."""
        return trial.suggest_float(self.name, self.low, self.high, log=self.log)


@dataclass(frozen=True)
class Choice:
    """One of several values without an order."""

    name: str
    options: tuple[str | int | float | bool | None, ...]
    default: str | int | float | bool | None

    def suggest(self, trial: Trial) -> Any:
        """Draw a value."""
        return trial.suggest_categorical(self.name, self.options)


Hyperparameter = Whole | Real | Choice


def range_problem(parameter: Hyperparameter) -> str | None:
    """Return why a hyper-parameter cannot be searched, or ``None``.

    Examples
    --------
    >>> range_problem(Whole("max_depth", 2, 16, default=20))
    'needs low <= default <= high, but has 2, 20, 16'
    """
    if isinstance(parameter, Choice):
        options = parameter.options
        return None if parameter.default in options else f"has the default {parameter.default!r}, not of {options}"
    if not parameter.low <= parameter.default <= parameter.high:
        return f"needs low <= default <= high, but has {parameter.low}, {parameter.default}, {parameter.high}"
    return "needs low > 0 for log=True" if parameter.log and parameter.low <= 0 else None
