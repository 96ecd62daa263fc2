"""uvicorn's HTTP protocol with a shorter way for predictions, and fewer system calls for all answers.

A prediction takes less time than what lies around it in a server: a task, a scope and two messages per request. So a
small request that has arrived as a whole is answered without them, and together with those that were read in the same
turn of the event loop. All others go uvicorn's way.

Head and body go out together, and so do the answers of all connections that were read in one turn of the event loop:
sending wakes their receivers, which is the most expensive part of an answer where it happens for each one apart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol, cast
from weakref import WeakKeyDictionary

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HEADER_VALUE_RE, STATUS_LINE, HttpToolsProtocol

from ml_project.serving.messages import HttpAnswer, WholeRequest

FAILED = STATUS_LINE[500] + b"content-length: 0\r\nconnection: close\r\n\r\n"


class ShortWay(Protocol):
    """What can answer POST requests without ASGI."""

    def may_answer_at_once(self, n_bytes: int) -> bool:
        """Return whether a request with a body of so many bytes need not wait for anything."""

    def answer_at_once(self, asked: Sequence[WholeRequest]) -> list[tuple[HttpAnswer, Callable[[], None]]]:
        """Return the answers to requests, and what is to be done after each one."""


class Turn:
    """What ends a turn of the event loop: requests are answered, answers sent, then what belongs to them is done."""

    def __init__(self) -> None:
        self._has_end = False
        self._asked: list[tuple[GatheringProtocol, ShortWay, WholeRequest]] = []
        self._transports: list[GatheringTransport] = []
        self._work: list[Callable[[], None]] = []

    def ask(self, protocol: GatheringProtocol, short_way: ShortWay, request: WholeRequest) -> None:
        """Let a request be answered at the end of the turn, together with the others."""
        self._plan_end()
        self._asked.append((protocol, short_way, request))

    def send(self, transport: GatheringTransport) -> None:
        """Let a transport send at the end of the turn."""
        self._plan_end()
        self._transports.append(transport)

    def answer(self) -> None:
        """Answer now what was asked so far."""
        asked, self._asked = self._asked, []
        by_way: dict[ShortWay, list[tuple[GatheringProtocol, WholeRequest]]] = {}
        for protocol, short_way, request in asked:
            by_way.setdefault(short_way, []).append((protocol, request))
        for short_way, requests in by_way.items():
            answers = short_way.answer_at_once([request for _, request in requests])
            for (protocol, _), (answer, finish) in zip(requests, answers, strict=True):
                protocol.take_answer(answer)
                self._work.append(finish)

    def _plan_end(self) -> None:
        if not self._has_end:
            self._has_end = True
            asyncio.get_running_loop().call_soon(self._end)

    def _end(self) -> None:
        self._has_end = False
        self.answer()
        transports, self._transports = self._transports, []
        work, self._work = self._work, []
        for transport in transports:
            transport.flush()
        for what in work:
            what()


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, Turn] = WeakKeyDictionary()


class GatheringTransport:
    """A transport that sends together what is written within one turn of the event loop.

    Parameters
    ----------
    transport
        What sends.
    turn
        The turns of the event loop.
    """

    def __init__(self, transport: asyncio.Transport, turn: Turn) -> None:
        self._transport = transport
        self._turn = turn
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send some bytes at the end of the turn, if :meth:`flush` does not do so before."""
        if not self._pieces:
            self._turn.send(self)
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


class PatientFlow(FlowControl):
    """Reads nothing as long as whole requests wait, so that a client cannot fill the memory with them.

    Parameters
    ----------
    transport
        What reads.
    pipeline
        The requests of its connection that have not begun yet.
    """

    def __init__(self, transport: asyncio.Transport, pipeline: Collection[object]) -> None:
        super().__init__(transport)
        self._pipeline = pipeline

    def resume_reading(self) -> None:
        """Read again; the request under way needs nothing when another one lies behind it."""
        if not self._pipeline:
            super().resume_reading()


