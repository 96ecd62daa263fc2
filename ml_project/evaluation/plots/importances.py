"""Figures of what the model relies on: permutation importance and SHAP."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from ml_project.evaluation.formulas import Floats
from ml_project.evaluation.plots.style import (
    ACCENT,
    FAINT,
    MUTED,
    PALETTE,
    SECOND,
    add_caption,
    add_colorbar,
    add_legend,
    new_figure,
    shorten,
    style_rows,
)
from ml_project.evaluation.shapley import ShapValues

_MOST_FEATURES = 20
_LOW_TO_HIGH = LinearSegmentedColormap.from_list("low to high", [ACCENT, "#c9ced6", SECOND])


def plot_permutation_importance(importance: pd.DataFrame, metric: str) -> Figure:
    """Return how much worse the ranking metric becomes when one feature is shuffled.

    Parameters
    ----------
    importance
        Columns ``feature``, ``mean`` and ``std``, most important first.
    metric
        Name of the metric.
    """
    shown = importance.head(_MOST_FEATURES)
    best = f"{shorten(shown['feature'].iloc[0], 30)} matters most"
    title = f"Permutation importance: {best if shown['mean'].iloc[0] > 0 else 'no feature matters measurably'}"
    figure, (axes,) = new_figure(title, width=7.4, height=1.6 + 0.36 * len(shown))
    style_rows(axes, shown["feature"].tolist())
    rows = np.arange(len(shown))
    axes.barh(rows, shown["mean"], height=0.62, color=np.where(shown["mean"] > 0, ACCENT, FAINT).tolist())
    axes.errorbar(shown["mean"], rows, xerr=shown["std"], fmt="none", ecolor=MUTED, elinewidth=1.2)
    axes.axvline(0, color=FAINT, linewidth=1)
    note = f"{metric}: how much worse when the feature is shuffled, ± standard deviation"
    add_caption(figure, _with_count(note, importance))
    return figure


def plot_shap_summary(shap: ShapValues) -> Figure:
    """Return SHAP values: every row's per feature, or with several outputs their mean size per class."""
    if len(shap.outputs) > 1:
        return _plot_stacked(shap)
    order = np.argsort(-np.abs(shap.values[:, :, 0]).mean(axis=0), kind="stable")[:_MOST_FEATURES]
    title = f"SHAP values: {shorten(shap.features[order[0]], 30)} moves predictions most"
    figure, (axes,) = new_figure(title, width=7.8, height=1.7 + 0.4 * len(order))
    style_rows(axes, [shap.features[index] for index in order])
    axes.axvline(0, color=FAINT, linewidth=1)
    for row, index in enumerate(order):
        _draw_swarm(axes, row, shap.values[:, index, 0], shap.ranks[:, index])
    points = axes.scatter([], [], c=[], cmap=_LOW_TO_HIGH, vmin=0, vmax=1)
    bar = add_colorbar(figure, points, axes, "value of the feature", aspect=40, pad=0.02, ticks=[0, 1])
    bar.ax.set_yticklabels(["low", "high"])
    add_caption(figure, f"effect on the {shap.outputs[0]}; one point per row, grey: no order or no value")
    return figure


def _plot_stacked(shap: ShapValues) -> Figure:
    sizes = pd.DataFrame(np.abs(shap.values).mean(axis=0), index=list(shap.features), columns=list(shap.outputs))
    sizes = sizes.loc[sizes.sum(axis=1).sort_values(ascending=False, kind="stable").index[:_MOST_FEATURES]]
    ranked = sizes.sum().sort_values(ascending=False, kind="stable").index
    named = ranked if len(ranked) <= len(PALETTE) else ranked[: len(PALETTE) - 1]
    title = f"SHAP values: {shorten(sizes.index[0], 30)} moves predictions most"
    figure, (axes,) = new_figure(title, width=7.8, height=1.9 + 0.4 * len(sizes))
    style_rows(axes, sizes.index.tolist())
    parts = {shorten(name, 26): sizes[name] for name in named}
    if len(named) < len(ranked):
        parts[f"{len(ranked) - len(named)} further classes"] = sizes[ranked[len(named) :]].sum(axis=1)
    left: Floats = np.zeros(len(sizes))
    for (name, part), colour in zip(parts.items(), (*PALETTE[: len(named)], FAINT), strict=False):
        axes.barh(np.arange(len(sizes)), part, left=left, height=0.62, color=colour, label=name, edgecolor="white")
        left = left + part.to_numpy()
    axes.set_xlabel("mean size of the effect on the probability, summed over classes")
    add_legend(axes, "lower right")
    return figure


def _draw_swarm(axes: Axes, row: int, effects: Floats, ranks: Floats) -> None:
    """Draw one row of points, pushed apart where many have about the same effect."""
    shift = _swarm(effects)
    unordered = np.isnan(ranks)
    axes.scatter(effects[unordered], row + shift[unordered], s=13, color="#8f9aa6", alpha=0.8, linewidths=0)
    coloured: dict[str, Any] = {"c": ranks[~unordered], "cmap": _LOW_TO_HIGH, "vmin": 0, "vmax": 1}
    axes.scatter(effects[~unordered], row + shift[~unordered], s=13, alpha=0.85, linewidths=0, **coloured)


def _swarm(effects: Floats, height: float = 0.36, n_bins: int = 70) -> Floats:
    """Return vertical shifts between ``-height`` and ``height`` that grow with the number of points at one place."""
    span = float(np.ptp(effects)) or 1.0
    bins = np.floor((effects - effects.min()) / span * n_bins).astype(np.int64)
    shift = np.zeros(len(effects))
    crowd = np.bincount(bins).max()
    for number in np.unique(bins):
        members = np.flatnonzero(bins == number)
        steps = np.arange(len(members)) - (len(members) - 1) / 2
        shift[members] = steps * min(0.09, 2 * height / crowd)
    return shift


def _with_count(text: str, importance: pd.DataFrame) -> str:
    left_out = f" (the {_MOST_FEATURES} most important of {len(importance)} features)"
    return text + left_out if len(importance) > _MOST_FEATURES else text
