"""Tests of ml_project.tracking.tracker."""

import subprocess
import sys

import pandas as pd
import pytest

from ml_project.errors import TrackingError
from ml_project.tracking.records import DataRecord, Registration, TrackedRun
from ml_project.tracking.tracker import NoTracking, open_tracker
from tests.tracking.conftest import RUN, make_config, make_score, make_trial


def test_open_tracker_disabled_takes_everything_and_records_nothing() -> None:
    with open_tracker(make_config("nonsense", enabled=False)) as tracker:
        tracker.start(RUN)
        tracker.log_data(DataRecord("a", "b", "c", 1, {}))
        tracker.log_trials("tree", [make_trial()])
        tracker.log_metrics({"a": 1.0}, part="train")
        tracker.log_tags({})
        tracker.log_table(pd.DataFrame(), "empty")
        tracker.log_files([])
        tracker.register(make_score())
    assert isinstance(tracker, NoTracking)
    assert tracker.finish().lines() == ["Not tracked (tracking.enabled is false)."]


def test_open_tracker_wrong_address_is_refused_at_once() -> None:
    with pytest.raises(TrackingError, match="neither a database nor a server"):
        open_tracker(make_config("mlruns"))


def test_open_tracker_imports_no_mlflow() -> None:
    code = "import sys, ml_project.tracking.tracker; print([n for n in sys.modules if n in ('mlflow', 'sqlalchemy')])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_tracked_run_lines_name_model_and_alias() -> None:
    registration = Registration("model", "3", "champion", "there is no champion yet")
    tracked = TrackedRun("sqlite:///x.db", "titanic", "abc", "models:/m-1", registration)
    assert tracked.lines() == [
        "Run abc in experiment 'titanic' at sqlite:///x.db",
        "Model models:/m-1",
        "Registered model version 3 as champion: there is no champion yet",
    ]
