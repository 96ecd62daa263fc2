"""The check that a user runs on an own feature process before a model learns from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.data.columns import Columns
from ml_project.errors import MAX_SAMPLES_PER_PROBLEM, FeatureError, Problem
from ml_project.feature_engineering.engineered import check_result
from ml_project.feature_engineering.process import FeatureProcess, State, all_missing, fit_state, is_missing
from ml_project.suggestions import suggest

Arrays = dict[str, npt.NDArray[Any]]

MAX_SINGLE_ROWS = 300
"""Most rows of the sample that are computed one by one."""


def check_process(process: FeatureProcess, sample: Columns, *, target: str | None = None) -> None:
    """Check that a process keeps the promises on which training and prediction rely.

    It gives the same result for one row as in a batch, in any order of the rows and each time; changes no input; reads
    only the columns that it declares and not the target; handles missing values as declared and empty data; returns
    the declared kind; and learns a state that JSON can hold.

    Parameters
    ----------
    process
        The process to check.
    sample
        Raw columns, arrays of shape ``(n_rows,)``, typical ones with their missing values; those that the process does
        not read and the target too, so that peeking shows. See :func:`ml_project.data.columns.to_columns`.
    target
        Name of the target.

    Raises
    ------
    FeatureError
        Listing every promise that is broken, with an example.

    Examples
    --------
    >>> from ml_project.feature_engineering.ready_made import Sum
    >>> sample = {"sibsp": np.array([1.0, np.nan]), "parch": np.array([0.0, 2.0]), "survived": np.array([0.0, 1.0])}
    >>> check_process(Sum("relatives", columns=("sibsp", "parch")), sample, target="survived")
    """
    problems = list(_find_problems(process, sample, target))
    if problems:
        raise FeatureError(f"feature {process.name!r} is not usable:", [Problem(problem) for problem in problems])


def check_processes(processes: Iterable[FeatureProcess], sample: Columns, *, target: str | None = None) -> None:
    """Check several processes, and report the problems of all together.

    Parameters
    ----------
    processes, sample, target
        As in :func:`check_process`.

    Raises
    ------
    FeatureError
        Listing the problems of every process.
    """
    problems = [
        Problem(problem, field=process.name)
        for process in processes
        for problem in _find_problems(process, sample, target)
    ]
    if problems:
        raise FeatureError("feature processes are not usable:", problems)


def _find_problems(process: FeatureProcess, sample: Columns, target: str | None) -> Iterator[str]:
    """Yield what is wrong; what builds on something that failed is not tried."""
    if target is not None and target in process.inputs:
        yield f"it reads the target {target!r}, which is unknown at prediction; leave it out of inputs"
    unknown = [name for name in process.inputs if name not in sample]
    yield from (f"its input {name!r} is not in the sample{suggest(name, sample)}" for name in unknown)
    if not process.inputs:
        yield "it declares no inputs; name at least one raw column"
    if unknown or not process.inputs:
        return
    inputs = {name: sample[name] for name in process.inputs}
    try:
        state = fit_state(process, _copy(inputs))
        expected = _compute(process, _copy(inputs), state)
    except FeatureError as error:
        yield str(error)
        return
    except Exception as error:  # noqa: BLE001 - code of a user may raise anything
        yield _describe(error, "the sample", process)
        return
    others = {name: values for name, values in sample.items() if name not in inputs}
    checks: list[tuple[str, Callable[[], Iterator[str]]]] = [
        ("the sample again", partial(_check_repeatable, process, inputs, state, expected)),
        ("a single row", partial(_check_single_rows, process, inputs, state, expected)),
        ("shuffled rows", partial(_check_shuffled, process, inputs, state, expected)),
        ("the other columns shuffled", partial(_check_peeking, process, inputs, others, state, expected)),
        ("no rows", partial(_check_empty, process, inputs, state)),
    ]
    missing = [(name,) for name in process.inputs] + ([process.inputs] if len(process.inputs) > 1 else [])
    checks += [
        (f"{' and '.join(map(repr, names))} missing", partial(_check_missing, process, inputs, names, state))
        for names in missing
    ]
    for situation, check in checks:
        try:
            yield from check()
        except FeatureError as error:
            yield f"with {situation}: {error}"
        except Exception as error:  # noqa: BLE001 - code of a user may raise anything
            yield _describe(error, situation, process)


def _check_repeatable(
    process: FeatureProcess, inputs: Arrays, state: State, expected: npt.NDArray[Any]
) -> Iterator[str]:
    given = _copy(inputs)
    if fit_state(process, given) != state:
        yield "fit learns something else each time from the same rows; make it deterministic"
    if not _same(_compute(process, given, state), expected):
        yield "it returns something else each time for the same rows; make it deterministic"
    changed = [name for name in inputs if not _same(given[name], inputs[name])]
    if changed:
        yield f"it changes its input {', '.join(map(repr, changed))}; work on a copy"


def _check_single_rows(
    process: FeatureProcess, inputs: Arrays, state: State, expected: npt.NDArray[Any]
) -> Iterator[str]:
    rows = np.unique(np.linspace(0, max(len(expected) - 1, 0), num=min(len(expected), MAX_SINGLE_ROWS), dtype=np.int64))
    differing = []
    for row in rows.tolist():
        alone = _compute(process, {name: values[row : row + 1] for name, values in inputs.items()}, state)
        if not _same(alone, expected[row : row + 1]):
            differing.append(f"{alone.tolist()[0]!r} instead of {expected[row : row + 1].tolist()[0]!r} (row {row})")
    if differing:
        shown = ", ".join(differing[:MAX_SAMPLES_PER_PROBLEM])
        yield f"a single row gives another result than in the batch: {shown}; use that row's values and the state only"


def _check_shuffled(
    process: FeatureProcess, inputs: Arrays, state: State, expected: npt.NDArray[Any]
) -> Iterator[str]:
    order = np.random.default_rng(0).permutation(len(expected))
    if not _same(_compute(process, {name: values[order] for name, values in inputs.items()}, state), expected[order]):
        yield "shuffled rows do not give the same results shuffled; no row may depend on another's place"


def _check_peeking(
    process: FeatureProcess, inputs: Arrays, others: Arrays, state: State, expected: npt.NDArray[Any]
) -> Iterator[str]:
    shuffled = {name: np.roll(values, 1) for name, values in others.items()}
    if not _same(_compute(process, {**inputs, **shuffled}, state), expected):
        yield "its result depends on a column that it does not declare, perhaps the target; declare it in inputs"
    if not (fit_state(process, {**inputs, **others}) == fit_state(process, {**inputs, **shuffled}) == state):
        yield "fit learns from a column that is not declared, perhaps the target; declare it in inputs"


def _check_empty(process: FeatureProcess, inputs: Arrays, state: State) -> Iterator[str]:
    _compute(process, {name: values[:0] for name, values in inputs.items()}, state)
    yield from ()


def _check_missing(process: FeatureProcess, inputs: Arrays, emptied: tuple[str, ...], state: State) -> Iterator[str]:
    given = {name: all_missing(values) if name in emptied else values for name, values in inputs.items()}
    result = _compute(process, given, state)
    names = " and ".join(map(repr, emptied))
    if process.missing == "propagates" and not is_missing(result).all():
        example = result[~is_missing(result)][:1].tolist()[0]
        yield f"missing='propagates' is declared, but {names} missing gives {example!r}; declare 'may' or 'never'"
    if process.missing == "never" and is_missing(result).any():
        yield f"missing='never' is declared, but {names} missing gives a missing result; declare 'may'"


def _compute(process: FeatureProcess, columns: Arrays, state: State) -> npt.NDArray[Any]:
    result = process.compute(columns, state)
    check_result(process, result, columns)
    return result


def _copy(columns: Mapping[str, npt.NDArray[Any]]) -> Arrays:
    return {name: values.copy() for name, values in columns.items()}


def _same(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> bool:
    if one.dtype == object:
        return bool(one.tolist() == other.tolist())
    return np.array_equal(one, other, equal_nan=True)


def _describe(error: Exception, situation: str, process: FeatureProcess) -> str:
    if isinstance(error, KeyError):
        declared = ", ".join(map(repr, process.inputs))
        return f"it fails with {situation}: {error} is not there; if it is a column, add it to inputs (now {declared})"
    return f"it fails with {situation}: {type(error).__name__}: {error}"
