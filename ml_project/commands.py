"""What the commands do with a config: train, evaluate, predict; each prints its results and where they lie."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ml_project.config import MODELLING, SCORING, Config, Switches
from ml_project.config_sources import write_config
from ml_project.errors import ConfigError, Problem

if TYPE_CHECKING:
    from ml_project.evaluation.evaluate import Evaluation


def train_model(config: Config) -> None:
    """Train a leaderboard of models, export the best, evaluate and register it."""
    from ml_project.modelling.leaderboard_views import print_leaderboard
    from ml_project.modelling.training import train
    from ml_project.project_package import load_project

    require_switches(config, MODELLING)
    result = train(config, load_project())
    print_leaderboard(result.leaderboard)
    print_evaluation(
        f"Holdout ({result.evaluation.n_rows} rows) by the exported {result.artifact.manifest.name}", result.evaluation
    )
    engine = result.artifact.manifest.engine
    print(f"\nInference engine: {engine.name} ({engine.reason})")
    print_places(
        {
            "model": result.artifact.path,
            "model card": result.paths["model_card_html"],
            "leaderboard": result.paths["leaderboard_html"],
            "metrics": result.paths["metrics_json"],
            "plots": result.paths["plot_leaderboard"].parent,
        }
    )
    if result.tracking_problem is not None:
        raise result.tracking_problem
    for line in result.tracked.lines():
        print(line)
    registered = result.tracked.registration
    if registered is not None and registered.alias != "champion":
        print(f"Note: {result.artifact.path} holds this {registered.alias}, which predict uses from now on.")


def evaluate_model(config: Config) -> None:
    """Evaluate an exported model on data with known targets."""
    from ml_project.modelling.evaluating import evaluate_artifact
    from ml_project.project_package import load_project

    require_switches(config, SCORING)
    result = evaluate_artifact(config, load_project())
    print_evaluation(f"{result.rows_evaluated} by {result.artifact.manifest.name}", result.evaluation)
    print_places(result.paths)


def predict_table(config: Config) -> None:
    """Score a table with an exported model and write the predictions."""
    from ml_project.artifacts.loading import load_artifact
    from ml_project.prediction.batch import score_table
    from ml_project.project_package import load_feature_processes

    require_switches(config, SCORING)
    load = partial(load_artifact, config.artifacts.path, load_feature_processes())
    artifact = load()
    result = score_table(artifact, config, load)
    for warning in result.warnings:
        print(f"Unexpected in the table: {warning}")
    if result.n_rejected:
        print(f"{result.n_rejected:,} rows break the schema and were set aside.")
    print(f"{result.n_rows:,} rows scored by {artifact.manifest.name} (version {artifact.model_version}).")
    if result.sample is not None:
        from ml_project.evaluation.scored import evaluate_scored

        evaluation = evaluate_scored(artifact.pipeline, result.sample, config)
        which = "the" if result.sample.is_whole else f"{evaluation.n_rows:,} randomly drawn"
        print_evaluation(f"Against {which} known targets, some of which the model may have learned from", evaluation)
    print_places({**result.paths, "config": write_config(config, config.prediction.output.with_suffix(".config.yaml"))})


def require_switches(config: Config, wanted: Switches) -> None:
    """Refuse a config that is for another command.

    Raises
    ------
    ConfigError
        Naming each switch that differs.
    """
    problems = [
        Problem(f"this command needs {value!r}", name, value=getattr(config, name))
        for name, value in wanted._asdict().items()
        if getattr(config, name) != value
    ]
    if problems:
        raise ConfigError("The config is for another command; nothing was started.", problems)


def print_evaluation(title: str, evaluation: Evaluation) -> None:
    """Print metrics with their confidence intervals."""
    print(f"\n{title}, with {evaluation.level:.0%} confidence intervals:")
    for name, value in evaluation.metrics.items():
        interval = evaluation.intervals.get(name)
        ends = f"   {interval.low:9.4f} to {interval.high:.4f}" if interval else ""
        train = f"   training rows {evaluation.train_metrics[name]:.4f}" if name in evaluation.train_metrics else ""
        print(f"  {name:<18} {value:9.4f}{ends}{train}")
    for name, reason in evaluation.missing.items():
        print(f"  {name:<18} {'-':>9}   {reason}")


def print_places(paths: Mapping[str, Path]) -> None:
    """Print where files lie."""
    print("\nWhere everything lies:")
    for name, path in paths.items():
        print(f"  {name:<14} {path}")
