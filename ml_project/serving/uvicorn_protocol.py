"""uvicorn's HTTP protocol with one system call per answer, where it takes two: head and body go out together.

And the answers of all connections that were read in one turn of the event loop go out one after the other in the next:
sending wakes their receivers, which is the most expensive part of an answer where it happens for each one apart.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class GatheringTransport:
    """A transport that sends together what is written within one turn of the event loop.

    Parameters
    ----------
    transport
        What sends.
    loop
        The event loop.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send some bytes with the next turn of the event loop, if :meth:`flush` does not do so before."""
        if not self._pieces:
            self._loop.call_soon(self.flush)
        self._pieces.append(data)

    def close(self) -> None:
        """Send what was written, and close."""
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        """Return what the transport has."""
        return getattr(self._transport, name)

    def flush(self) -> None:
        """Send what was written."""
        pieces, self._pieces = self._pieces, []
        if pieces and not self._transport.is_closing():
            self._transport.write(pieces[0] if len(pieces) == 1 else b"".join(pieces))


class GatheringProtocol(HttpToolsProtocol):
    """Speaks HTTP over such a transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take a connection."""
        super().connection_made(cast("asyncio.Transport", GatheringTransport(transport, self.loop)))

    def on_response_complete(self) -> None:
        """Send the answer at once when there is no other request."""
        if len(self.tasks) <= 1:
            cast("GatheringTransport", self.transport).flush()
        super().on_response_complete()
