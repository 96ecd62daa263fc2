"""The model card: what a model is for, what it was made of, how good it is and where its limits are."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ml_project.evaluation.card_sections import Section, make_sections
from ml_project.evaluation.findings import Evaluation
from ml_project.evaluation.writing import PLOTS
from ml_project.masking import mask_secrets
from ml_project.safe_file import replace_file


def write_model_card(
    directory: Path,
    *,
    manifest: Mapping[str, Any],
    evaluation: Evaluation,
    leaderboard: pd.DataFrame | None = None,
) -> dict[str, Path]:
    """Write ``model_card.md`` and the self-contained ``model_card.html``; passwords and keys are masked.

    Parameters
    ----------
    directory
        Folder of the evaluation; the Markdown file refers to its plots.
    manifest
        The artifact's manifest as a mapping of JSON values; fields that it lacks are left out.
    evaluation
        What was found on the holdout.
    leaderboard
        Table of the candidates, where there is one.

    Returns
    -------
    dict
        Paths ``model_card`` and ``model_card_html``, and ``plot_leaderboard`` where there is a leaderboard.
    """
    images = dict(evaluation.figures) | draw_leaderboard(leaderboard)
    sections = make_sections(mask_secrets(manifest), evaluation, leaderboard, images)
    linked = {name: f"{PLOTS}/{name}.png" for name in images}
    title = f"Model card: {manifest.get('name', 'model')} predicts {evaluation.target}"
    paths = {"model_card": directory / "model_card.md", "model_card_html": directory / "model_card.html"}
    replace_file(paths["model_card"], _render("model_card.md.j2", title, sections, linked))
    replace_file(paths["model_card_html"], render_page(title, sections, images))
    for name in images.keys() - evaluation.figures.keys():
        paths[f"plot_{name}"] = directory / PLOTS / f"{name}.png"
        replace_file(paths[f"plot_{name}"], images[name])
    return paths


def render_page(title: str, sections: list[Section], images: Mapping[str, bytes]) -> bytes:
    """Return sections as a self-contained HTML page in the style of the model card.

    Parameters
    ----------
    title
        Heading of the page.
    sections
        What stands on it.
    images
        PNG images by the names under which the sections' figures refer to them.
    """
    embedded = {name: f"data:image/png;base64,{base64.b64encode(image).decode()}" for name, image in images.items()}
    return _render("model_card.html.j2", title, sections, embedded)


def draw_leaderboard(leaderboard: pd.DataFrame | None) -> dict[str, bytes]:
    """Return the figure of the leaderboard by its name; nothing where there is no leaderboard."""
    from ml_project.evaluation import plots

    if leaderboard is None or leaderboard.empty:
        return {}
    return {"leaderboard": plots.to_png(plots.plot_leaderboard(leaderboard))}


def _render(template: str, title: str, sections: list[Section], sources: Mapping[str, str]) -> bytes:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ml_project.evaluation"),
        autoescape=jinja2.select_autoescape(enabled_extensions=("html.j2",)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = _cell
    environment.filters["markdown_cell"] = lambda value: _cell(value).replace("|", "\\|").replace("<", "&lt;")
    return environment.get_template(template).render(title=title, sections=sections, sources=sources).encode()


def _cell(value: Any) -> str:
    """Return a table's value as one line of text."""
    from ml_project.evaluation.plots import number_text

    if value is None or (isinstance(value, float) and pd.isna(value)):
        return ""
    if isinstance(value, float):
        return number_text(value)
    return " ".join(str(value).split())
