"""Round bounds, wide enough for tomorrow and narrow enough to catch nonsense."""

from __future__ import annotations

import math

from scaffolding.profiling.column_profile import ColumnProfile

NEAR_ZERO = 0.01
CROWDED = 0.4
"""Numbers have zero as their bound where the nearest one and the median are within these shares of their span."""
STEPS = (1.0, 2.0, 5.0, 10.0)


def round_up(number: float) -> float:
    """Return the next 1, 2 or 5 times a power of ten, at least as large as a positive number.

    Examples
    --------
    >>> [round_up(number) for number in (0.03, 1, 17, 201)]
    [0.05, 1.0, 20.0, 500.0]
    """
    exponent = math.floor(math.log10(number))
    candidates = (float(f"{step:g}e{power}") for power in (exponent - 1, exponent) for step in STEPS)
    return next(candidate for candidate in candidates if candidate >= number)


def bounds_of(profile: ColumnProfile) -> tuple[float | None, float | None]:
    """Return the lowest and highest number that a column shall allow; ``None`` for no bound.

    Shares stay within 1; another bound lies beyond twice the span of the data. Zero is the bound where that is on its
    other side, and where the data shows that it is one: they reach it, are whole, or crowd beside it.

    Parameters
    ----------
    profile
        A column of numbers with at least one value.
    """
    lowest, highest = profile.minimum, profile.maximum
    if lowest >= 0 and highest <= 1 and not profile.is_whole:
        return 0.0, 1.0
    span = (highest - lowest) or abs(highest) or 1.0
    ends = _ends_at_zero(profile, span)
    below = 0.0 if lowest >= 0 and ends else _finite(span - lowest, sign=-1)
    above = 0.0 if highest <= 0 and lowest < 0 and ends else _finite(span + highest, sign=1)
    return below, above


def mean_interval(profile: ColumnProfile) -> tuple[float, float] | None:
    """Return an interval that the mean of 30 and more rows hardly ever leaves; ``None`` where the values hardly vary.

    It reaches one standard deviation to either side: with 30 rows, more than five standard errors.
    """
    if not abs(profile.mean) * 1e-9 < profile.deviation < math.inf:
        return None
    digits = 1 - math.floor(math.log10(profile.deviation))
    unit = 10.0**-digits
    lowest, highest = profile.mean - profile.deviation, profile.mean + profile.deviation
    interval = (round(math.floor(lowest / unit) * unit, digits), round(math.ceil(highest / unit) * unit, digits))
    return (max(0.0, interval[0]) if profile.minimum >= 0 else interval[0], interval[1])


def _ends_at_zero(profile: ColumnProfile, span: float) -> bool:
    """Return whether numbers that are all on one side of zero are so by their nature, not by chance."""
    nearest = min(abs(profile.minimum), abs(profile.maximum))
    if profile.is_whole or nearest == 0 or nearest >= span:
        return True
    return nearest < NEAR_ZERO * span and abs(profile.median) < CROWDED * span


def _finite(number: float, *, sign: int) -> float | None:
    """Return the round number above a positive one with a sign, ``None`` where there is no finite one."""
    return sign * round_up(number) if number < 1e300 else None
