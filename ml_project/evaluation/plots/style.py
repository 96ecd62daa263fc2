"""How every figure looks: white ground, muted grid, one accent, colours that colour-blind people can tell apart."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure

INK, MUTED, FAINT, GRID = "#1f2933", "#5f6c7b", "#b8c2cc", "#e4e8ec"
ACCENT, SECOND = "#0b6fa8", "#d9730d"
PALETTE = (ACCENT, SECOND, "#0f9d74", "#b5558f", "#6b5fc7", "#8a6d1d")
"""Blue, orange, green, purple-red, violet, brown: told apart with protanopia, deuteranopia and tritanopia."""

LegendLocation = Literal["upper left", "lower left", "lower right"]

DOTS_PER_INCH = 150
TITLE_SIZE, TEXT_SIZE, SMALL_SIZE = 13, 10, 9
_CHARACTERS_PER_INCH = 9.6


def new_figure(
    title: str, *, width: float = 7.0, height: float = 5.2, rows: int = 1, heights: Sequence[float] | None = None
) -> tuple[Figure, list[Axes]]:
    """Return a figure with its title and one column of styled axes.

    Parameters
    ----------
    title
        What the figure shows, with its finding; it is wrapped to the width.
    width, height
        Inches.
    rows
        Number of axes below each other.
    heights
        Their relative heights.
    """
    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, facecolor="white")
    figure.set_layout_engine("constrained", w_pad=0.09, h_pad=0.09)
    FigureCanvasAgg(figure)
    lines = textwrap.fill(title, int(width * _CHARACTERS_PER_INCH))
    figure.suptitle(lines, x=0.012, ha="left", fontsize=TITLE_SIZE, fontweight="bold", color=INK)
    grid = figure.add_gridspec(rows, 1, height_ratios=heights)
    axes = [figure.add_subplot(grid[row, 0]) for row in range(rows)]
    for axis in axes:
        style_axes(axis)
    return figure, axes


def style_axes(axes: Axes) -> None:
    """Give axes the muted grid, open top and right, and readable text."""
    axes.set_facecolor("white")
    axes.grid(visible=True, color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.tick_params(colors=MUTED, labelcolor=INK, labelsize=SMALL_SIZE, length=3)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set(color=MUTED, fontsize=TEXT_SIZE)


def style_rows(axes: Axes, names: Sequence[str]) -> None:
    """Make axes a table of rows from top to bottom, one name each."""
    axes.set_yticks(range(len(names)), [shorten(name, 34) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0, labelsize=TEXT_SIZE)
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False, axis="y")


def add_caption(figure: Figure, text: str) -> None:
    """Write what the numbers mean below the axes, over the whole width."""
    lines = textwrap.fill(text, int(figure.get_figwidth() * _CHARACTERS_PER_INCH * 1.3))
    figure.supxlabel(lines, x=0.985, ha="right", fontsize=SMALL_SIZE, color=MUTED)


def add_legend(axes: Axes, location: LegendLocation) -> None:
    """Add a legend without a frame line over a white ground."""
    legend = axes.legend(fontsize=SMALL_SIZE, labelcolor=INK, facecolor="white", framealpha=0.9, loc=location)
    legend.get_frame().set_linewidth(0)


def add_colorbar(figure: Figure, colours: ScalarMappable, axes: Axes, label: str, **options: Any) -> Colorbar:
    """Add a colour bar without an outline."""
    bar = figure.colorbar(colours, ax=axes, **options)
    bar.set_label(label, color=MUTED, fontsize=SMALL_SIZE)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=MUTED, labelsize=SMALL_SIZE)
    return bar


def shorten(name: object, length: int = 24) -> str:
    """Return a name of at most ``length`` characters, its middle cut out, that matplotlib takes literally.

    Examples
    --------
    >>> shorten("a_very_long_name_of_a_feature", 13)
    'a_very…eature'
    """
    text = " ".join(str(name).split()).replace("$", "\\$")
    if len(text) <= length:
        return text
    kept = length - 1
    return f"{text[: kept - kept // 2]}…{text[len(text) - kept // 2 :]}"


def number_text(value: float) -> str:
    """Return a number with three significant digits and no exponent where it is readable without.

    Examples
    --------
    >>> number_text(0.87), number_text(12345.6), number_text(1.5e-7), number_text(3.0)
    ('0.870', '12,346', '1.5e-07', '3')
    """
    if not np.isfinite(value):
        return "n/a"
    if value != 0 and not 1e-3 <= abs(value) < 1e9:
        return f"{value:.3g}"
    if float(value).is_integer():
        return f"{value:,.0f}"
    decimals = min(3, max(0, 2 - int(np.floor(np.log10(abs(value))))))
    return f"{value:,.{decimals}f}"


def to_png(figure: Figure) -> bytes:
    """Return a figure as PNG, the same bytes for the same figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, facecolor="white", metadata={"Software": None})
    return buffer.getvalue()
