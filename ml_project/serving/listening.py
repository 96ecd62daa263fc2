"""The socket that a service listens on, from the first connection to the last."""

from __future__ import annotations

import ctypes
import os
import select
import socket
import struct
import sys
from contextlib import suppress

from ml_project.config import Config
from ml_project.errors import MlProjectError

BACKLOG = 2048
_SO_ATTACH_FILTER = 26
_DROP_EVERYTHING = struct.pack("HBBI", 0x06, 0, 0, 0)
"""A packet filter of one instruction: return 0, which is the number of bytes to let through."""


def listen(config: Config) -> socket.socket:
    """Return a socket that listens where the config says, so that a taken port is known before anything is loaded.

    Raises
    ------
    MlProjectError
        When it cannot listen there.
    """
    host, port = config.serving.host, config.serving.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        found = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or error
        raise MlProjectError(
            f"The service cannot listen on {host}:{port}: {reason}; end the program that does, or choose another "
            "serving.port (0 takes a free one) or serving.host"
        ) from error
    found.set_inheritable(True)
    return found


def limit_waiting(listening: socket.socket, seconds: float) -> None:
    """Let each read and write of the connections of a socket end after some seconds, with ``BlockingIOError``.

    For servers whose threads read and write with no limit of their own, so that a few clients that stop sending would
    use up all of them. Accepted sockets inherit the options; they count for blocking ones only.
    """
    timeval = struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval)


def refuse_further(listening: socket.socket) -> None:
    """Let nobody connect any more, as the first step of a service's end; those who are connected are still accepted.

    Closing the socket would reset connections that wait to be accepted, although their requests may be under way. So
    whoever tries now gets no answer until it is closed, shortly after, and is refused then. Only Linux can do that, and
    in containers not every kernel lets a program do it; elsewhere connections go on arriving until the socket is
    closed.
    """
    if sys.platform != "linux":
        return
    instructions = ctypes.create_string_buffer(_DROP_EVERYTHING)
    program = struct.pack("HP", 1, ctypes.addressof(instructions))
    with suppress(OSError):
        listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


def is_anyone_waiting(listening: socket.socket) -> bool:
    """Return whether a connection waits to be accepted."""
    poll = select.poll()
    poll.register(listening, select.POLLIN)
    return bool(poll.poll(0))
