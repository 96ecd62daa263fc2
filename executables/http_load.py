"""Load on a server over kept connections, with as little work per request as Python allows."""

import selectors
import socket
import time
from dataclasses import dataclass

HEAD_END = b"\r\n\r\n"
WARM_UP_REQUESTS = 20


@dataclass(frozen=True)
class Load:
    """One request, sent again and again to a port of this machine."""

    port: int
    request: bytes


@dataclass(frozen=True)
class Latency:
    """Seconds of each request, sorted, and of all together."""

    seconds: list[float]
    total: float

    def quantiles(self) -> tuple[float, float, float]:
        """Return the median, and the 95th and 99th percentile."""
        last = len(self.seconds) - 1
        return tuple(self.seconds[round(share * last)] for share in (0.5, 0.95, 0.99))

    def per_second(self) -> float:
        """Return requests per second."""
        return len(self.seconds) / self.total


def once(port: int, request: bytes) -> bool:
    """Return whether a server answers a request with 200."""
    try:
        with connect(port) as connection:
            connection.sendall(request)
            return receive(connection).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def measure_latency(load: Load, seconds: float) -> Latency:
    """Send one request after the other for some seconds; an answer other than 200 ends the measurement."""
    with connect(load.port) as connection:
        for _ in range(WARM_UP_REQUESTS if seconds >= 1 else 2):
            connection.sendall(load.request)
            receive(connection)
        measured = []
        started = now = time.perf_counter()
        while now - started < seconds:
            connection.sendall(load.request)
            check(receive(connection))
            before, now = now, time.perf_counter()
            measured.append(now - before)
    return Latency(sorted(measured), now - started)


def measure_throughput(load: Load, concurrency: int, seconds: float) -> float:
    """Return the requests answered per second over several connections, each with one request under way."""
    selector = selectors.DefaultSelector()
    connections = [connect(load.port) for _ in range(concurrency)]
    for connection in connections:
        selector.register(connection, selectors.EVENT_READ)
        connection.sendall(load.request)
    answered = 0
    started = now = time.perf_counter()
    while now - started < seconds:
        for key, _ in selector.select(timeout=1):
            check(receive(key.fileobj))
            answered += 1
            key.fileobj.sendall(load.request)
        now = time.perf_counter()
    for connection in connections:
        connection.close()
    return answered / (now - started)


def connect(port: int) -> socket.socket:
    """Return a connection that sends at once."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def receive(connection: socket.socket) -> bytes:
    """Return a whole answer, as long as its head says."""
    content = connection.recv(262_144)
    while HEAD_END not in content:
        piece = connection.recv(262_144)
        if not piece:
            raise ConnectionError("the server closed the connection")
        content += piece
    head, _, body = content.partition(HEAD_END)
    place = head.lower().find(b"content-length:")
    missing = int(head[place + 15 :].split(b"\r\n", 1)[0]) - len(body)
    pieces = [content]
    while missing > 0:
        pieces.append(connection.recv(262_144))
        missing -= len(pieces[-1])
    return b"".join(pieces)


def check(answer: bytes) -> None:
    """Refuse an answer that is no success."""
    if not answer.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"unexpected answer: {answer[:2000]!r}")
