"""A golden request and the answer that it must have; predictions are those of the pipeline in this process."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_json

from ml_project.artifacts.loading import LoadedArtifact
from ml_project.serving.contract import describe_versions
from ml_project.serving.messages import HttpRequest

Record = Mapping[str, Any]

PREDICTION_ID = "the identifier of a prediction"
"""Stands in an expected body where each answer has another text."""
JSON_TYPE = {"content-type": "application/json"}


@dataclass(frozen=True)
class Golden:
    """One request and its answer.

    Attributes
    ----------
    method, path, headers, body
        The request.
    status
        HTTP status of the answer.
    records
        What is predicted, where the answer holds predictions.
    single
        Whether the answer is one prediction, not a list.
    error
        Error in the answer, whole.
    answer_headers
        Headers of the answer that belong to it, by lower-case name.
    needs_settings
        Whether the answer depends on settings that only the suite's own deployments have.
    """

    name: str
    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: JSON_TYPE)
    status: int = 200
    records: Sequence[Record] | None = None
    single: bool = False
    error: Mapping[str, Any] | None = None
    answer_headers: Mapping[str, str] = field(default_factory=dict)
    needs_settings: bool = False

    def make_request(self) -> HttpRequest:
        """Return the request, to be sent once."""
        return HttpRequest(self.method, self.path, dict(self.headers), self.body)

    def expect_body(self, artifact: LoadedArtifact) -> Any:
        """Return the body of the answer as parsed JSON, with :data:`PREDICTION_ID` for identifiers."""
        if self.error is not None:
            return {"error": self.error}
        if self.records is not None:
            answers = predict(artifact, self.records)
            return answers[0] if self.single else {"predictions": answers}
        return STATEMENTS[self.path](artifact)


def predict(artifact: LoadedArtifact, records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return what a service has to answer for records, from the pipeline."""
    answers = artifact.pipeline.predict_records(records)
    outliers = artifact.outlier_check.find(artifact.pipeline.score_records(records).records)
    return [
        {"prediction_id": PREDICTION_ID, **answer, **({"outliers": list(found)} if found else {})}
        for answer, found in zip(answers, outliers, strict=True)
    ]


def say_ready(artifact: LoadedArtifact) -> dict[str, Any]:
    """Return what a service with a model says."""
    return {"status": "ready", "model_version": artifact.model_version}


def say_version(artifact: LoadedArtifact) -> dict[str, Any]:
    """Return which code and which model a service says that it has."""
    content: dict[str, Any] = json.loads(to_json(describe_versions(artifact)))
    return content


def say_alive(_: LoadedArtifact) -> dict[str, Any]:
    """Return what a service says whose process answers."""
    return {"status": "alive"}


def show_schema(artifact: LoadedArtifact) -> dict[str, Any]:
    """Return what a record looks like."""
    return artifact.pipeline.json_schema()


STATEMENTS = {
    "/ping": say_ready,
    "/ready": say_ready,
    "/health": say_alive,
    "/version": say_version,
    "/schema": show_schema,
}
"""What ``GET`` answers, by path."""
