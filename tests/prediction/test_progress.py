"""Progress of long work."""

import io
import sys

from ml_project.prediction import progress
from ml_project.prediction.progress import progress_text, show_progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_show_progress_on_a_terminal_shows_rows_done_of_all(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with show_progress("scoring", 300) as advance:
        advance(100)
        advance(200)
    assert "300/300" in sys.stderr.getvalue()


def test_show_progress_elsewhere_prints_lines_now_and_then(monkeypatch, capsys):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    with show_progress("scoring", 300) as advance:
        advance(100)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("scoring: 100 of 300 rows, about ")


def test_show_progress_going_on_counts_what_was_done_before(monkeypatch, capsys):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    with show_progress("scoring", 300, done=100) as advance:
        advance(100)
    assert capsys.readouterr().err.startswith("scoring: 200 of 300 rows, about 0 s left")


def test_progress_text_time_left_follows_from_this_runs_pace():
    assert progress_text(1000, 9000, 10.0, before=5000) == "6,000 of 9,000 rows, about 30 s left"


def test_show_progress_short_work_prints_nothing(capsys):
    with show_progress("scoring", 300) as advance:
        advance(300)
    assert capsys.readouterr().err == ""


def test_progress_text_nothing_done_has_no_time_left():
    assert progress_text(0, 100, 1.0) == "0 rows"
