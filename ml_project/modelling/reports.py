"""The files of a training run for people: leaderboard, plots, tables, model card."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from ml_project.artifacts.loading import LoadedArtifact
from ml_project.errors import MlProjectError
from ml_project.evaluation.evaluate import Evaluation
from ml_project.evaluation.model_card import write_model_card
from ml_project.evaluation.writing import write_evaluation
from ml_project.modelling.leaderboard_views import render_leaderboard
from ml_project.safe_file import replace_file


@contextmanager
def readable_write_failures(directory: Path, remark: str) -> Iterator[None]:
    """Turn a full disk and its like within a with-block into an error that names the folder.

    Raises
    ------
    MlProjectError
        When something cannot be written; the remark says what is safe.
    """
    try:
        yield
    except OSError as error:
        raise MlProjectError(
            f"The reports in {directory} are incomplete: {error.strerror or error}; {remark}. Free some space or "
            "change evaluation.directory, and start again."
        ) from error


def write_reports(
    directory: Path, artifact: LoadedArtifact, evaluation: Evaluation, leaderboard: pd.DataFrame
) -> dict[str, Path]:
    """Write everything that a training run has found, and return the paths by what they are."""
    paths = write_evaluation(evaluation, directory)
    paths |= write_leaderboard(leaderboard, directory)
    paths |= write_model_card(
        directory, manifest=artifact.manifest.model_dump(mode="json"), evaluation=evaluation, leaderboard=leaderboard
    )
    return paths


def write_leaderboard(leaderboard: pd.DataFrame, directory: Path) -> dict[str, Path]:
    """Write the leaderboard as CSV and HTML."""
    paths = {"leaderboard": directory / "leaderboard.csv", "leaderboard_html": directory / "leaderboard.html"}
    replace_file(paths["leaderboard"], leaderboard.to_csv(index=False, lineterminator="\n").encode())
    replace_file(paths["leaderboard_html"], render_leaderboard(leaderboard))
    return paths
