"""The listening socket."""

import socket
import sys

import pytest

from ml_project.serving.listening import is_anyone_waiting, refuse_further

SO_LOCK_FILTER = 44


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no filters")
@pytest.mark.parametrize(("locked", "arrives"), [(0, False), (1, True)])
def test_refuse_further_where_the_kernel_forbids_it_lets_connections_arrive(locked, arrives):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        # A locked socket refuses filters with the same error as a container without the capability does.
        listening.setsockopt(socket.SOL_SOCKET, SO_LOCK_FILTER, locked)
        refuse_further(listening)
        with socket.socket() as client:
            client.settimeout(0.2)
            assert (client.connect_ex(listening.getsockname()) == 0) == arrives
        assert is_anyone_waiting(listening) == arrives
