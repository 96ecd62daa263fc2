"""gunicorn's threaded worker with an orderly end, and without clients that hold it up."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.arbiter import Arbiter
from gunicorn.workers.gthread import ThreadWorker

from ml_project.serving.flask_app import BROKEN_BODY
from ml_project.serving.listening import BACKLOG, is_anyone_waiting, refuse_further

LAST_REQUEST_SECONDS = 1.0
"""Time that kept connections get for one more request when the service ends; its answer says that it is the last."""
_LOOK_SECONDS = 0.1
_LAST_WORDS_SECONDS = 0.5
_PIECE = 64 * 1024


class OrderlyArbiter(Arbiter):  # type: ignore[misc]  # gunicorn has no types
    """Ends the service without cutting off anyone who is connected."""

    def stop(self, graceful: bool = True) -> None:
        """Stop listening, then the workers."""
        for listener in self.LISTENERS:
            refuse_further(listener.sock)
        super().stop(graceful)

    def handle_hup(self) -> None:
        """Let every worker look at the model's file; new workers would start without a model if it is damaged."""
        self.kill_workers(signal.SIGHUP)


class OrderlyWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Accepts who is connected, answers, and closes idle connections when it ends."""

    def set_accept_enabled(self, enabled: bool) -> None:
        """Start or stop to accept connections; at the end, after the last one."""
        is_end = not enabled and not self.alive
        for listener in self.sockets if is_end else ():
            for _ in range(BACKLOG):
                if not is_anyone_waiting(listener.sock):
                    break
                self.accept(listener)
        super().set_accept_enabled(enabled)
        if is_end:
            self._leave()

    def _leave(self) -> None:
        """Stop listening, so that nobody waits for this worker, and let idle connections run out."""
        for listener in self.sockets:
            listener.close()
        end = time.monotonic() + LAST_REQUEST_SECONDS
        for connection in (*self.keepalived_conns, *self.pending_conns):
            connection.timeout = min(connection.timeout, end)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait for events, at the end never for long, because idle connections run out meanwhile."""
        super().wait_for_and_dispatch_events(timeout if self.alive else min(timeout, _LOOK_SECONDS))

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """Keep a connection whose answer did not say that it was the last one, as its client may be sending again."""
        if self.alive or fs.cancelled() or fs.exception() is not None or fs.result() is not True:
            super().finish_request(conn, fs)
            return
        self._await(conn, self.keepalived_conns, self.on_client_socket_readable, LAST_REQUEST_SECONDS)

    def enqueue_req(self, conn: Any) -> None:
        """Hand a connection to a thread when it has something to say; gunicorn would let the thread wait for that."""
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
        else:
            seconds = self.cfg.keepalive if self.alive else LAST_REQUEST_SECONDS
            self._await(conn, self.pending_conns, self.on_pending_socket_readable, seconds)

    def _await(self, conn: Any, waiting: Any, continue_with: Callable[..., None], seconds: float) -> None:
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + seconds
        waiting.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(continue_with, conn))

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        """Keep no connection of which nobody knows where the last body ends."""
        return bool(super()._keepalive_after(conn, keepalive and not conn.parser.mesg.should_close()))

    def handle(self, conn: Any) -> Any:
        """Handle a request; where the connection ends with it, say goodbye here and not in the thread that accepts.

        gunicorn would wait there for the client to close its side, for two seconds and with everybody else.
        """
        goes_on = super().handle(conn)
        if goes_on is False:
            _say_goodbye(conn.sock)
        return goes_on


def _say_goodbye(connection: socket.socket) -> None:
    """Let the client read the answer to its end: closing a socket with something unread resets the connection."""
    end = time.monotonic() + _LAST_WORDS_SECONDS
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        while (left := end - time.monotonic()) > 0:
            connection.settimeout(left)
            if not connection.recv(_PIECE):
                break
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)  # so that nobody waits for the client any more


def end_broken_connection(worker: Any, req: Any, environ: dict[str, Any], resp: Any) -> None:
    """Let a connection end with a request whose body was broken; gunicorn calls this after each request."""
    if environ.get(BROKEN_BODY):
        req.force_close()
