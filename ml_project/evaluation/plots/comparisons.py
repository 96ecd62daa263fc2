"""Figures that compare: training against test metrics, and the candidates of a leaderboard."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ml_project.evaluation.formulas import Floats
from ml_project.evaluation.metrics import Interval, display_value, greater_is_better
from ml_project.evaluation.plots.style import (
    ACCENT,
    FAINT,
    INK,
    MUTED,
    SECOND,
    SMALL_SIZE,
    add_caption,
    new_figure,
    number_text,
    shorten,
    style_rows,
)

_PATCH = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.8}
"""A white ground for texts over lines."""
BASELINES = ("baseline", "rule")
"""Names of the candidates that the others must beat."""


def plot_train_against_test(
    test: Mapping[str, float],
    intervals: Mapping[str, Interval],
    train: Mapping[str, float],
    groups: Sequence[tuple[str, Sequence[str]]],
    finding: str,
) -> Figure:
    """Return each metric on test rows, with its interval, and on training rows.

    Parameters
    ----------
    test, intervals, train
        Values by metric; undefined ones are left out.
    groups
        Metrics that share an axis, with a word on their direction.
    finding
        What the title says after ``Metrics:``.
    """
    shown = [(note, [name for name in names if np.isfinite(test.get(name, np.nan))]) for note, names in groups]
    shown = [(note, names) for note, names in shown if names]
    heights = [len(names) + 0.9 for _, names in shown]
    height = 1.3 + 0.42 * sum(heights)
    figure, panels = new_figure(f"Metrics: {finding}", width=8.2, height=height, rows=len(shown), heights=heights)
    for axes, (note, names) in zip(panels, shown, strict=True):
        _draw_metrics(axes, names, test, intervals, train)
        axes.set_title(note, loc="left", fontsize=SMALL_SIZE, color=MUTED)
    if panels:
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower right", ncols=3, fontsize=SMALL_SIZE, frameon=False)
    return figure


def plot_leaderboard(leaderboard: pd.DataFrame) -> Figure:
    """Return mean and spread over folds of every candidate, in the order of the leaderboard.

    Parameters
    ----------
    leaderboard
        One row per candidate with ``candidate``, ``selected``, ``metric``, ``mean`` and ``std``, scores being those of
        scikit-learn; a candidate without a mean is shown as failed.
    """
    names = [str(name) for name in leaderboard["candidate"]]
    metric = display_value(str(leaderboard["metric"].iloc[0]), 0.0)[0]
    means = np.array([display_value(*pair)[1] for pair in zip(leaderboard["metric"], leaderboard["mean"], strict=True)])
    spreads = np.nan_to_num(leaderboard["std"].to_numpy(dtype=np.float64))
    chosen = {name for name, selected in zip(names, leaderboard["selected"], strict=True) if selected}
    title = _leaderboard_title(names, means, chosen, metric)
    figure, (axes,) = new_figure(title, width=7.8, height=1.7 + 0.46 * len(names))
    style_rows(axes, names)
    limits = _limits(means, spreads)
    for row, (name, mean, spread) in enumerate(zip(names, means, spreads, strict=True)):
        colour = ACCENT if name in chosen else SECOND if name in BASELINES else MUTED
        _draw_candidate(axes, row, mean, spread, colour, limits)
        if name in BASELINES and np.isfinite(mean):
            axes.axvline(mean, color=SECOND, linewidth=1, linestyle=(0, (4, 3)), alpha=0.6, zorder=1)
    axes.set_xlim(*limits)
    better = "more" if greater_is_better(metric) else "less"
    add_caption(figure, f"{metric}, {better} is better: mean ± standard deviation over folds (dashed: baselines)")
    for tick, name in zip(axes.get_yticklabels(), names, strict=True):
        tick.set(fontweight="bold" if name in chosen else "normal", color=SECOND if name in BASELINES else INK)
    return figure


def _leaderboard_title(names: Sequence[str], means: Floats, chosen: Collection[str], metric: str) -> str:
    for name, mean in zip(names, means, strict=True):
        if name in chosen:
            return f"Leaderboard: {shorten(name, 30)} is chosen, {metric} {number_text(mean)}"
    return f"Leaderboard: {len(names)} candidates"


def _limits(means: Floats, spreads: Floats) -> tuple[float, float]:
    """Return the ends of the axis, with room for a number behind each bar."""
    if not np.isfinite(means).any():
        return 0.0, 1.0
    low, high = float(np.nanmin(means - spreads)), float(np.nanmax(means + spreads))
    span = (high - low) or abs(high) or 1.0
    return low - 0.05 * span, high + 0.14 * span


def _draw_candidate(
    axes: Axes, row: int, mean: float, spread: float, colour: str, limits: tuple[float, float]
) -> None:
    if not np.isfinite(mean):
        text: dict[str, Any] = {"va": "center", "fontsize": SMALL_SIZE, "style": "italic", "color": MUTED}
        axes.text(limits[0] + 0.02 * (limits[1] - limits[0]), row, "failed", bbox=_PATCH, **text)
        return
    axes.plot([mean - spread, mean + spread], [row, row], color=colour, linewidth=6, alpha=0.25, solid_capstyle="round")
    axes.scatter(mean, row, s=58, color=colour, zorder=3)
    axes.annotate(
        number_text(mean),
        (mean + spread, row),
        xytext=(9, 0),
        textcoords="offset points",
        va="center",
        color=INK,
        fontsize=SMALL_SIZE,
        bbox=_PATCH,
    )


def _draw_metrics(
    axes: Axes,
    names: Sequence[str],
    test: Mapping[str, float],
    intervals: Mapping[str, Interval],
    train: Mapping[str, float],
) -> None:
    style_rows(axes, names)
    for row, name in enumerate(names):
        value, interval, trained = test[name], intervals.get(name, Interval(np.nan, np.nan)), train.get(name, np.nan)
        ends = [interval.low, interval.high]
        bar: dict[str, Any] = {"linewidth": 6, "alpha": 0.22, "solid_capstyle": "butt"}
        axes.plot(ends, [row, row], color=ACCENT, label="confidence interval" if row == 0 else None, **bar)
        axes.plot([value, trained], [row, row], color=FAINT, linewidth=1, zorder=2)
        axes.scatter(value, row, s=52, color=ACCENT, zorder=4, label="test" if row == 0 else None)
        hollow: dict[str, Any] = {"facecolor": "white", "edgecolor": SECOND, "linewidth": 1.8}
        axes.scatter(trained, row, s=46, zorder=3, label="train" if row == 0 and train else None, **hollow)
        text: dict[str, Any] = {"va": "center", "color": INK, "fontsize": SMALL_SIZE}
        axes.annotate(_with_interval(value, interval), (1.01, row), xycoords=("axes fraction", "data"), **text)
    axes.margins(x=0.06)


def _with_interval(value: float, interval: Interval) -> str:
    if not np.isfinite(interval.low):
        return number_text(value)
    return f"{number_text(value)} ({number_text(interval.low)} to {number_text(interval.high)})"
