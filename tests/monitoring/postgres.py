"""A PostgreSQL server of the tests' own, which can be stopped, frozen and started again."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

PASSWORD = "s3cret-word"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def postgres_binary(name):
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    binary = str(found[-1]) if found else shutil.which(name)
    if binary is None:
        pytest.fail(
            f"PostgreSQL's {name!r} is missing; install the Debian package `postgresql` (apt-get install postgresql)"
        )
    return binary


class PostgresServer:
    """A cluster with password authentication on loopback."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short, because the path of a Unix socket is limited
        self.port = free_port()
        self.url = f"postgresql://writer:{PASSWORD}@127.0.0.1:{self.port}/postgres"
        (self.folder / "password").write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (self.folder, self.folder / "password"):
                shutil.chown(path, "postgres")
        settings = ("--auth=scram-sha-256", "--username=writer", "--encoding=UTF8", "--no-sync", "--no-instructions")
        self.run("initdb", "-D", "cluster", f"--pwfile={self.folder / 'password'}", *settings)

    def start(self):
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} -c fsync=off"
        self.run("pg_ctl", "-D", "cluster", "-w", "-l", "log", "-o", options, "start")

    def stop(self):
        self.run("pg_ctl", "-D", "cluster", "-w", "-m", "immediate", "stop")

    def signal_all(self, number):
        """Send a signal to the server and its children."""
        main = int((self.folder / "cluster/postmaster.pid").read_text().split()[0])
        children = subprocess.run(["pgrep", "-P", str(main)], capture_output=True, text=True, check=True).stdout
        for pid in [*children.split(), main]:
            os.kill(int(pid), number)

    def freeze(self):
        self.signal_all(signal.SIGSTOP)

    def thaw(self):
        self.signal_all(signal.SIGCONT)

    def run(self, binary, *words):
        other_user = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
        command = [*other_user, postgres_binary(binary), *words]
        subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL)
