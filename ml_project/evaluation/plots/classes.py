"""Figures of classifications: confusion matrix, ROC, precision-recall and calibration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from ml_project.evaluation.curves import Curve, calibration_bins, precision_recall_curve, roc_curve
from ml_project.evaluation.formulas import Codes, Floats
from ml_project.evaluation.plots.style import (
    ACCENT,
    FAINT,
    INK,
    PALETTE,
    SMALL_SIZE,
    TEXT_SIZE,
    add_colorbar,
    add_legend,
    new_figure,
    number_text,
    shorten,
    style_axes,
)

_MOST_COLOURED, _MOST_ANNOTATED, _MOST_NAMED = 4, 16, 40
_BLUES = LinearSegmentedColormap.from_list("blues", ["#f7fafc", "#9cc6e0", ACCENT, "#073b5c"])


def plot_confusion_matrix(counts: npt.NDArray[Any], classes: Sequence[Any]) -> Figure:
    """Return the confusion matrix with counts and with shares of the rows of each true class.

    Parameters
    ----------
    counts
        Shape ``(n_classes, n_classes)``: truth in rows, predicted labels in columns.
    classes
        Their names in order.
    """
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    names = [shorten(name, 22) for name in classes]
    size, longest = min(max(0.62 * len(names), 3.4), 9.0), max(map(len, names))
    room = 0.5 if _lie_flat(names) else 0.5 + 0.055 * longest
    hits = np.trace(counts) / max(counts.sum(), 1)
    title = f"Confusion matrix: {hits:.0%} of {int(counts.sum()):,} rows are labelled right"
    figure, (axes,) = new_figure(title, width=max(size + 2.0 + 0.085 * longest, 6.0), height=size + 0.6 + room)
    image = axes.imshow(shares, cmap=_BLUES, vmin=0, vmax=1)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    _name_cells(axes, names)
    if len(names) <= _MOST_ANNOTATED:
        _annotate(axes, counts, shares)
    add_colorbar(figure, image, axes, "share of the true class", shrink=0.85, format=lambda share, _: f"{share:.0%}")
    return figure


def plot_roc(y_true: Codes, probabilities: Floats, classes: Sequence[Any], finding: str) -> Figure:
    """Return ROC curves: of the positive class, or of each of several classes against the rest.

    Parameters
    ----------
    y_true
        Codes of shape ``(n_rows,)``.
    probabilities
        Shape ``(n_rows, n_classes)``.
    classes
        Names of the classes in the order of their codes.
    finding
        What the title says after ``ROC curve:``.
    """
    figure, (axes,) = new_figure(f"ROC curve: {finding}", width=6.6, height=6.4)
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1.2, linestyle=(0, (4, 3)), label="chance: AUC 0.5")
    curves = _one_versus_rest(roc_curve, y_true, probabilities, classes)
    _draw_curves(axes, curves, "AUC", fill=len(classes) == 2)
    axes.set_xlabel("false positive rate")
    axes.set_ylabel("true positive rate")
    _square(axes)
    add_legend(axes, "lower right")
    return figure


def plot_precision_recall(y_true: Codes, probabilities: Floats, classes: Sequence[Any], finding: str) -> Figure:
    """Return precision-recall curves; parameters as for :func:`plot_roc`."""
    figure, (axes,) = new_figure(f"Precision-recall: {finding}", width=6.4, height=6.8)
    if len(classes) == 2:
        share = float(np.mean(y_true == 1))
        axes.axhline(share, color=FAINT, linewidth=1.2, linestyle=(0, (4, 3)), label=f"chance: share {share:.2f}")
    curves = _one_versus_rest(precision_recall_curve, y_true, probabilities, classes)
    _draw_curves(axes, curves, "AP", fill=False)
    axes.set_xlabel("recall: share of the class that is found")
    axes.set_ylabel("precision: share of the found that is right")
    _square(axes)
    figure.legend(loc="outside lower left", ncols=2, fontsize=SMALL_SIZE, labelcolor=INK, frameon=False)
    return figure


def plot_calibration(y_true: Codes, probabilities: Floats, classes: Sequence[Any]) -> Figure:
    """Return how often predictions of a probability come true, above the histogram of probabilities.

    With two classes it is the probability of the positive one, with more that of the predicted label (Guo et al.,
    On Calibration of Modern Neural Networks, 2017). Bars are 95% Wilson intervals.
    """
    if len(classes) == 2:
        events, scores, what = y_true == 1, probabilities[:, 1], f"probability of {shorten(classes[1])}"
    else:
        events, scores = probabilities.argmax(axis=1) == y_true, probabilities.max(axis=1)
        what = "probability of the predicted label"
    bins = calibration_bins(events, scores)
    error = float(np.average(np.abs(bins["share"] - bins["probability"]), weights=bins["n_rows"]))
    title = f"Calibration: probabilities are off by {error:.1%} on average"
    figure, (axes, below) = new_figure(title, width=6.6, height=7.2, rows=2, heights=[3.6, 1])
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1.2, linestyle=(0, (4, 3)), label="perfect")
    spread = np.abs(np.stack([bins["share"] - bins["low"], bins["high"] - bins["share"]]))
    style: dict[str, Any] = {"color": ACCENT, "ecolor": FAINT, "elinewidth": 1.6, "marker": "o", "linewidth": 1.8}
    axes.errorbar(bins["probability"], bins["share"], spread, label="observed, with 95% interval", **style)
    axes.set_ylabel("observed share")
    axes.set_ylim(-0.03, 1.03)
    add_legend(axes, "upper left")
    below.hist(scores, bins=np.linspace(0, 1, 31).tolist(), color=ACCENT, alpha=0.85, edgecolor="white", linewidth=0.6)
    below.set_ylabel("rows")
    below.set_xlabel(f"predicted {what}")
    for each in (axes, below):
        each.set_xlim(-0.02, 1.02)
    return figure


def _one_versus_rest(curve_of: Any, y_true: Codes, probabilities: Floats, classes: Sequence[Any]) -> dict[str, Curve]:
    codes = [1] if len(classes) == 2 else range(len(classes))
    present = [code for code in codes if np.any(y_true == code)]
    return {shorten(classes[code], 26): curve_of(y_true == code, probabilities[:, code]) for code in present}


def _draw_curves(axes: Axes, curves: dict[str, Curve], area_name: str, *, fill: bool) -> None:
    """Draw all curves where they are few, else name the weakest and the strongest ones."""
    ranked = sorted(curves, key=lambda name: curves[name].area)
    named = list(curves) if len(curves) <= len(PALETTE) else [*ranked[: _MOST_COLOURED - 1], ranked[-1]]
    others = [name for name in curves if name not in named]
    for position, name in enumerate(others):
        label = f"{len(others)} further classes: AUC in between" if position == 0 else None
        label = label.replace("AUC", area_name) if label else None
        axes.plot(curves[name].x, curves[name].y, color=FAINT, linewidth=1, alpha=0.7, label=label)
    for name, colour in zip(named, PALETTE, strict=False):
        curve = curves[name]
        axes.plot(curve.x, curve.y, color=colour, linewidth=2.2, label=f"{name}: {area_name} {curve.area:.2f}")
        if fill:
            axes.fill_between(curve.x, curve.y, color=colour, alpha=0.08, linewidth=0)


def _square(axes: Axes) -> None:
    axes.set(xlim=(-0.015, 1.015), ylim=(-0.015, 1.015), aspect="equal")
    style_axes(axes)


def _name_cells(axes: Axes, names: Sequence[str]) -> None:
    step = -(-len(names) // _MOST_NAMED)
    shown = range(0, len(names), step)
    texts = [names[index] for index in shown]
    if _lie_flat(names):
        axes.set_xticks(shown, texts)
    else:
        axes.set_xticks(shown, texts, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(shown, texts)
    axes.tick_params(length=0, labelcolor=INK, labelsize=TEXT_SIZE)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")


def _lie_flat(names: Sequence[str]) -> bool:
    return max(map(len, names)) * len(names) <= 40


def _annotate(axes: Axes, counts: npt.NDArray[Any], shares: Floats) -> None:
    size = 13 if len(counts) <= 3 else 11 if len(counts) <= 6 else 9
    for (row, column), share in np.ndenumerate(shares):
        colour = "white" if share > 0.45 else INK if counts[row, column] else FAINT
        texts: dict[str, Any] = {"color": colour, "ha": "center", "fontsize": size}
        axes.text(column, row - 0.03, number_text(float(counts[row, column])), va="bottom", fontweight="bold", **texts)
        axes.text(column, row + 0.06, f"{share:.0%}", va="top", **(texts | {"fontsize": size - 2}))
