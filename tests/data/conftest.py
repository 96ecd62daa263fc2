"""Real servers for the sources: PostgreSQL, S3, and the part of Google Cloud Storage that reading needs."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from ml_project.config import DataConfig
from ml_project.data.sources import Source, open_source

PASSWORD = "s3cret-word"


@pytest.fixture
def opened() -> Callable[..., Source]:
    def open_with(source: Path | str, *, number_columns: tuple[str, ...] = (), **fields: Any) -> Source:
        return open_source(DataConfig(source=str(source), target_column="y", **fields), number_columns=number_columns)

    return open_with


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def postgres_binary(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    binary = str(found[-1]) if found else shutil.which(name)
    if binary is None:
        pytest.fail(
            f"PostgreSQL's {name!r} is missing; install the Debian package `postgresql` (apt-get install postgresql)"
        )
    return binary


def run_as_server(folder: Path, *command: str) -> None:
    """Run a command as a user other than root, which PostgreSQL refuses."""
    other_user = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
    subprocess.run([*other_user, *command], cwd=folder, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def postgres_address() -> Iterator[str]:
    """URL, without a driver, of a database in a private cluster with password authentication on loopback."""
    initdb, pg_ctl = postgres_binary("initdb"), postgres_binary("pg_ctl")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short, because the path of a Unix socket is limited
    cluster, port = folder / "cluster", free_port()
    (folder / "password").write_text(PASSWORD)
    if os.geteuid() == 0:
        for path in (folder, folder / "password"):
            shutil.chown(path, "postgres")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    settings = ("--auth=scram-sha-256", "--username=reader", "--encoding=UTF8", "--no-sync", "--no-instructions")
    try:
        run_as_server(folder, initdb, "-D", str(cluster), f"--pwfile={folder / 'password'}", *settings)
        log = str(folder / "log")
        run_as_server(folder, pg_ctl, "-D", str(cluster), "-w", "-l", log, "-o", options, "start")
        try:
            yield f"postgresql://reader:{PASSWORD}@127.0.0.1:{port}/postgres"
        finally:
            run_as_server(folder, pg_ctl, "-D", str(cluster), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    from moto.moto_server.threaded_moto_server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.fixture
def s3_options(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Storage options for the S3 server, with dummy credentials in the environment."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    options = {"client_kwargs": {"endpoint_url": s3_endpoint}}
    yield options
    with contextlib.suppress(ImportError):
        import s3fs

        s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def s3_bucket(s3_options: dict[str, Any]) -> Iterator[Callable[[str, bytes], str]]:
    """A function that stores an object in a bucket of its own and returns the object's address."""
    import boto3

    client = boto3.client("s3", endpoint_url=s3_options["client_kwargs"]["endpoint_url"], region_name="us-east-1")
    client.create_bucket(Bucket="tables")

    def put(key: str, content: bytes) -> str:
        client.put_object(Bucket="tables", Key=key, Body=content)
        return f"s3://tables/{key}"

    yield put
    for entry in client.list_objects_v2(Bucket="tables").get("Contents", []):
        client.delete_object(Bucket="tables", Key=entry["Key"])
    client.delete_bucket(Bucket="tables")
    client.close()


class GoogleStorageHandler(BaseHTTPRequestHandler):
    """The requests of Google Cloud Storage's JSON API that reading makes, for the server's ``objects`` by name."""

    server: GoogleStorageServer

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        found = re.fullmatch(r"(/download)?/storage/v1/b/tables(?:/o)?(?:/(?P<key>.+))?", address.path)
        key = unquote(found["key"] or "") if found else ""
        if found is None or (key and key not in self.server.objects):
            self.answer(404, json.dumps({"error": {"code": 404, "message": "not found"}}).encode())
        elif address.path.startswith("/download"):
            first, last = (int(part) for part in self.headers["Range"].removeprefix("bytes=").split("-"))
            content = self.server.objects[key]
            self.answer(206, content[first : last + 1], f"bytes {first}-{min(last, len(content) - 1)}/{len(content)}")
        elif key:
            self.answer(200, json.dumps(self.details(key)).encode())
        else:
            prefix = parse_qs(address.query).get("prefix", [""])[0]
            items = [self.details(name) for name in self.server.objects if name.startswith(prefix)]
            self.answer(200, json.dumps({"name": "tables", "items": items}).encode())

    def details(self, key: str) -> dict[str, str]:
        return {
            "name": key,
            "bucket": "tables",
            "size": str(len(self.server.objects[key])),
            "updated": "2024-01-01T00:00:00Z",
        }

    def answer(self, status: int, content: bytes, content_range: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *details: Any) -> None:
        """Stay silent."""


class GoogleStorageServer(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), GoogleStorageHandler)
        self.objects: dict[str, bytes] = {}


@pytest.fixture
def google_storage() -> Iterator[GoogleStorageServer]:
    server = GoogleStorageServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
