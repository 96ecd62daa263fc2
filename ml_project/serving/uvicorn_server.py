"""uvicorn with an orderly end: who is connected gets an answer, who connects later is refused."""

from __future__ import annotations

import asyncio
import os
import signal
import socket

from uvicorn import Config, Server
from uvicorn.supervisors import Multiprocess, multiprocess

from ml_project.serving.listening import is_anyone_waiting, refuse_further

LAST_REQUEST_SECONDS = 1.0
"""Time that kept connections get for one more request when the service ends; its answer says that it is the last."""
ACCEPT_SECONDS = 1.0
"""Longest time for accepting those who are connected already."""
_LOOK_SECONDS = 0.02


class OrderlyServer(Server):
    """Accepts who is connected, answers, and closes idle connections when it ends."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what uvicorn would cut off, then let it end."""
        if self.config.workers == 1:  # else the others go on accepting
            for listening in sockets or ():
                refuse_further(listening)
        await self._accept_last_connections(sockets or [])
        for server in self.servers:
            server.close()
        for listening in sockets or ():
            listening.close()
        await self._answer_last_requests()
        await super().shutdown(sockets)

    async def _accept_last_connections(self, sockets: list[socket.socket]) -> None:
        """Leave the event loop time to accept those who are connected."""
        loop = asyncio.get_running_loop()
        end = loop.time() + ACCEPT_SECONDS
        await asyncio.sleep(_LOOK_SECONDS)
        while any(map(is_anyone_waiting, sockets)) and loop.time() < end:
            await asyncio.sleep(_LOOK_SECONDS)

    async def _answer_last_requests(self) -> None:
        """Close connections with their next answer, or when none is asked for in time."""
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        loop = asyncio.get_running_loop()
        end = loop.time() + LAST_REQUEST_SECONDS
        while self.server_state.connections and loop.time() < end and not self.force_exit:
            await asyncio.sleep(_LOOK_SECONDS)


class OrderlyProcess(multiprocess.Process):
    """A worker process with such a server."""

    @property
    def server(self) -> Server:
        """Return the process's server."""
        if self._server is None:
            self._server = OrderlyServer(self.config)
        return self._server


class OrderlyWorkers(Multiprocess):
    """Several such processes on one socket."""

    def __init__(self, config: Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        # uvicorn starts processes in several places and has no other way to say of which class they are.
        multiprocess.Process = OrderlyProcess  # type: ignore[misc]

    def handle_hup(self) -> None:
        """Let every process look at the model's file; new ones would start without a model if it is damaged."""
        for worker in self.processes:
            if worker.pid is not None:
                os.kill(worker.pid, signal.SIGHUP)

    def terminate_all(self) -> None:
        """Stop listening, then the processes."""
        for listening in self.sockets:
            refuse_further(listening)
            listening.close()
        super().terminate_all()
