"""What a model that competes is made of, and the choice of those that do.

A candidate of your own is one more :class:`Candidate` in ``ml_project/project/candidates.py``: anything with
scikit-learn's interface.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ml_project.config import Task
from ml_project.errors import ConfigError, Problem
from ml_project.modelling.search_space import Hyperparameter, range_problem
from ml_project.suggestions import suggest

Device = Literal["cpu", "gpu"]


@dataclass(frozen=True)
class FitSettings:
    """What an estimator needs to know of the run.

    Attributes
    ----------
    task
        Kind of target.
    device
        Where to fit.
    seed
        Seed of the estimator's random numbers.
    n_threads
        Threads of one fit.
    """

    task: Task
    device: Device = "cpu"
    seed: int = 42
    n_threads: int = 1


@dataclass(frozen=True)
class Candidate:
    """A model that competes.

    Attributes
    ----------
    name
        Name in the config and the leaderboard.
    complexity
        Place in the order from simple to complex, by which ``one_standard_error`` prefers.
    build
        Function from :class:`FitSettings` to an unfitted estimator with scikit-learn's interface.
    search_space
        Hyper-parameters that are searched; their names are parameters of the estimator.
    regression_search_space
        Those of a regression, where they are others.
    uses_gpu
        Whether ``device="gpu"`` changes anything.
    """

    name: str
    complexity: int
    build: Callable[[FitSettings], Any]
    search_space: tuple[Hyperparameter, ...] = ()
    regression_search_space: tuple[Hyperparameter, ...] | None = None
    uses_gpu: bool = False

    def hyperparameters(self, task: Task) -> tuple[Hyperparameter, ...]:
        """Return the hyper-parameters that are searched for a task."""
        other = self.regression_search_space
        return other if task == "regression" and other is not None else self.search_space


def select_candidates(available: Sequence[Candidate], names: Sequence[str] | None) -> tuple[Candidate, ...]:
    """Return the candidates with the given names, in the order of the names; all of them where no names are given.

    Raises
    ------
    ConfigError
        When a name is unknown, given twice or that of several candidates, or a search space cannot be searched.
    """
    by_name = {candidate.name: candidate for candidate in available}
    registered = [candidate.name for candidate in available]
    wanted = list(by_name if names is None else names)
    problems = []
    for position, name in enumerate(wanted):
        if name not in by_name:
            problems.append(Problem(f"no such candidate{suggest(name, by_name)}", "modelling.candidates", value=name))
        elif name in wanted[:position]:
            problems.append(Problem("is named twice", "modelling.candidates", value=name))
        elif registered.count(name) > 1:
            problems.append(Problem("is registered twice; rename one", "modelling.candidates", value=name))
        else:
            problems += _search_space_problems(by_name[name])
    if problems:
        raise ConfigError("The candidates cannot be trained; nothing was started.", problems)
    return tuple(by_name[name] for name in wanted)


def _search_space_problems(candidate: Candidate) -> Iterator[Problem]:
    for parameter in (*candidate.search_space, *(candidate.regression_search_space or ())):
        problem = range_problem(parameter)
        if problem is not None:
            yield Problem(f"its hyper-parameter {parameter.name!r} {problem}", f"candidate {candidate.name!r}")
