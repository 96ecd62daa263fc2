"""One run and its nested runs, written through MLflow's client with explicit run ids, in batches."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ml_project.config import TrackingConfig
from ml_project.masking import mask_credentials, mask_secrets
from ml_project.tracking.connection import connect, find_experiment
from ml_project.tracking.entities import (
    Measurement,
    batches,
    milliseconds,
    now,
    run_tags,
    to_dataset_input,
    trial_metrics,
    trial_tags,
)
from ml_project.tracking.model_files import log_exported_model
from ml_project.tracking.places import TrackingPlace
from ml_project.tracking.records import (
    DataRecord,
    HoldoutScore,
    ModelRecord,
    Part,
    RunRecord,
    RunStatus,
    TrackedRun,
    TrialRecord,
)
from ml_project.tracking.registration import register_version
from ml_project.tracking.texts import (
    MAX_PARAMETER_LENGTH,
    MAX_TAG_LENGTH,
    flatten,
    to_key,
    to_text,
)

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel

PARAMETERS_PER_BATCH = 100
METRICS_PER_BATCH = 900
TRIAL_STATUS: Mapping[str, RunStatus] = {"complete": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}


class RunWriter:
    """Writes one run. Used from one thread only; every method talks to the tracking server or database.

    Parameters
    ----------
    config
        Where to write.
    place
        The same, resolved.

    Raises
    ------
    TrackingError
        When the place cannot be written to.
    """

    def __init__(self, config: TrackingConfig, place: TrackingPlace) -> None:
        self._config = config
        self._client = connect(place)
        self._experiment_id = find_experiment(self._client, place, config.experiment).experiment_id
        self._open_runs: list[str] = []
        self._model: LoggedModel | None = None
        self._run_id = ""
        self.tracked = TrackedRun(tracking_uri=place.shown, experiment=config.experiment)

    def start(self, run: RunRecord) -> None:
        """Create the run with its tags and config."""
        self._run_id = self._create_run(mask_credentials(run.name), now(), run_tags(run))
        self.tracked = replace(self.tracked, run_id=self._run_id)
        self._write_config(run.config)

    def write_data(self, data: DataRecord) -> None:
        """Record the data set as an input of the run."""
        self._client.log_inputs(self._run_id, datasets=[to_dataset_input(data)])
        self.write_tags({"data_fingerprint": data.fingerprint})

    def write_trials(self, candidate: str, trials: Sequence[TrialRecord]) -> None:
        """Record each trial as a finished nested run."""
        for trial in trials:
            tags = {"mlflow.parentRunId": self._run_id} | trial_tags(candidate, trial)
            run_id = self._create_run(f"{candidate} {trial.number}", milliseconds(trial.started_at), tags)
            self._write_batch(run_id, {"candidate": candidate, **trial.parameters}, trial_metrics(trial))
            self._end_run(run_id, TRIAL_STATUS[trial.state], milliseconds(trial.finished_at))

    def write_metrics(self, metrics: Mapping[str, float], part: Part) -> None:
        """Record metrics of the training rows or of the holdout."""
        self._write_batch(self._run_id, {}, [(f"{part}_{name}", value, 0) for name, value in metrics.items()])

    def write_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags of the run."""
        from mlflow.entities import RunTag

        texts = [RunTag(to_key(name), to_text(value, MAX_TAG_LENGTH)) for name, value in tags.items()]
        for batch in batches(texts, PARAMETERS_PER_BATCH):
            self._client.log_batch(self._run_id, tags=batch, synchronous=True)

    def write_table(self, table: pd.DataFrame, name: str) -> None:
        """Record a table that MLflow can show and compare across runs."""
        # MLflow looks for images in object columns in a way that pandas 3 warns of where texts are of the type str.
        texts: dict[Any, Any] = dict.fromkeys(table.select_dtypes("str").columns, object)
        self._client.log_table(self._run_id, table.astype(texts).reset_index(drop=True), f"{name}.json")

    def write_files(self, paths: Iterable[Path], folder: str | None) -> None:
        """Store files, and folders with what is in them, as artifacts of the run."""
        for path in paths:
            if path.is_dir():
                self._client.log_artifacts(self._run_id, str(path), "/".join(filter(None, (folder, path.name))))
            else:
                self._client.log_artifact(self._run_id, str(path), folder)

    def write_model(self, model: ModelRecord) -> None:
        """Store the exported model as a model that ``mlflow.pyfunc.load_model`` can load."""
        self._model = log_exported_model(self._client, self._experiment_id, self._run_id, model)
        self.tracked = replace(self.tracked, model_uri=self._model.model_uri)

    def register(self, score: HoldoutScore) -> None:
        """Register the stored model as a new version with an alias; nothing where no model is stored or named."""
        if self._config.registered_model is None or self._model is None:
            return
        registration = register_version(
            self._client, self._config.registered_model, self._model, score, self._config.champion_rule
        )
        self.tracked = replace(self.tracked, registration=registration)

    def end(self, status: RunStatus, reason: str | None) -> None:
        """End the run, and with it every nested run that a problem left open."""
        if reason is not None and self._open_runs:
            self.write_tags({"reason": mask_credentials(reason)})
        for run_id in reversed(tuple(self._open_runs)):
            nested_status = "FAILED" if run_id != self._run_id and status == "FINISHED" else status
            self._end_run(run_id, nested_status, now())

    def _write_config(self, config: Mapping[str, Any]) -> None:
        import yaml

        plain = mask_secrets(config)
        self._write_batch(self._run_id, flatten(plain), [])
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "config.yaml"
            file.write_text(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True), encoding="utf-8")
            self._client.log_artifact(self._run_id, str(file))

    def _create_run(self, name: str, started_at: int, tags: Mapping[str, str]) -> str:
        run = self._client.create_run(self._experiment_id, start_time=started_at, tags=dict(tags), run_name=name)
        run_id = str(run.info.run_id)
        self._open_runs.append(run_id)
        return run_id

    def _end_run(self, run_id: str, status: RunStatus, ended_at: int) -> None:
        self._client.set_terminated(run_id, status, ended_at)
        self._open_runs.remove(run_id)

    def _write_batch(self, run_id: str, parameters: Mapping[str, Any], metrics: Sequence[Measurement]) -> None:
        from mlflow.entities import Metric, Param

        moment = now()
        texts = [Param(to_key(name), to_text(value, MAX_PARAMETER_LENGTH)) for name, value in parameters.items()]
        numbers = [Metric(to_key(name), float(value), moment, step) for name, value, step in metrics]
        both = zip_longest(batches(texts, PARAMETERS_PER_BATCH), batches(numbers, METRICS_PER_BATCH), fillvalue=())
        for texts_batch, numbers_batch in both:
            self._client.log_batch(run_id, params=texts_batch, metrics=numbers_batch, synchronous=True)
