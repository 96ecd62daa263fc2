"""Ready-made features from datetimes: their parts, and the days between two of them."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from ml_project.data.columns import Columns
from ml_project.errors import FeatureError
from ml_project.feature_engineering.process import FeatureProcess, State
from ml_project.suggestions import suggest

Part = Literal["year", "quarter", "month", "day", "day_of_year", "day_of_week", "is_weekend", "hour", "minute"]

_MICROSECONDS_PER_DAY = 86_400_000_000


@dataclass(frozen=True)
class DatePart(FeatureProcess):
    """One part of a datetime as a number; missing where the datetime is.

    Parameters
    ----------
    name
        Name of the feature.
    column
        Datetime column.
    part
        ``year``, ``quarter`` (1 to 4), ``month`` (1 to 12), ``day`` (1 to 31), ``day_of_year`` (1 to 366),
        ``day_of_week`` (0 Monday to 6 Sunday), ``is_weekend`` (0 or 1), ``hour`` (0 to 23), ``minute`` (0 to 59).

    Examples
    --------
    >>> weekday = DatePart("weekday", column="sold_at", part="day_of_week")
    >>> weekday.compute({"sold_at": np.array(["1912-04-15T02:20", "NaT"], dtype="datetime64[us]")}, {}).tolist()
    [0.0, nan]
    """

    name: str
    _: KW_ONLY
    column: str
    part: Part

    kind = "number"
    missing = "propagates"

    def __post_init__(self) -> None:
        if self.part not in get_args(Part):
            raise FeatureError(f"feature {self.name!r} has part={self.part!r}{suggest(self.part, get_args(Part))}")

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return the column."""
        return (self.column,)

    def compute(self, columns: Columns, state: State) -> npt.NDArray[Any]:
        """Return the part per row, float64 of shape ``(n_rows,)``."""
        moments = columns[self.column]
        return np.where(np.isnat(moments), np.nan, _part_of(moments, self.part))


def date_parts(column: str, parts: tuple[Part, ...]) -> tuple[DatePart, ...]:
    """Return one process per part of a datetime column, named for instance ``sold_at_month``.

    Parameters
    ----------
    column
        Datetime column.
    parts
        Parts, as :class:`DatePart` knows them.

    Examples
    --------
    >>> [process.name for process in date_parts("sold_at", ("year", "month"))]
    ['sold_at_year', 'sold_at_month']
    """
    return tuple(DatePart(f"{column}_{part}", column=column, part=part) for part in parts)


@dataclass(frozen=True)
class ElapsedDays(FeatureProcess):
    """The days, with fractions, from a date or a column to a column; missing where either datetime is.

    Parameters
    ----------
    name
        Name of the feature.
    until
        Datetime column in which the time ends.
    since
        Datetime column in which the time begins; give this or ``reference``.
    reference
        Moment from which the days count, in ISO 8601 without a time zone, for instance ``"2020-01-31"``.

    Examples
    --------
    >>> age = ElapsedDays("age_days", until="sold_at", reference="1912-04-14")
    >>> age.compute({"sold_at": np.array(["1912-04-15T12:00", "NaT"], dtype="datetime64[us]")}, {}).tolist()
    [1.5, nan]
    """

    name: str
    _: KW_ONLY
    until: str
    since: str | None = None
    reference: str | None = None

    kind = "number"
    missing = "propagates"

    def __post_init__(self) -> None:
        if (self.since is None) == (self.reference is None):
            raise FeatureError(f"feature {self.name!r} needs either since (a column) or reference (a date), not both")
        if self.reference is not None:
            self._moment(self.reference)  # refuses what is no date

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return the column of the end, and of the beginning where there is one."""
        return (self.until,) if self.since is None else (self.until, self.since)

    def compute(self, columns: Columns, state: State) -> npt.NDArray[Any]:
        """Return the days per row, float64 of shape ``(n_rows,)``."""
        begin = columns[self.since] if self.since is not None else self._moment(self.reference)
        elapsed = columns[self.until] - begin
        return np.where(np.isnat(elapsed), np.nan, elapsed.astype(np.int64) / _MICROSECONDS_PER_DAY)

    def _moment(self, text: str | None) -> np.datetime64:
        wrong = f"feature {self.name!r} has reference={text!r}; write it as text like '2020-01-31'"
        if text is not None and not isinstance(text, str):
            raise FeatureError(wrong)
        try:
            moment = np.datetime64(text, "us")
        except ValueError as error:
            raise FeatureError(wrong) from error
        if np.isnat(moment):
            raise FeatureError(wrong)
        return moment


def _part_of(moments: npt.NDArray[np.datetime64], part: Part) -> npt.NDArray[np.int64]:
    """Return the part as whole numbers; anything where the moment is NaT."""
    days = moments.astype("datetime64[D]")
    if part in {"day_of_week", "is_weekend"}:
        weekday: npt.NDArray[np.int64] = (days.astype(np.int64) + 3) % 7  # Day 0, 1970-01-01, was a Thursday.
        return weekday if part == "day_of_week" else (weekday >= 5).astype(np.int64)
    if part in {"hour", "minute"}:
        minutes: npt.NDArray[np.int64] = (moments - days).astype("timedelta64[m]").astype(np.int64)
        return minutes // 60 if part == "hour" else minutes % 60
    if part in {"day", "day_of_year"}:
        begin = days.astype("datetime64[M]" if part == "day" else "datetime64[Y]")
        position: npt.NDArray[np.int64] = (days - begin).astype(np.int64)
        return position + 1
    if part == "year":
        return days.astype("datetime64[Y]").astype(np.int64) + np.int64(1970)
    month: npt.NDArray[np.int64] = days.astype("datetime64[M]").astype(np.int64) % 12
    return month + 1 if part == "month" else month // 3 + 1
