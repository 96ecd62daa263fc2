"""Ask the service in this image whether it is ready; with ``--start`` first start it, and let it answer an example.

Without options it is the image's health check, which is run twice a minute: it imports as little as it can.
"""

import os
import socket
import sys

SECONDS = 4


def ask(request: bytes) -> bytes:
    """Return the answer of the service on this machine to a request, or raise ``OSError``."""
    port = int(os.environ.get("PORT") or 8000)
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        connection.sendall(request)
        pieces = []
        while piece := connection.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


def is_ready() -> bool:
    """Return whether the service has a model."""
    try:
        answer = ask(b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    except OSError:
        return False
    return answer.startswith(b"HTTP/1.1 200 ")


def try_out() -> None:
    """Start the service, let it answer the artifact's example, end it; exit with a message if any of it fails."""
    import subprocess
    import time
    import zipfile

    service = subprocess.Popen([sys.executable, "-m", "ml_project", "serve", "--port", "8000"])
    deadline = time.monotonic() + 120
    try:
        while not is_ready():
            if service.poll() is not None or time.monotonic() > deadline:
                sys.exit("The service did not start; its log is above.")
            time.sleep(0.1)
        with zipfile.ZipFile(os.environ["ML_PROJECT_ARTIFACTS__PATH"]) as artifact:
            example = artifact.read("example.json")
        head = "POST /predict HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
        answer = ask(f"{head}Content-Length: {len(example)}\r\n\r\n".encode() + example)
        if not answer.startswith(b"HTTP/1.1 200 "):
            sys.exit(f"The service did not answer the artifact's example with 200: {answer!r}")
    finally:
        service.terminate()
    if service.wait(60) != 0:
        sys.exit(f"The service ended with exit code {service.returncode}.")


if __name__ == "__main__":
    if sys.argv[1:] == ["--start"]:
        try_out()
    else:
        sys.exit(not is_ready())
