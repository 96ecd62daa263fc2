"""Columns that give the target away, which will not be known when a prediction is wanted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ml_project.data.target import Target
from scaffolding.plan import LeftOut
from scaffolding.profiling.column_names import words_of
from scaffolding.profiling.single_column_power import MAX_ROWS, explained_share, separation
from scaffolding.words import listed

LEAST_ROWS = 50
LEAST_ROWS_OF_CLASS = 10
"""With fewer rows, a column may tell the target by chance."""
MAX_CLASSES = 200
"""More are not looked at one by one."""
PERFECT_SEPARATION = 0.999
PERFECT_FIT = 0.9999
TELLING_SHARE = 0.97
"""Share of one class among the rows in which a column has a value (or none) that makes it suspicious."""
LEAST_TELLING_ROWS = 30
MAX_CHANCE = 1e-6
STRONG_SEPARATION = 0.97
STRONG_FIT = 0.8
MOST_NAMED = 5
LEAST_LETTERS = 3
MAX_SHARE_NAMED_ALIKE = 1 / 3
USUAL_WORDS = frozenset(
    {"mean", "median", "max", "min", "avg", "total", "sum", "num", "number", "count", "rate", "value", "type", "class"}
    | {"name", "code", "per", "the", "has", "and", "for", "last", "first", "level", "status", "log"}
)
"""Words that columns share without being about the same thing."""

Arrays = Mapping[str, npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Leaks:
    """What gives the target away.

    Attributes
    ----------
    left_out
        Columns that tell it (nearly) perfectly, and why.
    warnings
        Columns that may, in whole sentences.
    """

    left_out: tuple[LeftOut, ...]
    warnings: tuple[str, ...]


def find_leaks(columns: Arrays, target: Target, name: str, *, dates: Collection[str] = ()) -> Leaks:
    """Return the columns that tell the target alone or as a sum, and those that may.

    Parameters
    ----------
    columns
        Candidates as :func:`to_numbers` gives them, by name.
    target
        The target, with codes of classes or numbers of shape ``(n_rows,)``.
    name
        Name of the target.
    dates
        Columns that are dates: what varies slowly with time is near in value to rows of nearby dates, which is no sign
        that one tells the other.
    """
    n_rows = len(target.values)
    if n_rows < LEAST_ROWS:
        return Leaks((), ())
    power = {column: _power(values, target) for column, values in columns.items()}
    alone = {
        column: reason
        for column, values in columns.items()
        if (reason := _tells(values, power[column], target, name)) is not None
    }
    rest = {column: values for column, values in columns.items() if column not in alone}
    parts = _parts_of_sum(rest, target.values) if target.task == "regression" else {}
    reason = f"is a part of the target: {_formula(parts, name)}"
    found = {**alone, **dict.fromkeys(parts, reason)}
    gaps = {} if target.task == "regression" else _telling_gaps(rest, target, name)
    strong = {column: power[column] for column in columns if column not in {*found, *gaps, *dates}}
    warnings = (*gaps.values(), *_strong_alone(strong, target, name))
    return Leaks(tuple(LeftOut(column, found[column]) for column in columns if column in found), warnings)


def to_numbers(values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """Return a column in the form of :data:`ml_project.data.columns.Columns` as numbers; missing ones are NaN.

    Texts become codes in their alphabetical order, dates microseconds.
    """
    if values.dtype == object:
        import pandas as pd

        codes, _ = pd.factorize(values, sort=True)
        return np.where(codes < 0, np.nan, codes.astype(np.float64))
    if values.dtype.kind == "M":
        return np.where(np.isnat(values), np.nan, values.astype(np.int64).astype(np.float64))
    return values.astype(np.float64)


def _power(column: npt.NDArray[np.float64], target: Target) -> float:
    """Return how well one column tells the target, at most 1; 0 where classes are too many or too rare to say."""
    filled = _filled(column)
    if target.task == "regression":
        return max(explained_share(filled, target.values), _linear_fit(column, target.values))
    return 0.0 if _is_too_fine(target.values) else separation(filled, target.values.astype(np.int64))


def _is_too_fine(codes: npt.NDArray[np.int64]) -> bool:
    return bool(codes.max() >= MAX_CLASSES or np.bincount(codes).min() < LEAST_ROWS_OF_CLASS)


def _tells(column: npt.NDArray[np.float64], power: float, target: Target, name: str) -> str | None:
    """Return why one column tells the target, ``None`` where it does not."""
    if target.task != "regression":
        return _tells_class(_filled(column), power, target, name)
    if np.array_equal(column, target.values):
        return f"is a copy of the target {name!r}"
    return f"alone tells the target {name!r} (R² {_floored(power)})" if power >= PERFECT_FIT else None


def _linear_fit(column: npt.NDArray[np.float64], target: npt.NDArray[np.float64]) -> float:
    """Return the squared correlation, 0 where a value is missing or none differs."""
    if np.isnan(column).any() or not np.ptp(column) > 0:
        return 0.0
    return float(np.corrcoef(column, target)[0, 1] ** 2)


def _tells_class(filled: npt.NDArray[np.float64], power: float, target: Target, name: str) -> str | None:
    codes = target.values.astype(np.int64)
    if (power >= PERFECT_SEPARATION or _is_too_fine(codes)) and _is_one_to_one(filled, codes):
        return f"has one value for each class of the target {name!r}"
    if power < PERFECT_SEPARATION:
        return None
    return f"alone tells the target {name!r} ({_measure(target)} {_floored(power)})"


def _measure(target: Target) -> str:
    names = {"regression": "R²", "binary": "area under the ROC curve"}
    return names.get(target.task, "mean share of each class recognised")


def _strong_alone(power: Mapping[str, float], target: Target, name: str) -> list[str]:
    """Return a warning of the columns that tell so much of the target that they may be written down with it."""
    least = STRONG_FIT if target.task == "regression" else STRONG_SEPARATION
    found = sorted((column for column in power if power[column] >= least), key=lambda column: (-power[column], column))
    if not found:
        return []
    shown = listed([f"{column!r} ({np.floor(power[column] * 100) / 100:.2f})" for column in found], most=MOST_NAMED)
    return [
        f"Alone strong for {name!r}, by {_measure(target)}: {shown}. Take out of features.columns what is not known "
        "before the target."
    ]


def named_like(columns: Collection[str], name: str) -> list[str]:
    """Return a warning of the columns that share a word with the target, if they are few.

    Examples
    --------
    >>> named_like(["arr_time", "month", "carrier", "distance"], "arr_delay")[0][:45]
    "'arr_time' is named like the target 'arr_dela"
    """
    words = {word for word in words_of(name) if len(word) >= LEAST_LETTERS} - USUAL_WORDS
    found = [column for column in columns if words & set(words_of(column))]
    if not found or len(found) > max(1, len(columns) * MAX_SHARE_NAMED_ALIKE):
        return []
    are = "is" if len(found) == 1 else "are"
    return [
        f"{listed([repr(column) for column in found], most=MOST_NAMED)} {are} named like the target {name!r}; take out "
        "of features.columns what is not known before it."
    ]


def _filled(column: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return a column with a number of its own, below all others, where values are missing."""
    missing = np.isnan(column)
    if not missing.any() or missing.all():
        return np.nan_to_num(column)
    lowest, highest = np.nanmin(column), np.nanmax(column)
    return np.where(missing, lowest - max(1.0, highest - lowest), column)


