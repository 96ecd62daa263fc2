"""The web applications of this project, for servers that import them.

``uvicorn --factory ml_project.web:fastapi_app`` and ``gunicorn 'ml_project.web:flask_app()'`` take their config from
the environment: :data:`RESOLVED_CONFIG`, which ``python -m ml_project serve`` sets for the processes that it starts, or
else ``project_config.yaml`` and the variables of all fields; what these leave out comes from the artifact.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

from ml_project.artifacts.own_config import read_artifact_layer
from ml_project.config import LOCAL_PRODUCTION, Config
from ml_project.config_sources import load_config
from ml_project.project_package import load_feature_processes
from ml_project.serving.assembly import ServiceParts, assemble_service
from ml_project.serving.cloud_logging import STYLES
from ml_project.serving.json_logging import log_as_json
from ml_project.serving.process import settle
from ml_project.use_case_file import USE_CASE_FILE, load_use_case

if TYPE_CHECKING:
    from fastapi import FastAPI
    from flask import Flask

RESOLVED_CONFIG = "RESOLVED_ML_PROJECT_CONFIG"
"""Environment variable with a whole config as JSON."""


def fastapi_app() -> FastAPI:
    """Return the FastAPI application."""
    from ml_project.serving.fastapi_app import create_fastapi_app

    return create_fastapi_app(_assemble())


def flask_app() -> Flask:
    """Return the Flask application; the service is closed when the process ends."""
    import atexit

    from ml_project.serving.flask_app import create_flask_app

    parts = _assemble()
    atexit.register(parts.close)
    if _is_main_thread():
        signal.signal(signal.SIGHUP, lambda *_: parts.service.host.request_reload())
    return create_flask_app(parts)


def _assemble() -> ServiceParts:
    config = _config()
    log_as_json(STYLES[config.serving.log_style])
    if _is_main_thread():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is a model to look for
    parts = assemble_service(config, load_feature_processes())
    settle()
    return parts


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _config() -> Config:
    resolved = os.environ.get(RESOLVED_CONFIG)
    if resolved is not None:
        return Config.model_validate_json(resolved)
    if USE_CASE_FILE.exists():
        return load_config(load_use_case(USE_CASE_FILE, LOCAL_PRODUCTION), environment=os.environ)
    return load_config(environment=os.environ, read_artifact=read_artifact_layer)
