"""The OpenAPI document of the service, with the fields of the model that it serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ml_project
from ml_project.artifacts.loading import LoadedArtifact

Document = dict[str, Any]

_TEXT: Document = {"type": "string"}
_ERROR_CODES = {
    "400": "The body cannot be read",
    "401": "The key is missing or wrong",
    "413": "The body or the batch is too large",
    "415": "The content type is not understood",
    "422": "The input does not fit the schema; every problem is listed",
    "500": "The service failed; the log says why under the request's identifier",
    "503": "No model is loaded, or too many requests are under way; try again",
}
_READING = ("400", "413", "415", "422", "503")


def describe_service(model: LoadedArtifact | None, *, model_name: str, has_key: bool) -> Document:
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
    """
    served = "no model yet" if model is None else f"{model.manifest.name}, version {model.model_version}"
    document: Document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Prediction service",
            "version": ml_project.__version__,
            "description": f"Serves {served}. Every answer names its model in X-Model-Version.",
        },
        "paths": _paths(model, model_name),
        "components": {"schemas": _schemas(model)},
    }
    if has_key:
        document["components"]["securitySchemes"] = {
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            "bearer": {"type": "http", "scheme": "bearer"},
        }
        document["security"] = [{"key": []}, {"bearer": []}]
    return document


def _paths(model: LoadedArtifact | None, model_name: str) -> Document:
    example = {} if model is None else model.example
    v2 = f"/v2/models/{model_name}"
    either = {"oneOf": [_ref("Record"), {"type": "array", "items": _ref("Record")}]}
    answers = {"oneOf": [_ref("Prediction"), _ref("Predictions")]}
    return {
        "/predict": _post("Predict one record, or a list of them", _json(either, example), _json(answers), _READING),
        "/invocations": _post(
            "Predict in the forms of MLflow and SageMaker",
            {**_json(_ref("Invocation"), {"dataframe_records": [example]}), "text/csv": {"schema": _TEXT}},
            _json(_ref("Predictions")),
            _READING,
        ),
        f"{v2}/infer": _post(
            "Predict in the Open Inference Protocol",
            _json(_ref("InferenceRequest"), _tensors(example)),
            _json(_ref("InferenceAnswer")),
            _READING,
            error="InferenceError",
        ),
        "/feedback": _post(
            "Say what a prediction should have been",
            _json(_ref("Feedback")),
            _json({"type": "object"}),
            _READING,
            status="202",
        ),
        "/health": _get("Whether the process answers", {"type": "object"}, ()),
        "/ready": _get("Whether a model is loaded", {"type": "object"}, ("503",)),
        "/ping": _get("Whether a model is loaded, as SageMaker asks", {"type": "object"}, ("503",)),
        "/version": _get("Which code and which model answer", {"type": "object"}, ("503",)),
        "/schema": _get("JSON Schema of a record, with an example", {"type": "object"}, ("503",)),
        "/metrics": _get("What was counted, for Prometheus", _TEXT, (), media_type="text/plain"),
        "/v2/health/live": _get("Whether the process answers", {"type": "object"}, (), error="InferenceError"),
        "/v2/health/ready": _get("Whether a model is loaded", {"type": "object"}, ("503",), error="InferenceError"),
        "/v2": _get("Name of the server", {"type": "object"}, (), error="InferenceError"),
        v2: _get("The model's tensors", {"type": "object"}, ("503",), error="InferenceError"),
        f"{v2}/ready": _get("Whether the model is loaded", {"type": "object"}, ("503",), error="InferenceError"),
    }


def _schemas(model: LoadedArtifact | None) -> Document:
    item = {"type": "object"} if model is None else _without_dialect(model.pipeline.json_schema())
    return {
        "Record": item,
        "Prediction": _prediction(model),
        "Predictions": _object({"predictions": {"type": "array", "items": _ref("Prediction")}}, ["predictions"]),
        "Feedback": _object(
            {"prediction_id": {"type": "string", "format": "uuid"}, "label": _label(model)}, ["prediction_id", "label"]
        ),
        "Invocation": _invocation(),
        "InferenceRequest": _inference_request(),
        "InferenceAnswer": _object(
            {"model_name": _TEXT, "model_version": _TEXT, "id": _TEXT, "outputs": {"type": "array"}},
            ["model_name", "outputs"],
        ),
        "InferenceError": _object({"error": _TEXT}, ["error"]),
        "Error": _error(),
    }


def _prediction(model: LoadedArtifact | None) -> Document:
    identifier = {"type": "string", "format": "uuid", "description": "What feedback names the prediction by."}
    outliers = {"type": "array", "items": _TEXT, "description": "Fields beyond what training saw, if any."}
    classes = None if model is None else model.pipeline.classes
    if model is not None and classes is None:
        return _object(
            {"prediction_id": identifier, "value": {"type": "number"}, "outliers": outliers}, ["prediction_id", "value"]
        )
    share = {"type": "number", "minimum": 0, "maximum": 1.000001}
    names = [str(value) for value in classes or ()]
    probas: Document = {"type": "object", "additionalProperties": share, "required": names}
    return _object(
        {"prediction_id": identifier, "label": _label(model), "probas": probas, "outliers": outliers},
        ["prediction_id", "label", "probas"] if model is not None else ["prediction_id"],
    )


def _label(model: LoadedArtifact | None) -> Document:
    if model is None:
        return {}
    classes = model.pipeline.classes
    return {"type": "number"} if classes is None else {"enum": list(classes)}


def _invocation() -> Document:
    records = {"type": "array", "items": _ref("Record")}
    split = _object(
        {
            "columns": {"type": "array", "items": _TEXT},
            "data": {"type": "array", "items": {"type": "array"}},
            "index": {"type": "array"},
        },
        ["columns", "data"],
    )
    columns = {"type": "object", "additionalProperties": {"type": "array"}}
    return {
        "oneOf": [
            _object({"dataframe_records": records}, ["dataframe_records"]),
            _object({"dataframe_split": split}, ["dataframe_split"]),
            _object({"instances": records}, ["instances"]),
            _object({"inputs": {"oneOf": [columns, records]}}, ["inputs"]),
        ]
    }


def _inference_request() -> Document:
    tensor = _object(
        {
            "name": _TEXT,
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1, "maxItems": 2},
            "datatype": _TEXT,
            "data": {"type": "array"},
        },
        ["name", "shape", "datatype", "data"],
    )
    return _object({"id": _TEXT, "inputs": {"type": "array", "items": tensor, "minItems": 1}}, ["inputs"])


def _error() -> Document:
    detail = _object(
        {"row": {"type": ["integer", "null"]}, "field": {"type": ["string", "null"]}, "value": {}, "problem": _TEXT},
        ["row", "field", "value", "problem"],
    )
    content = _object(
        {"code": _TEXT, "message": _TEXT, "details": {"type": "array", "items": detail}}, ["code", "message", "details"]
    )
    return _object({"error": content}, ["error"])


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
        code: {"description": _ERROR_CODES[code], "content": _json(_ref(error))} for code in (*codes, "401", "500")
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


def _object(properties: Mapping[str, Any], required: Sequence[str]) -> Document:
    return {"type": "object", "properties": properties, "required": list(required)}


def _ref(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


def _without_dialect(schema: Document) -> Document:
    return {key: value for key, value in schema.items() if key != "$schema"}
