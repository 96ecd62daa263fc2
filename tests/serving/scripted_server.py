"""A real server that answers as a test tells it to, and remembers what it was asked."""

import contextlib
import json
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Seen:
    """One request."""

    method: str
    path: str
    headers: dict
    content: object
    connection: tuple


@dataclass
class Script:
    """What a server does: ``answers`` one after another, the last one for ever.

    An answer is ``(status, JSON value or bytes, headers)``, ``"hang"`` or ``"drop"``.
    """

    answers: list
    url: str = ""
    seen: list = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def next(self):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextlib.contextmanager
def scripted_server(*answers):
    """Yield the script of a server that runs within a with-block."""
    script = Script(list(answers))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self):
            self._answer()

        do_POST = do_GET  # noqa: N815

        def _answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            content = json.loads(body) if body else None
            seen = Seen(self.command, self.path, dict(self.headers), content, self.client_address)
            script.seen.append(seen)
            answer = script.next()
            answer = answer(seen) if callable(answer) else answer
            if answer == "hang":
                script.released.wait()
            if isinstance(answer, str):
                self.close_connection = True
                return
            status, value, *headers = answer
            payload = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            for name, text in (headers[0] if headers else {}).items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield script
    finally:
        script.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def echo(seen):
    """Answer each record with its age as the value, as the service would with one record or several."""
    if isinstance(seen.content, dict):
        return 200, {"prediction_id": "0", "value": seen.content["age"]}
    answers = [{"prediction_id": str(row), "value": record["age"]} for row, record in enumerate(seen.content)]
    return 200, {"predictions": answers}


def refusal(status, code, message, *details):
    """Return an answer that says what is wrong as the service would."""
    return status, {"error": {"code": code, "message": message, "details": list(details)}}


def unused_port():
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
