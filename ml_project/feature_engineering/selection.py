"""Feature processes chosen by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from ml_project.errors import FeatureError, Problem
from ml_project.feature_engineering.process import FeatureProcess
from ml_project.suggestions import suggest


def select_processes(available: Sequence[FeatureProcess], names: Iterable[str]) -> tuple[FeatureProcess, ...]:
    """Return the processes of some names, in the order of the names.

    Parameters
    ----------
    available
        The project's processes.
    names
        The wanted names, as in ``config.features.processes``.

    Raises
    ------
    FeatureError
        Naming every unknown or doubled name, with the closest known one.

    Examples
    --------
    >>> from ml_project.feature_engineering.ready_made import Sum
    >>> relatives = Sum("relatives", columns=("sibsp", "parch"))
    >>> select_processes([relatives], ["relatives"]) == (relatives,)
    True
    """
    by_name = {process.name: process for process in available}
    wanted = tuple(names)
    doubled = [name for name, count in Counter(process.name for process in available).items() if count > 1]
    problems = [Problem("several feature processes have this name; rename all but one", name) for name in doubled]
    problems += [
        Problem(f"is no feature process{suggest(name, by_name)}", name) for name in wanted if name not in by_name
    ]
    problems += [
        Problem("is listed more than once; keep one", name) for name, count in Counter(wanted).items() if count > 1
    ]
    if problems:
        raise FeatureError("features.processes cannot be resolved:", problems)
    return tuple(by_name[name] for name in wanted)
