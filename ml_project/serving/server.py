"""The service in the foreground: uvicorn for FastAPI, gunicorn for Flask, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml_project.config import Config
from ml_project.serving.listening import limit_waiting
from ml_project.serving.metrics import SHARED_FOLDER

if TYPE_CHECKING:
    from fastapi import FastAPI
    from flask import Flask

FLASK_THREADS = 8
MEMORY = Path("/dev/shm")  # noqa: S108
"""Where workers show that they are alive; on a disk, that can hang."""
KEEP_ALIVE_SECONDS = 75
"""Longer than the minute after which load balancers drop an idle connection, so that they never meet a closed one."""


def announce(config: Config, listening: socket.socket) -> None:
    """Say where the service answers."""
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    workers = "1 worker" if config.serving.workers == 1 else f"{config.serving.workers} workers"
    sys.stderr.write(f"Serving on http://{shown}:{port} ({config.serving.framework}, {workers}); /docs shows how\n")
    sys.stderr.flush()


def run_fastapi(app: FastAPI | str, config: Config, listening: socket.socket) -> None:
    """Run a FastAPI application, or one per worker by the name of its factory, until the process is told to end."""
    import uvicorn

    from ml_project.serving.uvicorn_protocol import GatheringProtocol
    from ml_project.serving.uvicorn_server import OrderlyServer, OrderlyWorkers

    settings = uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=config.serving.workers,
        loop="uvloop",
        http=GatheringProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # nothing here asks who the client is
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=config.serving.shutdown_seconds,
    )
    if config.serving.workers == 1:
        OrderlyServer(settings).run(sockets=[listening])
    else:
        OrderlyWorkers(settings, [listening]).run()


def run_flask(make_app: Callable[[], Flask], config: Config, listening: socket.socket) -> None:
    """Run a Flask application, made anew in each worker, until the process is told to end."""
    from gunicorn.app.base import BaseApplication

    from ml_project.serving.gunicorn_worker import OrderlyArbiter

    class Application(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
        """The service under gunicorn's management of processes."""

        def load_config(self) -> None:
            for name, value in _gunicorn_settings(config, listening).items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            return make_app()

    limit_waiting(listening, config.serving.max_body_seconds)
    OrderlyArbiter(Application()).run()


def _gunicorn_settings(config: Config, listening: socket.socket) -> dict[str, Any]:
    from ml_project.serving.gunicorn_worker import end_broken_connection

    return {
        "bind": f"fd://{listening.detach()}",  # gunicorn closes it
        "workers": config.serving.workers,
        "worker_class": "ml_project.serving.gunicorn_worker.OrderlyWorker",
        "threads": FLASK_THREADS,
        "keepalive": KEEP_ALIVE_SECONDS,
        "graceful_timeout": config.serving.shutdown_seconds,
        "logger_class": "ml_project.serving.gunicorn_logging.RootLogger",
        "worker_tmp_dir": str(MEMORY) if MEMORY.is_dir() else None,
        "control_socket_disable": True,
        "post_request": end_broken_connection,
    }


def share_metrics(config: Config, stack: ExitStack) -> None:
    """Let several worker processes count together until a stack closes."""
    if config.serving.workers == 1 or SHARED_FOLDER in os.environ:
        return
    import prometheus_client.values as prometheus

    folder = os.environ[SHARED_FOLDER] = tempfile.mkdtemp(prefix="ml_project_metrics_")
    # What was imported before knows nothing of the folder; forked workers would count for themselves and show nothing.
    prometheus.ValueClass = prometheus.get_value_class()  # type: ignore[no-untyped-call]
    stack.callback(in_this_process_only(lambda: shutil.rmtree(folder)))


def in_this_process_only(action: Callable[[], None]) -> Callable[[], None]:
    """Return an action that does nothing in forked processes, which unwind their parent's with-blocks at their end."""
    owner = os.getpid()
    return lambda: action() if os.getpid() == owner else None