class GatheringProtocol(HttpToolsProtocol):
    """Speaks HTTP over such a transport, and answers at once what can be answered at once."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take a connection."""
        self._turn = _turns.setdefault(self.loop, Turn())
        self._held: list[bytes] | None = None
        self._has_asked = False
        self._is_asking = False
        super().connection_made(cast("asyncio.Transport", GatheringTransport(transport, self._turn)))
        self.flow = PatientFlow(self.transport, self.pipeline)
        self._short_paths: dict[bytes, str] = {} if self.root_path or self.access_log else _short_paths(self.app)

    def data_received(self, data: bytes) -> None:
        """Take bytes; a request of which a part is missing goes uvicorn's way."""
        self._finish_asked()
        self._has_asked = False
        super().data_received(data)
        if self._held is not None and not self.transport.is_closing():
            self._release()

    def on_headers_complete(self) -> None:
        """Begin a request, or hold it back until its body is there."""
        self._finish_asked()
        self._unset_keepalive_if_required()  # it is that of a request that came together with this one
        if self.url in self._short_paths and self._may_answer_at_once():
            self._held = []
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        if self._held is None:
            super().on_body(body)
        else:
            self._held.append(body)

    def on_message_complete(self) -> None:
        """Answer a request that was held back; others have begun already."""
        if self._held is not None:
            if self._ask(b"".join(self._held)):
                self._held = None
                return
            self._release()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Send the answer at once when there is no other request."""
        if len(self.tasks) <= 1:
            cast("GatheringTransport", self.transport).flush()
        super().on_response_complete()

    def _may_answer_at_once(self) -> bool:
        """Return whether nothing but the body decides about the next answer, and the connection stays as it is."""
        parser = self.parser
        return (
            not self._has_asked  # of many requests that come together the others shall not hold up the loop
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and (self.cycle is None or self.cycle.response_complete)
            and not self.flow.write_paused
            and len(self.server_state.default_headers) <= 1  # the date; with more to say, the service is ending
        )

    def _release(self) -> None:
        """Let a request that was held back go uvicorn's way."""
        held, self._held = self._held or [], None
        super().on_headers_complete()
        for piece in held:
            super().on_body(piece)

    def shutdown(self) -> None:
        """End the connection, with the answer that is asked for."""
        self._finish_asked()
        super().shutdown()

    def take_answer(self, answer: HttpAnswer) -> None:
        """Send the answer to the request that was asked."""
        self._is_asking = False
        try:
            self.transport.write(self._head(answer) + answer.body)
        except ValueError:
            self.logger.exception("The head of an answer to %s cannot be sent", self.url)
            self.transport.write(FAILED)
            self.transport.close()
        super().on_response_complete()

    def _ask(self, body: bytes) -> bool:
        """Return whether a request is answered at once."""
        short_way = self.app.short_way
        if short_way is None or not short_way.may_answer_at_once(len(body)):
            return False
        self._has_asked = self._is_asking = True
        self._turn.ask(self, short_way, (self._short_paths[self.url], self.headers, body))
        if len(self.connections) == 1:  # nobody else can ask in this turn
            self._turn.answer()
            cast("GatheringTransport", self.transport).flush()
        return True

    def _finish_asked(self) -> None:
        """Answer what was asked before what comes now."""
        if self._is_asking:
            self._turn.answer()

    def _head(self, answer: HttpAnswer) -> bytes:
        pieces = [STATUS_LINE[answer.status]]
        for name, value in (*self.server_state.default_headers, *answer.raw_headers()):
            if HEADER_VALUE_RE.search(value):
                raise ValueError(f"The header {name!r} cannot have the value {value!r}.")
            pieces += (name, b": ", value, b"\r\n")
        pieces.append(b"\r\n")
        return b"".join(pieces)


def _short_paths(app: Any) -> dict[bytes, str]:
    """Return the paths of an application to which there is a short way, as they stand in a request."""
    return {path.encode(): path for path in getattr(app, "short_paths", ())}
