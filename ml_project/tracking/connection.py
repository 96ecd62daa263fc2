"""The connection to MLflow: its environment, a quick look whether the place answers, the client, the experiment."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ml_project.errors import TrackingError
from ml_project.tracking.places import TrackingPlace

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment

SECONDS_TO_ANSWER = 5
CHEAP_REQUEST = "/api/2.0/mlflow/experiments/get?experiment_id=0"
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
}
"""What MLflow is told before its first import, where the environment does not say otherwise: no telemetry, no
progress notes, no links on stdout, and 14 seconds instead of several minutes until it gives a server up."""


LIBRARY_WARNINGS: tuple[tuple[str, type[Warning]], ...] = (
    ("The ``noload`` loader strategy is deprecated", DeprecationWarning),
    (".*Any type hint is inferred as AnyType", UserWarning),
)
"""Warnings that MLflow causes by itself: its queries use what SQLAlchemy deprecates; its import warns of its types."""


def prepare_mlflow() -> None:
    """Set MLflow's environment variables that are not set, and silence the warnings that it causes by itself.

    To be called before MLflow is imported, and from the main thread, because all threads share the warning filters.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    for message, category in LIBRARY_WARNINGS:
        warnings.filterwarnings("ignore", message=message, category=category)


def connect(place: TrackingPlace) -> MlflowClient:
    """Return a client of a place that answers; a new SQLite file gets its tables, which takes some seconds.

    :func:`prepare_mlflow` must have been called.

    Raises
    ------
    TrackingError
        When the place does not answer within seconds, is locked or is something else.
    """
    try:
        from mlflow import MlflowClient
    except ImportError as error:
        raise TrackingError(
            "MLflow is not installed: install the packages for training, or set tracking.enabled to false to train "
            "without it."
        ) from error
    _check_answers(place)
    if place.database_file is None:
        return MlflowClient(place.uri, registry_uri=place.uri)
    with _one_at_a_time(place.database_file.parent):  # two runs that make the tables at once would both fail
        client = MlflowClient(place.uri, registry_uri=place.uri)
        client.search_experiments(max_results=1)
        return client


def find_experiment(client: MlflowClient, place: TrackingPlace, name: str) -> Experiment:
    """Return the experiment of a name, made where it does not exist.

    Raises
    ------
    TrackingError
        When it was deleted, or its artifacts lie in a folder that is gone because the database was moved.
    """
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        root = None if place.artifact_root is None else place.artifact_root.as_uri()
        return client.get_experiment(client.create_experiment(name, artifact_location=root))
    if experiment.lifecycle_stage != "active":
        raise TrackingError(
            f"The experiment {name!r} at {place.shown} is deleted; restore it with 'mlflow experiments restore "
            f"--experiment-id {experiment.experiment_id}', or choose another tracking.experiment."
        )
    _check_artifacts(experiment, place)
    return experiment


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Let other runs wait at this folder for the end of a with-block; a killed run holds nobody up."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _check_artifacts(experiment: Experiment, place: TrackingPlace) -> None:
    location = urlsplit(experiment.artifact_location)
    if place.artifact_root is None or location.scheme not in ("file", ""):
        return
    folder = Path(unquote(location.path))
    if folder != place.artifact_root and not folder.is_dir():
        raise TrackingError(
            f"The artifacts of the experiment {experiment.name!r} at {place.shown} are recorded under {folder}, "
            "which does not exist: MLflow stores absolute paths, and the project was moved. Move it back, choose "
            "another tracking.experiment, or start with a new database."
        )


def _check_answers(place: TrackingPlace) -> None:
    """Look whether the place answers, because MLflow itself would go on trying for minutes."""
    if place.database_file is not None:
        _check_sqlite(place.database_file)
    elif place.artifact_root is not None:
        _check_database(place)
    elif place.uri.startswith("http"):
        _check_server(place)


def _check_sqlite(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(file, timeout=SECONDS_TO_ANSWER, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute("ROLLBACK")
    except (sqlite3.Error, OSError) as error:
        raise TrackingError(
            f"The tracking database {file} cannot be written: {error}. End the program that locks it, "
            "check the file, or set tracking.tracking_uri to another one."
        ) from error


def _check_database(place: TrackingPlace) -> None:
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError

    try:
        engine = create_engine(place.uri)
        engine.connect().close()
        engine.dispose()
    except (SQLAlchemyError, ImportError) as error:
        raise TrackingError(
            f"The tracking database {place.shown} cannot be used: {error}. Start it or correct tracking.tracking_uri."
        ) from error


def _check_server(place: TrackingPlace) -> None:
    import requests

    try:
        answer = requests.get(f"{place.uri}{CHEAP_REQUEST}", timeout=SECONDS_TO_ANSWER)
    except requests.RequestException as error:
        raise TrackingError(
            f"The tracking server {place.shown} does not answer ({type(error).__name__}). Start it, correct "
            "tracking.tracking_uri, or set tracking.enabled to false to train without it."
        ) from error
    if answer.status_code == requests.codes.forbidden and "host header" in answer.text.lower():
        raise TrackingError(
            f"The tracking server {place.shown} refuses this host name; start it with --allowed-hosts "
            f"{urlsplit(place.uri).netloc.rpartition('@')[2]} (or MLFLOW_SERVER_ALLOWED_HOSTS)."
        )
