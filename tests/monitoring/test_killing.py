"""Processes that are ended or killed while they answer."""

import signal
import subprocess
import sys

import pytest

from tests.monitoring.batches import stored_ids

N_ENOUGH = 2_000
WINDOW_SECONDS = 1.0


def start(url, prefix, *words):
    command = [sys.executable, "-m", "tests.monitoring.answering", url, prefix, "1000000", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def end(process, number, n_answered=N_ENOUGH):
    """Send a signal once so many predictions are answered, and return all that were, with their times."""
    lines = [process.stdout.readline() for _ in range(n_answered)]
    process.send_signal(number)
    lines += process.stdout.readlines()
    process.wait(timeout=30)
    process.stdout.close()
    answered = (line.split() for line in lines if line.endswith("\n"))
    return {name: float(moment) for name, moment in answered}


def test_sigterm_loses_nothing_that_was_answered(any_url):
    answered = end(start(any_url, "a"), signal.SIGTERM)
    assert len(answered) >= N_ENOUGH
    assert set(answered) <= set(stored_ids(any_url))


def test_sigkill_loses_at_most_the_window(sqlite_url):
    process = start(sqlite_url, "a", f"window={WINDOW_SECONDS * 1000:.0f}", "pause=0.001")
    answered = end(process, signal.SIGKILL, 2_500)
    killed = max(answered.values())
    assert killed - min(answered.values()) > 2 * WINDOW_SECONDS
    lost = set(answered) - set(stored_ids(sqlite_url))
    assert [name for name in lost if answered[name] < killed - WINDOW_SECONDS] == []


def test_sigkill_durable_loses_nothing_that_was_answered(any_url):
    answered = end(start(any_url, "a", "durable"), signal.SIGKILL, 200)
    assert len(answered) >= 200
    assert set(answered) <= set(stored_ids(any_url))


@pytest.mark.parametrize(
    ("kind", "n", "words"), [("sqlite", 2_000, ()), ("sqlite", 50, ("durable",)), ("postgres", 2_000, ())]
)
def test_several_processes_make_the_tables_and_write_at_once(kind, n, words, request):
    url = request.getfixturevalue(f"{kind}_url")
    command = [sys.executable, "-m", "tests.monitoring.answering", url]
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen([*command, prefix, str(n), *words], **pipes) for prefix in "abc"]
    complaints = [process.communicate(timeout=60)[1] for process in processes]
    assert complaints == [""] * 3
    assert len(stored_ids(url)) == 3 * n


def test_sigkill_in_the_middle_leaves_a_file_that_others_go_on_writing(sqlite_url):
    killed, other = start(sqlite_url, "killed"), start(sqlite_url, "other")
    end(killed, signal.SIGKILL)
    answered = end(other, signal.SIGTERM, 5 * N_ENOUGH)
    assert len(answered) >= 5 * N_ENOUGH
    assert set(answered) <= set(stored_ids(sqlite_url))
