"""The routes of the service and what they do; the same on every web framework and in every cloud."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import ml_project
from ml_project.artifacts.loading import LoadedArtifact
from ml_project.config_service import ServingConfig
from ml_project.errors import InvalidDataError, NotJsonError, Problem
from ml_project.serving.api import Route
from ml_project.serving.codecs import invocations, json_body, open_inference
from ml_project.serving.docs_page import docs_page, docs_script, docs_style
from ml_project.serving.messages import HttpAnswer, HttpRequest, json_answer
from ml_project.serving.metrics import CONTENT_TYPE_LATEST
from ml_project.serving.openapi import describe_service
from ml_project.serving.service import PredictionService, ServedPredictions
from ml_project.serving.together import PreparedRecord

MODEL_VERSION = "X-Model-Version"
PREDICT = "/predict"


class PredictionContract:
    """What the service answers on each route.

    Parameters
    ----------
    service
        What predicts.
    settings
        Name of the model in the Open Inference Protocol.
    """

    def __init__(self, service: PredictionService, settings: ServingConfig) -> None:
        self.service = service
        self.model_name = settings.model_name
        self.has_key = settings.api_key is not None

    def routes(self) -> tuple[Route, ...]:
        """Return all routes, the busiest first."""
        model = f"/v2/models/{self.model_name}"
        return (
            Route("POST", PREDICT, self.predict),
            Route("POST", "/invocations", self.invoke),
            Route("POST", f"/endpoints/{self.model_name}/invocations", self.invoke),
            Route("POST", f"{model}/infer", self.infer),
            Route("POST", "/feedback", self.take_feedback),
            Route("GET", "/health", self.say_alive, open=True),
            Route("GET", "/ready", self.say_ready, open=True),
            Route("GET", "/ping", self.say_ready, open=True),
            Route("GET", "/version", self.say_version),
            Route("GET", "/schema", self.show_schema),
            Route("GET", "/metrics", self.show_metrics),
            Route("GET", "/openapi.json", self.show_openapi),
            Route("GET", "/docs", docs_page, open=True),
            Route("GET", "/docs/swagger-ui-bundle.js", docs_script, open=True),
            Route("GET", "/docs/swagger-ui.css", docs_style, open=True),
            Route("GET", "/v2/health/live", self.say_alive_in_v2, open=True),
            Route("GET", "/v2/health/ready", self.say_ready_in_v2, open=True),
            Route("GET", "/v2", self.describe_server),
            Route("GET", model, self.describe_model),
            Route("GET", f"{model}/ready", self.say_ready_in_v2, open=True),
        )

    def prepare(self, requests: Sequence[HttpRequest]) -> None:
        """Score the single records of several requests together; whatever is unusual is left to :meth:`predict`."""
        found = []
        for request in requests:
            if request.path == PREDICT and request.body.lstrip()[:1] == b"{":  # lists shall not be parsed twice
                with suppress(Exception):  # what is wrong with it shows when it goes alone
                    payload = json_body.read_json(request)
                    if type(payload) is dict:
                        found.append((request, payload))
        if len(found) > 1:
            prepared = self.service.prepare([record for _, record in found])
            for (request, _), record in zip(found, prepared, strict=True):
                request.prepared = record

    def predict(self, request: HttpRequest, request_id: str) -> HttpAnswer:
        """Answer one record, or a list of them."""
        if isinstance(request.prepared, PreparedRecord):
            served = self.service.predict_prepared(
                request.prepared, request_id=request_id, afterwards=request.afterwards
            )
            return _predicted(served.answers[0], served)
        payload = json_body.read_json(request)
        served = self.service.predict(
            json_body.to_records(payload), request_id=request_id, afterwards=request.afterwards
        )
        return _predicted(json_body.from_answers(payload, served.answers), served)

    def invoke(self, request: HttpRequest, request_id: str) -> HttpAnswer:
        """Answer the forms of MLflow and SageMaker."""
        records = invocations.to_records(request, max_records=self.service.max_batch_rows)
        served = self.service.predict(records, request_id=request_id, afterwards=request.afterwards)
        return _predicted({"predictions": served.answers}, served)

    def infer(self, request: HttpRequest, request_id: str) -> HttpAnswer:
        """Answer the Open Inference Protocol."""
        is_classification = self.service.current_model().pipeline.classes is not None
        asked = open_inference.read_request(
            request, is_classification=is_classification, max_records=self.service.max_batch_rows
        )
        served = self.service.predict(asked.records, request_id=request_id, afterwards=request.afterwards)
        content = open_inference.from_answers(
            served.answers,
            asked,
            classes=served.model.pipeline.classes,
            model_name=self.model_name,
            model_version=served.model.model_version,
        )
        return _predicted(content, served)

    def take_feedback(self, request: HttpRequest, request_id: str) -> HttpAnswer:
        """Take the label that a prediction should have had."""
        payload = json_body.read_json(request)
        if not isinstance(payload, dict):
            raise NotJsonError(f'The body is {json_body.kind_of(payload)}; send {{"prediction_id": ..., "label": ...}}')
        absent = [name for name in ("prediction_id", "label") if name not in payload]
        if absent:
            raise InvalidDataError("The feedback cannot be used.", [Problem("is absent", name) for name in absent])
        prediction_id, stored = self.service.take_feedback(payload["prediction_id"], payload["label"])
        answer = json_answer(202, {"status": "accepted", "prediction_id": prediction_id})
        answer.stored = stored
        return answer

    def say_alive(self, request: HttpRequest, request_id: str) -> HttpAnswer:
        """Say that the process answers."""
        return json_answer(200, {"status": "alive"})

    def say_ready(self, request: HttpRequest, request_id: str) -> HttpAnswer:
        """Say whether a model is loaded."""
        model = self.service.current_model()
        return _with_version(json_answer(200, {"status": "ready", "model_version": model.model_version}), model)

    def say_version(self, request: HttpRequest, request_id: str) -> HttpAnswer:
        """Say which code and which model answer."""
        model = self.service.current_model()
        return _with_version(json_answer(200, describe_versions(model)), model)

    def show_schema(self, request: HttpRequest, request_id: str) -> HttpAnswer:
        """Show what a record looks like."""
        model = self.service.current_model()
        return _with_version(json_answer(200, model.pipeline.json_schema()), model)

    def show_metrics(self, request: HttpRequest, request_id: str) -> HttpAnswer:
        """Show what was counted."""
        return HttpAnswer(200, self.service.metrics.exposition(), CONTENT_TYPE_LATEST)

    def show_openapi(self, request: HttpRequest, request_id: str) -> HttpAnswer:
        """Show the OpenAPI document."""
        return json_answer(200, self.describe())

    def describe(self) -> dict[str, Any]:
        """Return the OpenAPI document of the service with the current model."""
        return describe_service(
            self.service.host.current,
            model_name=self.model_name,
            has_key=self.has_key,
            open_paths=[route.path for route in self.routes() if route.open],
        )

    def say_alive_in_v2(self, request: HttpRequest, request_id: str) -> HttpAnswer:
        """Say that the process answers, in the Open Inference Protocol."""
        return json_answer(200, {"live": True})

    def say_ready_in_v2(self, request: HttpRequest, request_id: str) -> HttpAnswer:
        """Say whether a model is loaded, in the Open Inference Protocol."""
        return _with_version(json_answer(200, {"ready": True}), self.service.current_model())

    def describe_server(self, request: HttpRequest, request_id: str) -> HttpAnswer:
        """Name the server, in the Open Inference Protocol."""
        return json_answer(
            200, {"name": "ml_project", "version": ml_project.__version__, "extensions": ["binary_tensor_data"]}
        )

    def describe_model(self, request: HttpRequest, request_id: str) -> HttpAnswer:
        """Describe the model's tensors, in the Open Inference Protocol."""
        model = self.service.current_model()
        content = open_inference.describe_model(
            model.pipeline.input_schema,
            model.pipeline.classes,
            model_name=self.model_name,
            model_version=model.model_version,
        )
        return _with_version(json_answer(200, content), model)


def describe_versions(model: LoadedArtifact) -> dict[str, Any]:
    """Return which code and which model predict, and where the model comes from."""
    manifest = model.manifest
    return {
        "service": {"name": "ml_project", "version": ml_project.__version__},
        "model": {
            "name": manifest.name,
            "version": manifest.version,
            "sha256": model.sha256,
            "task": manifest.task,
            "engine": manifest.engine.name,
            "created_at": manifest.created_at,
            "git_commit": manifest.git_commit,
            "data_fingerprint": manifest.data_fingerprint,
            "format_version": manifest.format_version,
        },
        "libraries": dict(manifest.library_versions),
    }


def _predicted(content: Mapping[str, Any], served: ServedPredictions) -> HttpAnswer:
    answer = _with_version(json_answer(200, content), served.model)
    answer.stored = served.stored
    answer.n_records = len(served.answers)
    return answer


def _with_version(answer: HttpAnswer, model: LoadedArtifact) -> HttpAnswer:
    answer.headers = {MODEL_VERSION: model.model_version}
    return answer
