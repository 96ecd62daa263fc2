"""Send a service whatever a broken or hostile client could send, and judge each answer.

    python executables/fuzz_service.py --requests 20000

Both services, FastAPI and Flask, are started and get the same requests: records with mutated values, random JSON, cut
off and mixed up bodies, deep nesting, huge numbers, broken CSV and tensors, broken heads and chunks. No answer may be a
failure of the service (5xx), come late, or show anything of the service's inside, and both must answer alike. The first
request that breaks this is made as small as possible and shown.
"""

import argparse
import collections
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from pydantic_core import from_json

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from fuzz_requests import Request, requests_to

from deployment.deployer.words import configured_artifact

REPOSITORY = Path(__file__).resolve().parent.parent
HANG_SECONDS = 30
EXPECTED = {200, 202, 400, 401, 404, 405, 413, 415, 422, 431}
EXPECTED_OF_A_BROKEN_HEAD = {*EXPECTED, 417, 501}
"""501 is what HTTP wants for an unknown transfer coding."""
INSIDE = re.compile(
    rb"Traceback|File \"|\.py\b|site-packages|/home/|/usr/|/tmp/|"
    + re.escape(str(REPOSITORY)).encode()
    + rb"|\b(?!Inference)[A-Z][A-Za-z]+(?:Error|Exception)\b"
)
"""What would tell a client how the service is made; the requests hold nothing of the kind, nor do the schemas."""
IDENTIFIER = re.compile(rb'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16}(?=[".])')


class WrongAnswerError(AssertionError):
    """An answer that a service must not give."""


