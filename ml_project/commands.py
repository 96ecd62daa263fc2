"""What the commands do with a config: train, evaluate, predict; each prints its results and where they lie."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ml_project.config import Config


def train_model(config: Config) -> None:
    """Train a leaderboard of models, export the best, evaluate and register it."""
    from ml_project.modelling.leaderboard import print_leaderboard
    from ml_project.modelling.training import train
    from ml_project.project.parts import load_project

    result = train(config, load_project())
    print_leaderboard(result.leaderboard)
    print_evaluation(
        f"Holdout ({result.evaluation.n_rows} rows) by the exported {result.artifact.manifest.name}", result.evaluation
    )
    engine = result.artifact.manifest.engine
    print(f"Inference engine: {engine.name} ({engine.reason})")
    print_places(result.paths)
    for line in result.tracked.lines():
        print(line)


def evaluate_model(config: Config) -> None:
    """Evaluate an exported model on data with known targets."""
    from ml_project.modelling.evaluating import evaluate_artifact
    from ml_project.project.parts import load_project

    result = evaluate_artifact(config, load_project())
    print_evaluation(f"{result.rows_evaluated} by {result.artifact.manifest.name}", result.evaluation)
    print_places(result.paths)


def predict_table(config: Config) -> None:
    """Score a table with an exported model and write the predictions."""
    from ml_project.artifacts.loading import load_artifact
    from ml_project.modelling.evaluating import evaluate_predictions
    from ml_project.prediction.batch import score_table
    from ml_project.project.parts import load_project

    artifact = load_artifact(config.artifacts.path, load_project().processes)
    result = score_table(artifact.pipeline, config)
    print(f"{result.n_rows:,} rows scored by {artifact.manifest.name} (version {artifact.model_version}).")
    evaluation = evaluate_predictions(artifact, result, config)
    if evaluation is not None:
        print_evaluation("Against the known targets, which include rows of the training", evaluation)
    print_places(result.paths)


def print_places(paths: Mapping[str, Path]) -> None:
    """Print where files lie."""
    print("Where everything lies:")
    for name, path in paths.items():
        print(f"  {name:<14} {path}")
