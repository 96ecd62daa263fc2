"""The contract in a cloud's function: loaded once at its start, and with nothing left to do when an answer is given.

A function is frozen between two requests, perhaps for good. So there is no thread that looks for new models, each line
of the log is written before the answer is returned, and where predictions are stored, answers are to wait for it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from ml_project.artifacts.own_config import artifact_layer
from ml_project.config import Config
from ml_project.config_sources import load_config
from ml_project.errors import ConfigError, Problem
from ml_project.monitoring.storage import PredictionStorage
from ml_project.project_package import load_feature_processes
from ml_project.serving.api import HttpApi
from ml_project.serving.cloud_logging import STYLES, LogStyle
from ml_project.serving.contract import PredictionContract
from ml_project.serving.json_logging import log_as_json
from ml_project.serving.metrics import ServiceMetrics
from ml_project.serving.model_host import ModelHost
from ml_project.serving.process import settle
from ml_project.serving.request_log import RequestLog
from ml_project.serving.service import PredictionService


def deployed_api(
    artifact: Path, *, log_style: LogStyle = "json", environment: Mapping[str, str] = os.environ
) -> HttpApi:
    """Return what answers the requests of a cloud's function; its model is loaded and has predicted.

    Parameters
    ----------
    artifact
        File of the exported model.
    log_style
        Form of the log: the service's own, Google Cloud's or AWS'. Lines go to stderr.
    environment
        Its variables ``ML_PROJECT_SERVING__*`` count. Predictions are stored where it has
        ``ML_PROJECT_MONITORING__STORAGE__URL``, and not otherwise.

    Raises
    ------
    ArtifactError
        When the artifact cannot be used.
    ConfigError
        When a variable is wrong, or the storage's packages are missing.
    """
    shape = STYLES[log_style]
    log_as_json(shape)
    metrics = ServiceMetrics()
    processes = load_feature_processes()
    host = ModelHost(artifact, processes, on_event=lambda event: metrics.model_events.labels(event.kind).inc())
    layer = artifact_layer(host.load().manifest, artifact)
    config = load_config(environment=environment, read_artifact=lambda _path: layer)
    service = PredictionService(
        host,
        storage=_start_storage(config, metrics, environment),
        metrics=metrics,
        max_batch_rows=config.serving.max_batch_rows,
    )
    routes = PredictionContract(service, config.serving).routes()
    request_log = RequestLog(shape=shape, seconds_between_writes=0)
    api = HttpApi(routes, config.serving, metrics, request_log=request_log)
    settle()
    return api


def _start_storage(config: Config, metrics: ServiceMetrics, environment: Mapping[str, str]) -> PredictionStorage | None:
    """Return the storage that the environment asks for, whose answers wait for it."""
    wanted = config.monitoring.storage
    if wanted is None or "ML_PROJECT_MONITORING__STORAGE__URL" not in environment:
        return None
    if find_spec("sqlalchemy") is None:
        problem = Problem("needs the packages of the category store; deploy them too", "monitoring.storage.url")
        raise ConfigError("Predictions cannot be stored here; nothing was started.", [problem])
    storage = PredictionStorage(wanted.model_copy(update={"durable": True}), on_loss=metrics.count_loss)
    storage.start()
    return storage
