"""The content of a model card: every sentence follows from the manifest or the evaluation."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ml_project.evaluation.card_limits import find_limits
from ml_project.evaluation.figures import FIGURES
from ml_project.evaluation.findings import Evaluation
from ml_project.evaluation.plots import number_text

_LEADERBOARD_COLUMNS = ("rank", "candidate", "metric", "mean", "std", "fit_seconds", "n_trials", "status")
_EXPLAINING = ("permutation_importance", "shap")


@dataclass(frozen=True)
class Section:
    """One part of a model card: paragraphs, points, a table, figures and preformatted text, in this order."""

    title: str
    paragraphs: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    table: pd.DataFrame | None = None
    figures: tuple[str, ...] = ()
    text: str | None = None


def make_sections(
    manifest: Mapping[str, Any],
    evaluation: Evaluation,
    leaderboard: pd.DataFrame | None,
    figures: Collection[str],
) -> list[Section]:
    """Return the sections of a model card in order.

    Parameters
    ----------
    manifest
        The artifact's manifest, without secrets.
    evaluation, leaderboard
        As for :func:`ml_project.evaluation.model_card.write_model_card`.
    figures
        Names of the figures that there are.
    """
    config = manifest.get("config") or {}
    drawn = [name for name in FIGURES if name in figures]
    measured = tuple(name for name in drawn if name not in (*_EXPLAINING, "leaderboard"))
    explained = tuple(name for name in drawn if name in _EXPLAINING)
    metrics, target, features = (_metric_columns(evaluation), *map(evaluation.tables.get, ("target", "features")))
    board, board_figure = _leaderboard_columns(leaderboard), _only("leaderboard", figures)
    sections = [
        Section("", (_summarise(manifest, evaluation),)),
        Section("Intended use", tuple(_intend(evaluation, config))),
        Section("How good it is", (_explain_metrics(evaluation),), (), metrics, measured),
        Section("What it relies on", _reliance(evaluation, config), figures=explained),
        Section("Data", (), tuple(_data_facts(manifest, evaluation, config)), target),
        Section("Features", table=features),
        Section("Candidates", _candidates(config), (), board, board_figure),
        Section("Limits", points=tuple(find_limits(manifest, evaluation, config))),
        Section("Engine and versions", tuple(_engine(manifest)), table=_versions(manifest)),
        Section("Configuration", text=json.dumps(config, indent=2, ensure_ascii=False) if config else None),
    ]
    return [section for section in sections if _has_content(section)]


def _has_content(section: Section) -> bool:
    parts = (section.paragraphs, section.points, section.figures, section.text)
    return any(parts) or (section.table is not None and not section.table.empty)


def _summarise(manifest: Mapping[str, Any], evaluation: Evaluation) -> str:
    name, value = evaluation.ranking
    kind = "a regression" if evaluation.classes is None else f"a {evaluation.task} classification"
    created = str(manifest.get("created_at", ""))[:10]
    made = f", made on {created}," if created else ""
    version = f" (version {manifest['version']})" if manifest.get("version") else ""
    found = f"{name} is {number_text(value)}" if name in evaluation.metrics else f"{name} is not defined"
    interval = evaluation.intervals.get(name)
    if interval is not None and pd.notna(interval.low):
        ends = f"{number_text(interval.low)} to {number_text(interval.high)}"
        found += f" ({evaluation.level:.0%} confidence interval {ends})"
    return (
        f"The model {manifest.get('name', '')}{version}{made} predicts {evaluation.target}, {kind}. "
        f"On {evaluation.n_rows:,} rows that it has not learned from, {found}."
    )


def _intend(evaluation: Evaluation, config: Mapping[str, Any]) -> Iterator[str]:
    if evaluation.classes is None:
        answer = "a number"
    elif evaluation.task == "binary":
        answer = f"one of {evaluation.classes[0]} and {evaluation.classes[1]}, with the probability of each"
    else:
        answer = f"one of {len(evaluation.classes)} classes, with the probability of each"
    source = (config.get("data") or {}).get("source", "the source named below")
    yield (
        f"For one row like those of {source} it answers with {answer}. It is meant for rows of the same origin; "
        "for others nothing is known of its quality."
    )
    yield (
        "Which decisions may rest on it, who is affected by a wrong one and who answers for it cannot be derived from "
        "data or configuration. Whoever puts the model to use states that here first."
    )


def _explain_metrics(evaluation: Evaluation) -> str:
    n_train = evaluation.n_train_rows
    compared = f"; train is measured on the {n_train:,} training rows" if n_train else ""
    return (
        f"Test is measured on {evaluation.n_rows:,} held-out rows, with {evaluation.level:.0%} percentile bootstrap "
        f"intervals{compared}. The file that was exported made these predictions."
    )


def _metric_columns(evaluation: Evaluation) -> pd.DataFrame | None:
    table = evaluation.tables.get("metrics")
    return None if table is None else table[[name for name in table if table[name].astype(str).str.len().any()]]


def _reliance(evaluation: Evaluation, config: Mapping[str, Any]) -> tuple[str, ...]:
    if evaluation.explanations is None:
        return ()
    rows = (config.get("evaluation") or {}).get("n_explained_rows", 100)
    return (
        "Permutation importance says how much of the ranking metric is lost when one feature is dealt to other rows. "
        f"SHAP values say how far a feature moves single predictions, for at most {rows} rows. Both describe the "
        "model, not causes; of features that go together, either may get the credit.",
    )


def _data_facts(manifest: Mapping[str, Any], evaluation: Evaluation, config: Mapping[str, Any]) -> Iterator[str]:
    data, splits = config.get("data") or {}, config.get("splits") or {}
    if data.get("source"):
        yield f"Source: {data['source']}"
    if manifest.get("data_fingerprint"):
        yield f"Fingerprint: {manifest['data_fingerprint']}"
    n_train = manifest.get("n_training_rows") or evaluation.n_train_rows
    yield f"Rows: {n_train:,} for training, {evaluation.n_rows:,} held out"
    if splits:
        yield f"Held out: {splits.get('strategy')} split, {splits.get('holdout_share', 0):.0%} of the rows"


def _candidates(config: Mapping[str, Any]) -> tuple[str, ...]:
    splits, modelling = config.get("splits") or {}, config.get("modelling") or {}
    if not splits or not modelling:
        return ()
    rule = {"best_mean": "the best mean", "one_standard_error": "the simplest within one standard error of the best"}
    chosen = rule.get(str(modelling.get("selection_rule")), modelling.get("selection_rule"))
    return (
        f"Scores are means over {splits.get('n_folds')} folds, repeated {splits.get('n_repeats')} times, as "
        f"scikit-learn gives them: more is better, losses are negative. Chosen by: {chosen}.",
    )


def _leaderboard_columns(leaderboard: pd.DataFrame | None) -> pd.DataFrame | None:
    if leaderboard is None:
        return None
    return leaderboard[[name for name in _LEADERBOARD_COLUMNS if name in leaderboard]]


def _only(name: str, figures: Collection[str]) -> tuple[str, ...]:
    return (name,) if name in figures else ()


def _engine(manifest: Mapping[str, Any]) -> Iterator[str]:
    engine = manifest.get("engine") or {}
    if engine:
        yield f"Predictions are computed by the {engine.get('name')} engine: {engine.get('reason')}"
    if manifest.get("git_commit"):
        commit, dirty, _ = manifest["git_commit"].partition("-dirty")
        yield f"Code: git commit {commit}" + (", with changes that were not committed" if dirty else "")


def _versions(manifest: Mapping[str, Any]) -> pd.DataFrame | None:
    versions = dict(manifest.get("library_versions") or {})
    if manifest.get("python"):
        versions = {"python": manifest["python"], **versions}
    return pd.DataFrame({"package": list(versions), "version": list(versions.values())}) if versions else None
