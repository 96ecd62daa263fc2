"""Processes that tests start: nothing of them stays, and their end is told."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from deployment.tests.processes import clean_environment, free_port, running, stop
from tests.serving.running import wait_until

WITH_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""


def python(code, folder):
    return running([sys.executable, "-c", code], folder=folder, log=folder / "log")


def is_alive(process_id):
    """A process that ended but was not waited for by its parent counts as dead."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8").rpartition(")")[2]
    except FileNotFoundError:
        return False
    return state.split()[0] != "Z"


def test_children_end_with_the_process(tmp_path):
    with python(WITH_CHILD, tmp_path) as started:
        wait_until(lambda: started.last_lines().strip())
        child = int(started.last_lines())
        assert is_alive(child)
        assert started.ended() is None
    assert started.process.returncode == -15
    wait_until(lambda: not is_alive(child))


def test_process_that_does_not_end_is_killed_and_told(tmp_path):
    with python(STUBBORN, tmp_path) as started:
        wait_until(lambda: "ready" in started.last_lines())
        with pytest.raises(TimeoutError, match="did not end within 0 s of SIGTERM"):
            stop(started.process, seconds=0.3)
        assert started.process.returncode == -9


def test_end_of_a_process_is_told_with_its_last_lines(tmp_path):
    with python("import sys; print('no port'); sys.exit(3)", tmp_path) as started:
        started.process.wait()
        assert "ended with 3:\nno port" in started.ended()


def test_environment_of_what_is_deployed_has_nothing_of_the_project(monkeypatch, tmp_path):
    for name in ("ML_PROJECT_SERVING__PORT", "PYTHONPATH", "VIRTUAL_ENV", "PORT", "RESOLVED_ML_PROJECT_CONFIG"):
        monkeypatch.setenv(name, "x")
    environment = clean_environment(tmp_path / "bin")
    assert not {name for name, value in environment.items() if value == "x"}
    assert environment["PATH"] == f"{tmp_path}/bin:{os.environ['PATH']}"


def test_free_port_can_be_listened_on():
    import socket

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", free_port()))
        listening.listen()
