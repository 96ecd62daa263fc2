"""A stand-in for a bad network: passes bytes on, and can cut a connection after a commit, before its answer."""

import contextlib
import socket
import threading


class Proxy:
    """Listens on ``port`` and forwards to another one."""

    def __init__(self, server_port):
        self.server_port = server_port
        self.n_commits_to_cut = 0
        self.n_cut = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.server_port))
                is_cut = threading.Event()
                for source, target, watched in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self.pump, args=(source, target, watched, is_cut), daemon=True).start()

    def pump(self, source, target, is_from_client, is_cut):
        """Forward bytes; the answer to a commit that shall be cut is received, so it happened, but not passed on."""
        with contextlib.suppress(OSError), source, target:
            while data := source.recv(65536):
                if is_from_client and b"COMMIT" in data and self.n_commits_to_cut:
                    self.n_commits_to_cut -= 1
                    is_cut.set()
                if not is_from_client and is_cut.is_set():
                    self.n_cut += 1
                    target.shutdown(socket.SHUT_RDWR)
                    return
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listener.close()
