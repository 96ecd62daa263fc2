"""The OpenAPI document of the service, with the fields of the model that it serves."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import ml_project
from ml_project.artifacts.loading import LoadedArtifact
from ml_project.serving.openapi_schemas import TEXT, Document, describe_schemas, object_schema, ref

_ERROR_CODES = {
    "400": "The body cannot be read",
    "401": "The key is missing or wrong",
    "408": "The body did not arrive in time",
    "413": "The body or the batch is too large",
    "415": "The content type is not understood",
    "422": "The input does not fit the schema; every problem is listed",
    "500": "The service failed; the log says why under the request's identifier",
    "503": "No model is loaded, or too many requests are under way; try again",
}
_READING = ("400", "408", "413", "415", "422", "503")


def describe_service(
    model: LoadedArtifact | None, *, model_name: str, has_key: bool, open_paths: Collection[str] = ()
) -> Document:
    """Return the OpenAPI 3.1 document.

    Parameters
    ----------
    model
        The model served, whose fields, ranges, categories and classes the document shows; without one, a record is any
        object.
    model_name
        Name of the model in the Open Inference Protocol.
    has_key
        Whether requests need a key.
    open_paths
        Those that do not need it.
    """
    served = "no model yet" if model is None else f"{model.manifest.name}, version {model.model_version}"
    document: Document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Prediction service",
            "version": ml_project.__version__,
            "description": f"Serves {served}. Every answer names its model in X-Model-Version.",
        },
        "servers": [{"url": "."}],
        "paths": _paths(model, model_name),
        "components": {"schemas": describe_schemas(model)},
    }
    if has_key:
        document["components"]["securitySchemes"] = {
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            "bearer": {"type": "http", "scheme": "bearer"},
        }
        document["security"] = [{"key": []}, {"bearer": []}]
        for path in document["paths"].keys() & set(open_paths):
            document["paths"][path]["get"]["security"] = []
    return document


def _paths(model: LoadedArtifact | None, model_name: str) -> Document:
    v2 = f"/v2/models/{model_name}"
    groups = {
        "Predictions": _prediction_paths({} if model is None else model.example, model_name),
        "Operation": {
            "/health": _get("Whether the process answers", _status(), ()),
            "/ready": _get("Whether a model is loaded", _status("model_version"), ("503",)),
            "/ping": _get("Whether a model is loaded, as SageMaker asks", _status("model_version"), ("503",)),
            "/version": _get("Which code and which model answer", _versions(), ("503",)),
            "/schema": _get("JSON Schema of a record, with an example", {"type": "object"}, ("503",)),
            "/metrics": _get("What was counted, for Prometheus", TEXT, (), media_type="text/plain"),
        },
        "Open Inference Protocol": {
            f"{v2}/infer": _post(
                "Predict",
                _json(ref("InferenceRequest"), _tensors({} if model is None else model.example)),
                _json(ref("InferenceAnswer")),
                [code for code in _READING if code != "415"],  # binary tensors make bodies of any type
                error="InferenceError",
            ),
            "/v2/health/live": _get("Whether the process answers", _flag("live"), (), error="InferenceError"),
            "/v2/health/ready": _get("Whether a model is loaded", _flag("ready"), ("503",), error="InferenceError"),
            "/v2": _get("Name of the server", object_schema({"name": TEXT}, ["name"]), (), error="InferenceError"),
            v2: _get("The model's tensors", _model_metadata(), ("503",), error="InferenceError"),
            f"{v2}/ready": _get("Whether the model is loaded", _flag("ready"), ("503",), error="InferenceError"),
        },
    }
    for tag, paths in groups.items():
        for operations in paths.values():
            for operation in operations.values():
                operation["tags"] = [tag]
    return {path: operations for paths in groups.values() for path, operations in paths.items()}


def _prediction_paths(example: Mapping[str, Any], model_name: str) -> Document:
    either = {"oneOf": [ref("Record"), {"type": "array", "items": ref("Record")}]}
    answers = {"oneOf": [ref("Prediction"), ref("Predictions")]}
    return {
        "/predict": _post("Predict one record, or a list of them", _json(either, example), _json(answers), _READING),
        "/invocations": _post("Predict in the forms of MLflow and SageMaker", *_invocation(example), _READING),
        f"/endpoints/{model_name}/invocations": _post(
            "The same, where MLflow's deployment client asks for it", *_invocation(example), _READING
        ),
        "/feedback": _post(
            "Say what a prediction should have been",
            _json(ref("Feedback")),
            _json(object_schema({"status": TEXT, "prediction_id": TEXT}, ["status", "prediction_id"])),
            _READING,
            status="202",
        ),
    }


def _invocation(example: Mapping[str, Any]) -> tuple[Document, Document]:
    """Return the bodies of requests and answers."""
    body = {**_json(ref("Invocation"), {"dataframe_records": [example]}), "text/csv": {"schema": TEXT}}
    return body, _json(ref("Predictions"))


def _status(*further: str) -> Document:
    return object_schema(dict.fromkeys(("status", *further), TEXT), ["status", *further])


def _flag(name: str) -> Document:
    return object_schema({name: {"type": "boolean"}}, [name])


def _versions() -> Document:
    names = ("service", "model", "libraries")
    return object_schema({name: {"type": "object"} for name in names}, names)


def _model_metadata() -> Document:
    tensors = {"type": "array", "items": {"type": "object"}}
    return object_schema({"name": TEXT, "inputs": tensors, "outputs": tensors}, ["name", "inputs", "outputs"])


def _post(
    summary: str,
    body: Document,
    answer: Document,
    errors: Sequence[str],
    *,
    status: str = "200",
    error: str = "Error",
) -> Document:
    answers = {status: {"description": "The answer", "content": answer}, **_errors(errors, error)}
    return {"post": {"summary": summary, "requestBody": {"required": True, "content": body}, "responses": answers}}


def _get(
    summary: str,
    schema: Mapping[str, Any],
    errors: Sequence[str],
    *,
    media_type: str = "application/json",
    error: str = "Error",
) -> Document:
    content = {media_type: {"schema": schema}}
    return {"get": {"summary": summary, "responses": {
        "200": {"description": "The answer", "content": content}, **_errors(errors, error)}}}  # fmt: skip


def _errors(codes: Sequence[str], error: str) -> Document:
    return {
        code: {"description": _ERROR_CODES[code], "content": _json(ref(error))} for code in (*codes, "401", "500")
    }


def _json(schema: Mapping[str, Any], example: Any = None) -> Document:
    content = {"schema": schema} if example is None else {"schema": schema, "example": example}
    return {"application/json": content}


def _tensors(example: Mapping[str, Any]) -> Document:
    kinds = {bool: "BOOL", int: "INT64", float: "FP64"}
    return {
        "inputs": [
            {"name": name, "shape": [1], "datatype": kinds.get(type(value), "BYTES"), "data": [value]}
            for name, value in example.items()
        ]
    }
