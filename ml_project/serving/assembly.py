"""The service of a config, put together: model, storage, metrics, contract."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_project.config import Config
from ml_project.errors import ArtifactError
from ml_project.feature_engineering.process import FeatureProcess
from ml_project.monitoring.storage import PredictionStorage
from ml_project.serving.adapters.google_trace import PROJECT_VARIABLE, log_fields
from ml_project.serving.api import HttpApi
from ml_project.serving.cloud_logging import STYLES
from ml_project.serving.contract import PredictionContract
from ml_project.serving.metrics import ServiceMetrics
from ml_project.serving.model_host import ModelHost
from ml_project.serving.request_log import RequestLog
from ml_project.serving.service import PredictionService

_LOG = logging.getLogger("ml_project.serving")


@dataclass(frozen=True)
class ServiceParts:
    """What a web application needs.

    Attributes
    ----------
    api
        Answers requests.
    contract
        Its routes, and the OpenAPI document.
    service
        What predicts.
    """

    api: HttpApi
    contract: PredictionContract
    service: PredictionService

    def close(self) -> None:
        """Write what is not stored or logged yet, and stop looking for new models."""
        self.service.close()
        self.api.close()


def model_file(config: Config) -> Path:
    """Return the file that is served: the artifact of the config, or where the registry's model is copied to."""
    address = config.serving.model
    if address is None:
        return config.artifacts.path
    name = address.removeprefix("models:/").replace("/", "@")
    return config.artifacts.path.with_name(f"{config.artifacts.path.stem}.{name}.zip")


def assemble_service(config: Config, processes: Sequence[FeatureProcess], *, needs_model: bool = False) -> ServiceParts:
    """Return the service that a config describes; its model is loaded and watched.

    Parameters
    ----------
    config
        Its sections ``artifacts``, ``serving`` and ``monitoring`` count.
    processes
        The feature processes of this code.
    needs_model
        Whether to fail without a usable model, instead of waiting for one.

    Raises
    ------
    ArtifactError
        When a model is needed and cannot be had.
    """
    metrics = ServiceMetrics()
    host = ModelHost(
        model_file(config),
        processes,
        check_seconds=config.serving.model_check_seconds,
        on_event=lambda event: metrics.model_events.labels(event.kind).inc(),
    )
    try:
        host.load()
    except ArtifactError as error:
        if needs_model:
            raise
        _LOG.warning("No model yet, so requests are answered with 503: %s", error)
    host.watch()
    stored = config.monitoring.storage
    storage = None if stored is None else PredictionStorage(stored, on_loss=metrics.count_loss)
    if storage is not None:
        storage.start()
    service = PredictionService(host, storage=storage, metrics=metrics, max_batch_rows=config.serving.max_batch_rows)
    contract = PredictionContract(service, config.serving)
    has_room = None if storage is None else storage.has_room
    style = config.serving.log_style
    api = HttpApi(
        contract.routes(),
        config.serving,
        metrics,
        has_room=has_room,
        request_log=RequestLog(shape=STYLES[style]),
        read_log_fields=_google_fields if style == "google" else None,
    )
    return ServiceParts(api, contract, service)


def _google_fields(headers: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the trace of a request, by which Cloud Logging joins its lines."""
    return log_fields(headers, os.environ.get(PROJECT_VARIABLE))