def _floored(score: float) -> str:
    return f"{np.floor(score * 10_000) / 10_000:.4f}"


def _is_one_to_one(column: npt.NDArray[np.float64], codes: npt.NDArray[np.int64]) -> bool:
    different, places = np.unique(column, return_inverse=True)
    n_classes = int(codes.max()) + 1
    return len(different) == n_classes == len(np.unique(places * n_classes + codes))


def _parts_of_sum(columns: Arrays, target: npt.NDArray[np.float64]) -> dict[str, int]:
    """Return the columns whose sum or difference is the target, with the sign of each; empty where there are none."""
    names = [name for name, values in columns.items() if not np.isnan(values).any() and np.ptp(values) > 0]
    rows = np.linspace(0, len(target) - 1, min(len(target), MAX_ROWS)).astype(np.intp)
    if len(names) < 2 or len(rows) < 5 * len(names) or not np.ptp(target[rows]) > 0:
        return {}
    X = np.column_stack([columns[name][rows] for name in names])
    y = target[rows]
    spread = X.std(axis=0)
    usable = spread > 0
    standardised = (X[:, usable] - X[:, usable].mean(axis=0)) / spread[usable]
    weights, *_ = np.linalg.lstsq(standardised, y - y.mean(), rcond=1e-10)
    coefficients = np.zeros(len(names))
    coefficients[usable] = weights / spread[usable]
    matters = np.abs(coefficients) * spread > 1e-4 * y.std()
    signs = np.where(matters, np.round(coefficients), 0)
    if matters.sum() < 2 or not (np.abs(signs[matters]) == 1).all():
        return {}
    whole = sum(signs[place] * columns[names[place]] for place in np.flatnonzero(matters))
    residual = target - whole
    if np.abs(residual - residual.mean()).max() > 1e-6 * np.abs(target).max():
        return {}
    return {names[place]: int(signs[place]) for place in np.flatnonzero(matters)}


def _formula(parts: Mapping[str, int], name: str) -> str:
    positive_first = sorted(parts.items(), key=lambda item: -item[1])
    terms = " ".join(f"{'+' if sign > 0 else '-'} {column}" for column, sign in positive_first)
    return f"{name} = {terms.removeprefix('+ ')}"


def _telling_gaps(columns: Arrays, target: Target, name: str) -> dict[str, str]:
    """Return a warning for each column whose mere presence or absence tells a class."""
    assert target.classes is not None
    shares = np.bincount(target.values, minlength=len(target.classes)) / len(target.values)
    warnings: dict[str, str] = {}
    for column, values in columns.items():
        for rows, words in ((~np.isnan(values), "a value"), (np.isnan(values), "no value")):
            n_rows = int(rows.sum())
            if not LEAST_TELLING_ROWS <= n_rows < len(rows):
                continue
            counts = np.bincount(target.values[rows], minlength=len(target.classes))
            code = int(counts.argmax())
            share = counts[code] / n_rows
            if share >= TELLING_SHARE and shares[code] ** n_rows < MAX_CHANCE and shares[code] < 0.95:
                warnings[column] = (
                    f"Column {column!r} may give the target away: of the {n_rows:,} rows in which it has {words}, "
                    f"{share:.1%} have {name} = {target.classes[code]!r} ({shares[code]:.1%} of all rows). If it is "
                    "written down after the target is known, take it out of features.columns."
                )
                break
    return warnings
