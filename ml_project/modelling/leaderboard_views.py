"""The leaderboard for people: in the terminal and as a page, with losses as positive numbers."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ml_project.evaluation.card_sections import Section
from ml_project.evaluation.model_card import draw_leaderboard, render_page
from ml_project.evaluation.scorers import display_value, greater_is_better

WIDTH_WITHOUT_TERMINAL = 140


def ranking_words(leaderboard: pd.DataFrame) -> str:
    """Return what ranks the candidates, for instance ``roc_auc, more is better``."""
    name, _ = display_value(leaderboard["metric"].iloc[0], 0.0)
    return f"{name}, {'more' if greater_is_better(name) else 'less'} is better"


def display_table(leaderboard: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that people compare, as texts; ``-`` where there is nothing to show."""
    return pd.DataFrame([_cells(row) for row in leaderboard.to_dict("records")])


def print_leaderboard(leaderboard: pd.DataFrame) -> None:
    """Print the leaderboard to standard output."""
    from rich.console import Console
    from rich.table import Table

    shown = display_table(leaderboard)
    table = Table(title=f"Leaderboard by {ranking_words(leaderboard)}", title_justify="left")
    for heading in shown.columns:
        table.add_column(heading, justify="left" if heading in ("candidate", "note") else "right")
    for cells, row in zip(shown.to_numpy(), leaderboard.to_dict("records"), strict=True):
        style = "bold green" if row["selected"] else "red" if row["status"] == "failed" else None
        table.add_row(*cells, style=style)
    Console(width=None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL).print(table)


def render_leaderboard(leaderboard: pd.DataFrame) -> bytes:
    """Return the leaderboard as a self-contained HTML page."""
    complete = leaderboard[leaderboard["parameters"] != ""]
    parameters = pd.DataFrame(
        {
            "candidate": complete["candidate"],
            "parameters of the best trial": complete["parameters"].map(_parameter_words),
        }
    )
    warned = leaderboard[leaderboard["warnings"] != ""]
    sections = [
        Section("", paragraphs=(f"Ranked by {ranking_words(leaderboard)}.",), table=display_table(leaderboard)),
        Section("Spread over the folds", figures=("leaderboard",)),
        Section("Hyper-parameters", table=parameters),
    ]
    if len(warned):
        sections.append(Section("Warnings while fitting", table=warned[["candidate", "warnings"]]))
    return render_page("Leaderboard", sections, draw_leaderboard(leaderboard))


def _cells(row: Mapping[Any, Any]) -> dict[str, str]:
    _, mean = display_value(row["metric"], row["mean"])
    further = {
        name.removesuffix("_mean").removeprefix("neg_"): _number(display_value(name, value)[1], ".4f")
        for name, value in row.items()
        if name.endswith("_mean")
    }
    return {
        "rank": str(row["rank"]),
        "candidate": row["candidate"],
        "mean": _number(mean, ".4f"),
        "std": _number(row["std"], ".4f"),
        **further,
        "fit s": _number(row["fit_seconds"], ".2f"),
        "predict ms / 1,000": _number(row["predict_ms_per_1000_rows"], ".1f"),
        "size kB": _number(row["artifact_kilobytes"], ",.0f"),
        "trials": str(row["n_trials"]),
        "note": "selected" if row["selected"] else f"failed: {row['reason']}" if row["status"] == "failed" else "",
    }


def _number(value: float, form: str) -> str:
    return format(value, form) if np.isfinite(value) else "-"


def _parameter_words(parameters: str) -> str:
    values = json.loads(parameters)
    words = [
        f"{name} = {value:.4g}" if isinstance(value, float) else f"{name} = {value}" for name, value in values.items()
    ]
    return ", ".join(words) or "none"
