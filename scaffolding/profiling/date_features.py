"""Features from dates: the parts that vary, and the days between two of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from ml_project.feature_engineering.dates import DatePart, Part
from scaffolding.plan import FeatureProcessPlan

PARTS: tuple[Part, ...] = ("year", "month", "day", "day_of_week", "hour")
"""Parts that are looked at; the others say the same in other words."""
LEAST_YEARS = 2
"""Years that dates must span for their year to be more than this table's."""
MIN_SHARE_OF_OTHERS = 0.01
"""Share of rows that must have another value than the most frequent one."""
MAX_SPANS = 3
ORDERED_SHARE = 0.99
"""Share of rows in which one date must not be before another one, for the days between them to be a duration."""


def date_features(
    moments: Mapping[str, npt.NDArray[np.datetime64]], *, taken: Collection[str], chronological: bool
) -> tuple[FeatureProcessPlan, ...]:
    """Return processes for the parts of dates that vary, and for the days between dates.

    Parameters
    ----------
    moments
        Datetime columns by name, arrays ``datetime64[us]`` of shape ``(n_rows,)`` with NaT for missing.
    taken
        Names that no feature may have.
    chronological
        Whether rows are held out by time: then no model has seen the years that it is asked about.
    """
    plans: list[FeatureProcessPlan] = []
    names = set(taken)
    parts = [part for part in PARTS if not (chronological and part == "year")]
    for column, values in moments.items():
        varying = (part for part in parts if _varies(column, values, part))
        plans += [_plan("DatePart", f"{column}_{part}", names, column=column, part=part) for part in varying]
    for until, since in list(_spans(moments))[:MAX_SPANS]:
        plans.append(_plan("ElapsedDays", f"days_from_{since}_to_{until}", names, until=until, since=since))
    return tuple(plans)


def _varies(column: str, values: npt.NDArray[np.datetime64], part: Part) -> bool:
    found = DatePart("part", column=column, part=part).compute({column: values}, {})
    present = found[~np.isnan(found)]
    if not len(present) or (part == "year" and _years(values) < LEAST_YEARS):
        return False
    _, counts = np.unique(present, return_counts=True)
    return bool(len(present) - counts.max() >= MIN_SHARE_OF_OTHERS * len(present) and len(counts) > 1)


def _years(values: npt.NDArray[np.datetime64]) -> float:
    """Return the time between the first and the last moment."""
    present = values[~np.isnat(values)]
    return float((present.max() - present.min()) / np.timedelta64(365, "D"))


def _spans(moments: Mapping[str, npt.NDArray[np.datetime64]]) -> Iterator[tuple[str, str]]:
    """Yield pairs of columns of which the first one is hardly ever before the second one."""
    for one, other in combinations(moments, 2):
        both = ~(np.isnat(moments[one]) | np.isnat(moments[other]))
        elapsed = (moments[one][both] - moments[other][both]).astype(np.int64)
        if not len(elapsed) or not (elapsed != elapsed[0]).any():
            continue
        if (elapsed >= 0).mean() >= ORDERED_SHARE:
            yield one, other
        elif (elapsed <= 0).mean() >= ORDERED_SHARE:
            yield other, one


def _plan(kind: Any, wanted: str, names: set[str], **arguments: Any) -> FeatureProcessPlan:
    """Return a plan whose feature has a name of letters, digits and underscores that no other has; note the name."""
    base = re.sub(r"\W+", "_", wanted).strip("_").lower()
    name, number = base, 2
    while name in names:
        name, number = f"{base}_{number}", number + 1
    names.add(name)
    return FeatureProcessPlan(kind, name, arguments)


def unused(moments: Sequence[str], plans: Sequence[FeatureProcessPlan]) -> list[str]:
    """Return the datetime columns of which no feature is made."""
    read = {value for plan in plans for value in plan.arguments.values()}
    return [name for name in moments if name not in read]
