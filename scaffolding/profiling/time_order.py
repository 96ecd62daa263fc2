"""What time does to the rows of a table: whether they stand in its order, and which means hold over it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ml_project.config import SplitsConfig
from ml_project.data.raw_schema import ColumnRule, RawSchema
from scaffolding.plan import ColumnRoles
from scaffolding.profiling.column_names import is_of_time, words_of
from scaffolding.profiling.column_profile import ColumnProfile

if TYPE_CHECKING:
    import pandas as pd

LEAST_ROWS = 30
MAX_BLOCKS = 12
ORDERED = 0.99
"""Rank correlation of dates with the position of their rows from which on the rows stand in their order."""
DRIFTING = 0.95
"""Rank correlation of a number with the position of its row from which on its mean is that of this table only."""
MAX_ROWS = 20_000
CALENDAR = (frozenset({"year", "yr", "yyyy"}), frozenset({"month", "mnth", "mon", "mo"}), frozenset({"day", "dd"}))


def suspected_order(
    raw: pd.DataFrame, profiles: Mapping[str, ColumnProfile], roles: ColumnRoles, splits: SplitsConfig
) -> tuple[str, ...]:
    """Return the columns in whose order the rows stand, where they are not held out in it; empty for none.

    Parameters
    ----------
    raw
        Coerced data of shape ``(n_rows, n_columns)``, in the order of the source.
    profiles
        What the columns show.
    roles
        What the user said; with groups, time means nothing.
    splits
        How rows are held out.
    """
    if splits.time_column is not None or roles.group is not None or len(raw) < LEAST_ROWS:
        return ()
    named = {roles.target, roles.id, *roles.left_out}
    known = [one for name, one in profiles.items() if name not in named and one.n_missing == 0 and one.n_distinct > 1]
    for profile in known:
        if profile.kind == "datetime" and _rank_correlation(raw[profile.name].to_numpy().astype(np.int64)) > ORDERED:
            return (profile.name,)
    numbers = [one.name for one in known if one.is_numeric and is_of_time(one.name)]
    rising = next((name for name in numbers if raw[name].is_monotonic_increasing), None)
    return _calendar_order(raw, numbers) or (() if rising is None else (rising,))


def order_warnings(suspected: tuple[str, ...]) -> list[str]:
    """Return a warning of an order as :func:`suspected_order` gives it."""
    if not suspected:
        return []
    names = ", ".join(map(repr, suspected))
    how = f"with --time {suspected[0]!r}" if len(suspected) == 1 else "with --time and one column made of these"
    return [
        f"The rows seem to stand in the order of time ({names}), but are held out by chance. If later rows shall be "
        f"predicted from earlier ones, hold out the last ones {how}."
    ]


def without_drifting_means(schema: RawSchema, raw: pd.DataFrame, order: npt.NDArray[np.intp] | None) -> RawSchema:
    """Return a schema that expects the mean of a column only where it is the same in all times.

    Parameters
    ----------
    schema
        Rules of the columns.
    raw
        Coerced data of shape ``(n_rows, n_columns)``.
    order
        Positions of the rows in the order of time, shape ``(n_rows,)``; ``None`` where they have none.
    """
    return RawSchema(columns=tuple(_without_drifting_mean(rule, raw, order) for rule in schema.columns))


def positions_in_time(
    raw: pd.DataFrame, splits: SplitsConfig, suspected: tuple[str, ...]
) -> npt.NDArray[np.intp] | None:
    """Return the rows in the order of time, ``None`` where they have none."""
    if splits.time_column is not None:
        return np.argsort(raw[splits.time_column].to_numpy(), kind="stable")
    return np.arange(len(raw)) if suspected else None


def _without_drifting_mean(rule: ColumnRule, raw: pd.DataFrame, order: Any) -> ColumnRule:
    interval = rule.expectations.mean_between
    if interval is None or not _drifts(raw[rule.name].to_numpy(dtype=np.float64), interval, order):
        return rule
    expectations = rule.expectations.model_copy(update={"mean_between": None})
    return rule.model_copy(update={"expectations": expectations})


def _calendar_order(raw: pd.DataFrame, numbers: list[str]) -> tuple[str, ...]:
    """Return the columns of year, month and day where they never fall together."""
    parts = [next((name for name in numbers if words_of(name)[-1] in words), None) for words in CALENDAR]
    found = tuple(name for name in parts if name is not None)
    if parts[0] is None or parts[1] is None:
        return ()
    days = sum(raw[name].to_numpy(dtype=np.float64) * 100.0**-place for place, name in enumerate(found))
    return found if bool((np.diff(np.asarray(days)) >= 0).all()) else ()


def _drifts(values: npt.NDArray[np.float64], interval: tuple[float, float], order: Any) -> bool:
    present = values[~np.isnan(values)]
    if abs(_rank_correlation(present)) > DRIFTING:
        return True
    if order is None:
        return False
    ordered = values[order]
    blocks = np.array_split(ordered[~np.isnan(ordered)], max(1, min(MAX_BLOCKS, len(present) // LEAST_ROWS)))
    return not all(interval[0] <= block.mean() <= interval[1] for block in blocks)


def _rank_correlation(values: npt.NDArray[Any]) -> float:
    """Return the rank correlation of values with their position, 0 where none differs or they are few."""
    import pandas as pd

    rows = np.linspace(0, len(values) - 1, min(len(values), MAX_ROWS)).astype(np.intp)
    ranks = pd.Series(values[rows]).rank().to_numpy()
    if len(ranks) < LEAST_ROWS or not np.ptp(ranks) > 0:
        return 0.0
    return float(np.corrcoef(ranks, np.arange(len(ranks)))[0, 1])
