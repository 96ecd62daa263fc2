"""Only parts of dates that vary beyond chance become features."""

from __future__ import annotations

import numpy as np
import pytest

from scaffolding.profiling.date_features import date_features

START = np.datetime64("2020-06-01T00:00:00", "us")


def _parts(days: int, *, strays: int = 0) -> list[str]:
    moments = START + np.arange(days).astype("timedelta64[D]")
    moments[:strays] += np.timedelta64(5, "h")
    return [str(one.arguments["part"]) for one in date_features({"when": moments}, taken=(), chronological=False)]


@pytest.mark.parametrize(("days", "is_there"), [(729, False), (731, True)])
def test_date_features_year_needs_two_whole_ones(days: int, is_there: bool):
    assert ("year" in _parts(days)) == is_there


@pytest.mark.parametrize(("strays", "is_there"), [(0, False), (9, False), (10, True)])
def test_date_features_part_that_hardly_varies_is_none(strays: int, is_there: bool):
    assert ("hour" in _parts(1000, strays=strays)) == is_there


def test_date_features_chronological_has_no_year():
    moments = START + np.arange(1000).astype("timedelta64[D]")
    parts = [one.arguments["part"] for one in date_features({"when": moments}, taken=(), chronological=True)]
    assert parts == ["month", "day", "day_of_week"]
