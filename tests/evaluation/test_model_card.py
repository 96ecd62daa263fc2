"""Tests of the model card."""

import re

import pandas as pd
import pytest

from ml_project.evaluation.card_sections import Section
from ml_project.evaluation.model_card import render_page, write_model_card

LEADERBOARD = pd.DataFrame(
    {
        "rank": [1, 2],
        "candidate": ["forest", "<b>broken</b>"],
        "selected": [True, False],
        "metric": "roc_auc",
        "mean": [0.9, float("nan")],
        "std": [0.01, float("nan")],
        "status": ["complete", "failed"],
    }
)


@pytest.fixture(scope="module")
def card(pipelines, evaluations, config, tmp_path_factory):
    pipeline = pipelines["binary"]
    secret = {"key": "AKIAEXAMPLE", "anon": False}
    settings = config.model_copy(update={"data": config.data.model_copy(update={"storage_options": secret})})
    manifest = {
        "name": "forest",
        "task": "binary",
        "target_column": "target",
        "raw_schema": pipeline.raw_schema.model_dump(mode="json"),
        "config": settings.model_dump(mode="json"),
        "library_versions": {"numpy": "2.5"},
        "engine": {"name": "native", "reason": "asked for"},
        "data_fingerprint": "f00d",
    }
    directory = tmp_path_factory.mktemp("card")
    return write_model_card(directory, manifest=manifest, evaluation=evaluations["binary"], leaderboard=LEADERBOARD)


@pytest.mark.parametrize("kind", ["model_card", "model_card_html"])
def test_write_model_card_tells_facts_and_no_secrets(kind, card):
    text = card[kind].read_text()
    for fact in ("80 rows", "f00d", "roc_auc", "numpy", "Size in metres", "holdout is small", "native engine"):
        assert fact in text
    without_images = re.sub(r"base64,[^\"]*", "", text)
    assert not re.search("hidden|AKIAEXAMPLE", without_images)


def test_write_model_card_html_is_self_contained_and_escaped(card):
    text = card["model_card_html"].read_text()
    sources = re.findall(r'<img[^>]* src="([^"]*)"', text)
    assert len(sources) == 8
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "<b>broken" not in text
    assert "&lt;b&gt;broken" in text


def test_write_model_card_markdown_images_of_plots_and_whole_tables(card):
    text = card["model_card"].read_text()
    assert "![leaderboard](plots/leaderboard.png)" in text
    assert card["plot_leaderboard"] == card["model_card"].parent / "plots" / "leaderboard.png"
    assert card["plot_leaderboard"].exists()
    assert "Weight \\| in &lt;kilograms>." in text


def test_write_model_card_bare_manifest_leaves_sections_out(evaluations, tmp_path):
    paths = write_model_card(tmp_path, manifest={}, evaluation=evaluations["regression"])
    assert "## Candidates" not in paths["model_card"].read_text()


def test_render_page_is_a_page_with_the_table():
    page = render_page("Leaderboard", [Section("", table=LEADERBOARD)], {}).decode()
    assert page.startswith("<!DOCTYPE html>")
    assert "<td>forest</td>" in page
