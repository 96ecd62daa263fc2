"""The whole estimator of a candidate: feature engineering, preprocessing and model in one pipeline, fitted as one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from typing import Any, NoReturn

from sklearn.base import BaseEstimator

from ml_project.config import ComputeConfig, Config, Task
from ml_project.errors import ConfigError, FeatureError, ModellingError, Problem
from ml_project.feature_engineering.engineering import FeatureEngineering
from ml_project.feature_engineering.selection import select_processes
from ml_project.modelling.candidates import Candidate, Device, FitSettings
from ml_project.modelling.fitting import reason
from ml_project.modelling.project_parts import Project
from ml_project.preprocessing.steps import build_preprocessing
from ml_project.suggestions import suggest


def build_features(config: Config, project: Project) -> FeatureEngineering:
    """Return the unfitted feature engineering that a config describes.

    Raises
    ------
    ConfigError
        When a column or process is unknown or is the target.
    """
    problems = [
        Problem(f"is no column of the schema{suggest(column, project.schema.names)}", "features.columns", value=column)
        for column in config.features.columns
        if column not in project.schema.names
    ]
    if problems:
        raise ConfigError("The features cannot be built; nothing was started.", problems)
    try:
        processes = select_processes(project.processes, config.features.processes)
    except FeatureError as error:
        raise ConfigError("The features cannot be built; nothing was started.", _of_processes(error)) from error
    return FeatureEngineering(processes, project.schema, config.features.columns, config.data.target_column)


def _of_processes(error: FeatureError) -> list[Problem]:
    return [Problem(problem.problem, "features.processes", value=problem.field) for problem in error.problems]


def build_estimator(
    candidate: Candidate, parameters: Mapping[str, Any], config: Config, project: Project, settings: FitSettings
) -> Any:
    """Return an unfitted pipeline from raw data to predictions.

    Parameters
    ----------
    candidate
        The model.
    parameters
        Its hyper-parameters; those not named keep the candidate's defaults.
    config, project
        What the steps before the model are made of.
    settings
        What the model needs to know of the run.
    """
    from imblearn.pipeline import Pipeline

    features = build_features(config, project)
    steps = build_preprocessing(config.preprocessing, features.kinds, task=settings.task, seed=settings.seed)
    return Pipeline([("features", features), *steps, ("model", _build_model(candidate, parameters, settings))])


def check_preprocessing(config: Config, project: Project) -> None:
    """Refuse preprocessing steps that do not go together, as far as that is known before the data is read.

    Raises
    ------
    ConfigError
        Naming the steps.
    """
    task = "binary" if config.modelling.task == "auto" else config.modelling.task
    build_preprocessing(config.preprocessing, build_features(config, project).kinds, task=task, seed=0)


class UnbuildableModel(BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """Stands for a model that could not be built, so that its candidate fails like one that cannot be fitted.

    Parameters
    ----------
    reason
        Why it could not be built.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def fit(self, X: Any, y: Any) -> NoReturn:
        """Raise what prevented the building."""
        raise ModellingError(f"the model cannot be built: {self.reason}")


def _build_model(candidate: Candidate, parameters: Mapping[str, Any], settings: FitSettings) -> Any:
    try:
        return candidate.build(settings).set_params(**parameters)
    except Exception as error:  # noqa: BLE001  a candidate that fails must not stop the others
        return UnbuildableModel(reason(error))


def fit_settings(config: Config, task: Task) -> FitSettings:
    """Return what estimators need to know of a run."""
    return FitSettings(task, resolve_device(config.compute), config.compute.seed, config.compute.n_threads)


def resolve_device(compute: ComputeConfig) -> Device:
    """Return the device to fit on: ``auto`` takes a GPU where the driver lists one.

    Raises
    ------
    ConfigError
        When a GPU is asked for and there is none.
    """
    if compute.device == "cpu":
        return "cpu"
    if _gpu_is_listed():
        return "gpu"
    if compute.device == "auto":
        return "cpu"
    problem = Problem("the NVIDIA driver (nvidia-smi) lists no GPU; choose cpu or auto", "compute.device", value="gpu")
    raise ConfigError("There is no GPU to fit on; nothing was started.", [problem])


def _gpu_is_listed() -> bool:
    command = shutil.which("nvidia-smi")
    if command is None:
        return False
    listing = subprocess.run([command, "--list-gpus"], capture_output=True, text=True, check=False)  # noqa: S603  found on PATH
    return listing.returncode == 0 and "GPU" in listing.stdout
