"""The command that serves predictions over HTTP until it is told to end."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING

from ml_project.commands import require_switches
from ml_project.config import LOCAL_PRODUCTION, Config
from ml_project.project_package import load_feature_processes
from ml_project.serving.cloud_logging import STYLES
from ml_project.serving.json_logging import log_as_json
from ml_project.web import RESOLVED_CONFIG, fastapi_app, flask_app

if TYPE_CHECKING:
    import socket


def serve_predictions(config: Config) -> None:
    """Answer prediction requests over HTTP, with FastAPI or Flask."""
    from ml_project.serving import server
    from ml_project.serving.json_logging import drop_unread_output
    from ml_project.serving.listening import listen

    require_switches(config, LOCAL_PRODUCTION)
    log_as_json(STYLES[config.serving.log_style])
    with ExitStack() as stack:
        stack.callback(drop_unread_output)
        listening = stack.enter_context(listen(config))
        server.share_metrics(config, stack)
        _follow_registry(config, stack)
        run = _prepare(config, listening)
        server.announce(config, listening)
        with suppress(KeyboardInterrupt):  # SIGTERM too; the server has ended in order when it lets them through
            run()


def _prepare(config: Config, listening: socket.socket) -> partial[None]:
    """Return what runs the server; without a usable file of a model, fail before anything answers."""
    from ml_project.serving import server
    from ml_project.serving.assembly import assemble_service

    needs_model = config.serving.model is None
    if config.serving.framework == "fastapi" and config.serving.workers == 1:
        from ml_project.serving.fastapi_app import create_fastapi_app
        from ml_project.serving.process import settle

        parts = assemble_service(config, load_feature_processes(), needs_model=needs_model)
        app = create_fastapi_app(parts)
        settle()
        return partial(server.run_fastapi, app, config, listening)
    if needs_model:
        from ml_project.artifacts.container import read_container

        # Not loaded here: ONNX Runtime starts threads, which do not survive the fork of a worker.
        read_container(config.artifacts.path)
    os.environ[RESOLVED_CONFIG] = config.model_dump_json()
    if config.serving.framework == "fastapi":
        return partial(server.run_fastapi, f"{fastapi_app.__module__}:{fastapi_app.__name__}", config, listening)
    return partial(server.run_flask, flask_app, config, listening)


def _follow_registry(config: Config, stack: ExitStack) -> None:
    """Start the process that copies the registry's model to the file that is served, where there is one to follow."""
    if config.serving.model is None:
        return
    from ml_project.serving.assembly import model_file
    from ml_project.serving.registry_follower import start_follower
    from ml_project.serving.server import in_this_process_only

    follower = start_follower(
        config.serving.model,
        tracking_uri=config.tracking.tracking_uri,
        destination=model_file(config),
        check_seconds=config.serving.model_check_seconds,
    )
    stack.callback(in_this_process_only(follower.close))
