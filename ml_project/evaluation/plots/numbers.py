"""Figures of regressions: predicted against actual values, and residuals."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.transforms import Transform

from ml_project.evaluation.formulas import Floats
from ml_project.evaluation.plots.style import (
    ACCENT,
    FAINT,
    MUTED,
    SECOND,
    SMALL_SIZE,
    add_colorbar,
    new_figure,
    number_text,
    style_axes,
)

_MOST_POINTS = 3000
_DENSITY = LinearSegmentedColormap.from_list("density", ["#d6e8f3", ACCENT, "#073b5c"])


def plot_predicted_against_actual(y_true: Floats, values: Floats, target: str, r2: float) -> Figure:
    """Return predictions over true values; on logarithmic axes where the target spans decades.

    Parameters
    ----------
    y_true, values
        True and predicted values of shape ``(n_rows,)``.
    target
        Name of the target.
    r2
        Share of variance explained, for the title.
    """
    error = float(np.median(np.abs(y_true - values)))
    explained = f"R² {r2:.2f}, " if np.isfinite(r2) else ""
    title = f"Predicted against actual: {explained}half of the errors below {number_text(error)}"
    figure, (axes,) = new_figure(title, width=7.8 if len(y_true) > _MOST_POINTS else 6.8, height=6.6)
    both = np.concatenate([y_true, values])
    low, high = float(both.min()), float(both.max())
    skewed = _spans_decades(y_true)
    if skewed:
        _use_decades(axes, both, which="both")
    _draw_points(figure, axes, y_true, values)
    margin = 0.0 if skewed else 0.04 * (high - low or 1.0)
    ends = (low - margin, high + margin)
    axes.plot(ends, ends, color=SECOND, linewidth=1.4, linestyle=(0, (5, 3)), zorder=3)
    _note(axes, "dashed: predicted = actual")
    axes.set(xlim=_widened(ends, skewed), ylim=_widened(ends, skewed))
    axes.set_box_aspect(1)
    axes.set_xlabel(f"actual {target}")
    axes.set_ylabel(f"predicted {target}")
    style_axes(axes)
    return figure


def plot_residuals(y_true: Floats, values: Floats, target: str) -> Figure:
    """Return residuals over predicted values and their distribution; parameters as above."""
    residuals = y_true - values
    bias = float(residuals.mean())
    side = "too low" if bias > 0 else "too high"
    title = f"Residuals: predictions are {number_text(abs(bias))} {side} on average"
    figure, (axes,) = new_figure(title, width=8.2, height=5.4)
    axes.remove()
    grid = figure.add_gridspec(1, 2, width_ratios=[3.4, 1])
    axes = figure.add_subplot(grid[0, 0])
    beside = figure.add_subplot(grid[0, 1], sharey=axes)
    if _spans_decades(values):
        _use_decades(axes, values, which="x")
    if _heavy_tailed(residuals):
        axes.set_yscale("symlog", linthresh=float(np.quantile(np.abs(residuals), 0.5)) or 1.0)
    _draw_points(figure, axes, values, residuals)
    for each in (axes, beside):
        style_axes(each)
        each.axhline(0, color=SECOND, linewidth=1.4, linestyle=(0, (5, 3)), zorder=3)
    if residuals.min() < residuals.max():
        edges = _edges(axes.yaxis.get_transform(), residuals, 32).tolist()
        beside.hist(residuals, bins=edges, orientation="horizontal", color=ACCENT, alpha=0.85, edgecolor="white")
    beside.tick_params(axis="y", labelleft=False)
    beside.set_xlabel("rows")
    axes.set_xlabel(f"predicted {target}")
    axes.set_ylabel(f"actual - predicted {target}")
    return figure


def _draw_points(figure: Figure, axes: Axes, x: Floats, y: Floats) -> None:
    """Draw a scatter, or the density of many points."""
    if len(x) <= _MOST_POINTS:
        transparency = float(np.clip(30 / np.sqrt(len(x)) / 1.5, 0.25, 0.8))
        axes.scatter(x, y, s=22, color=ACCENT, alpha=transparency, linewidths=0)
        return
    x_edges, y_edges = _edges(axes.xaxis.get_transform(), x, 90), _edges(axes.yaxis.get_transform(), y, 90)
    counts, _, _ = np.histogram2d(x, y, bins=[x_edges, y_edges])
    shown = np.ma.masked_equal(counts.T, 0)
    mesh = axes.pcolormesh(x_edges, y_edges, shown, cmap=_DENSITY, norm="log")
    add_colorbar(figure, mesh, axes, "rows", shrink=0.7, pad=0.02)


def _edges(scale: Transform, values: Floats, n_edges: int) -> Floats:
    """Return edges of bins that are equally wide on the axis."""
    low, high = scale.transform(np.array([values.min(), values.max()]))
    edges: Floats = scale.inverted().transform(np.linspace(float(low), float(high), n_edges))
    edges[0], edges[-1] = values.min(), values.max()
    return edges


def _spans_decades(values: Floats) -> bool:
    size = np.abs(values[values != 0])
    return len(size) > 2 and bool(np.quantile(size, 0.99) > 30 * np.median(size) or _ratio(values) > 1000)


def _ratio(values: Floats) -> float:
    return float(values.max() / values.min()) if values.min() > 0 else 0.0


def _heavy_tailed(residuals: Floats) -> bool:
    size = np.abs(residuals)
    return bool(size.max() > 30 * max(np.median(size), np.finfo(np.float64).tiny)) and bool(np.median(size) > 0)


def _use_decades(axes: Axes, values: Floats, which: str) -> None:
    positive = bool(values.min() > 0)
    threshold = float(np.quantile(np.abs(values[values != 0]), 0.05))
    for name, setter in (("x", axes.set_xscale), ("y", axes.set_yscale)):
        if which in (name, "both"):
            setter("log") if positive else setter("symlog", linthresh=threshold)


def _widened(ends: tuple[float, float], skewed: bool) -> tuple[float, float]:
    if not skewed:
        return ends
    low = ends[0] / 1.5 if ends[0] > 0 else ends[0] * 1.5
    return low, ends[1] * 1.5 if ends[1] > 0 else 0.0


def _note(axes: Axes, text: str) -> None:
    axes.text(0.02, 0.98, text, transform=axes.transAxes, va="top", fontsize=SMALL_SIZE, color=MUTED)
    axes.spines["left"].set_color(FAINT)