@dataclass
class Target:
    """A service under fire.

    Attributes
    ----------
    name
        In messages.
    port
        On this machine.
    statuses
        Number of answers by status; 0 counts connections that were closed without one.
    slowest
        Seconds of the slowest answer.
    """

    name: str
    port: int
    statuses: collections.Counter = field(default_factory=collections.Counter)
    slowest: float = 0.0
    connection: socket.socket | None = None

    def send(self, request: Request) -> tuple[int, bytes]:
        """Send a request and return the status and body of its answer; ``(0, b"")`` where there is none."""
        started = time.monotonic()
        try:
            answer = self._exchange(request)
        except TimeoutError:
            raise WrongAnswerError(f"{self.name} does not answer") from None
        finally:
            self.slowest = max(self.slowest, time.monotonic() - started)
        self.statuses[answer[0]] += 1
        return answer

    def close(self) -> None:
        """Close the connection."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def _exchange(self, request: Request) -> tuple[int, bytes]:
        if self.connection is None:
            self.connection = socket.create_connection(("127.0.0.1", self.port), timeout=HANG_SECONDS)
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        goes_on = False
        try:
            self.connection.sendall(request.content)
            if request.is_last:
                self.connection.shutdown(socket.SHUT_WR)
            status, body, goes_on = receive(self.connection, is_head=request.content.startswith(b"HEAD "))
        except TimeoutError:
            raise
        except OSError:  # the server has closed, perhaps while it was sent to
            return 0, b""
        finally:
            if request.is_last or not goes_on:
                self.close()
        return status, body


def receive(connection: socket.socket, *, is_head: bool) -> tuple[int, bytes, bool]:
    """Return status and body of an answer, and whether the connection goes on."""
    content = b""
    while b"\r\n\r\n" not in content:
        piece = connection.recv(262_144)
        if not piece:
            return 0, b"", False
        content = (content + piece).removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    head, _, body = content.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    if length is None:
        raise WrongAnswerError(f"an answer does not say how long it is: {head!r}")
    while not is_head and len(body) < int(length[1]):
        body += connection.recv(262_144)
    closes = re.search(rb"\r\nconnection: *close", head, re.IGNORECASE) or head.startswith(b"HTTP/1.0")
    return int(head.split(b" ", 2)[1]), body, not closes


def judge(request: Request, target: Target, status: int, body: bytes) -> None:
    """Refuse an answer that must not be."""
    found = INSIDE.search(body)
    if found:
        raise WrongAnswerError(f"{target.name} shows its inside, {found[0]!r}, in {status} {body[:500]!r}")
    if status == 0 and (request.is_http and not request.is_last):
        raise WrongAnswerError(f"{target.name} closes the connection without an answer")
    if status and status not in (EXPECTED if request.is_http else EXPECTED_OF_A_BROKEN_HEAD):
        raise WrongAnswerError(f"{target.name} answers {status} {body[:500]!r}")
    if request.is_http and status >= 400 and body:
        error = from_json(body).get("error")
        if not isinstance(error, str) and (not error or set(error) != {"code", "message", "details"}):
            raise WrongAnswerError(f"{target.name} answers {status} with another form of error: {body[:500]!r}")


def send(request: Request, targets: Sequence[Target]) -> None:
    """Send a request to all targets, which must answer alike.

    Raises
    ------
    WrongAnswerError
        When an answer must not be, or differs.
    """
    answers = []
    for target in targets:
        status, body = target.send(request)
        judge(request, target, status, body)
        answers.append((status, IDENTIFIER.sub(b"...", body)))
    if request.is_http and not request.is_last and request.is_comparable and len(set(answers)) > 1:
        told = "; ".join(f"{target.name}: {answer}" for target, answer in zip(targets, answers, strict=True))
        raise WrongAnswerError(f"the services answer differently: {told[:2000]}")


def fuzz(targets: Sequence[Target], example: dict, *, n_requests: int, number: int) -> None:
    """Send many requests.

    Parameters
    ----------
    targets
        The services.
    example
        A valid record.
    n_requests
        How many requests each gets.
    number
        Seed of the requests.

    Raises
    ------
    WrongAnswerError
        With the smallest request that breaks a rule.
    """

    @seed(number)
    @settings(
        max_examples=n_requests,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(requests_to(example))
    def send_to_all(request: Request) -> None:
        try:
            send(request, targets)
        except WrongAnswerError as error:
            raise WrongAnswerError(f"{error}\nto {request!r}") from None

    try:
        send_to_all()
    finally:
        for target in targets:
            target.close()


@contextmanager
def service(framework: str, artifact: Path, folder: Path) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """Run a service on a free port and yield the port and the process."""
    log = (folder / f"{framework}.log").open("w+", encoding="utf-8")
    command = [
        sys.executable, "-m", "ml_project", "serve", "--framework", framework, "--port", "0",
        "--artifacts.path", str(artifact), "--serving.log_requests", "false", "--serving.max_body_bytes", "1000000",
        "--monitoring.storage.url", f"sqlite:///{folder}/{framework}.db",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=folder, stderr=log, text=True)
    try:
        yield wait_for_port(process, Path(log.name)), process
    finally:
        process.terminate()
        process.wait(60)
        log.close()


def wait_for_port(process: subprocess.Popen[str], log: Path) -> int:
    """Return the port that a starting service says."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"Serving on http://127\.0\.0\.1:(\d+)", log.read_text(encoding="utf-8"))
        if found:
            return int(found[1])
        time.sleep(0.05)
    raise SystemExit(f"the service did not start:\n{log.read_text(encoding='utf-8')}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz both services as the command line says, and return 1 when one of them gave a wrong answer."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--requests", type=int, default=20_000, help="requests to each service [%(default)s]")
    parser.add_argument("--seed", type=int, default=0, help="of the requests [%(default)s]")
    parser.add_argument("--artifact", type=Path, help="default: the project's")
    options = parser.parse_args(arguments)
    artifact = options.artifact or configured_artifact(os.environ)
    started = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fuzz_")))
        targets = []
        for framework in ("fastapi", "flask"):
            port, _ = stack.enter_context(service(framework, artifact.resolve(), folder))
            targets.append(Target(framework, port))
        try:
            fuzz(targets, read_example(targets[0].port), n_requests=options.requests, number=options.seed)
        except WrongAnswerError as error:
            print(error, file=sys.stderr)
            return 1
        lost = [read_metric(target.port, "ml_project_lost_predictions_total") for target in targets]
    for target, n_lost in zip(targets, lost, strict=True):
        report(target, n_lost)
    print(f"{time.monotonic() - started:.0f} seconds")
    return 1 if any(lost) else 0


def read_example(port: int) -> dict:
    """Return the valid record that a service shows."""
    return from_json(ask(port, "/schema"))["examples"][0]


def read_metric(port: int, name: str) -> float:
    """Return one of a service's numbers."""
    found = re.search(rf"^{name} (\S+)", ask(port, "/metrics").decode(), re.MULTILINE)
    assert found is not None
    return float(found[1])


def ask(port: int, path: str) -> bytes:
    """Return the body of a page."""
    with socket.create_connection(("127.0.0.1", port), timeout=HANG_SECONDS) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: fuzz\r\n\r\n".encode())
        return receive(connection, is_head=False)[1]


def report(target: Target, n_lost: float) -> None:
    """Print what came back."""
    counts = ", ".join(f"{status or 'closed'}: {count:,}" for status, count in sorted(target.statuses.items()))
    print(f"{target.name}: {target.statuses.total():,} requests ({counts})")
    print(f"  slowest answer {target.slowest:.2f} s, predictions answered but not stored {n_lost:.0f}")


if __name__ == "__main__":
    sys.exit(main())
