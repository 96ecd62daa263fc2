"""The schemas of the OpenAPI document: records, predictions and errors, as the served model has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ml_project.artifacts.loading import LoadedArtifact

Document = dict[str, Any]

TEXT: Document = {"type": "string"}


def describe_schemas(model: LoadedArtifact | None) -> Document:
    """Return all schemas by their names; without a model, a record is any object."""
    item = {"type": "object"} if model is None else _without_dialect(model.pipeline.json_schema())
    return {
        "Record": item,
        "Prediction": _prediction(model),
        "Predictions": object_schema({"predictions": {"type": "array", "items": ref("Prediction")}}, ["predictions"]),
        "Feedback": object_schema(
            {"prediction_id": {"type": "string", "format": "uuid"}, "label": _label(model)}, ["prediction_id", "label"]
        ),
        "Invocation": _invocation(),
        "InferenceRequest": _inference_request(),
        "InferenceAnswer": object_schema(
            {"model_name": TEXT, "model_version": TEXT, "id": TEXT, "outputs": {"type": "array"}},
            ["model_name", "outputs"],
        ),
        "InferenceError": object_schema({"error": TEXT}, ["error"]),
        "Error": _error(),
    }


def object_schema(properties: Mapping[str, Any], required: Sequence[str]) -> Document:
    """Return the schema of an object with some properties."""
    return {"type": "object", "properties": properties, "required": list(required)}


def ref(name: str) -> Document:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def _prediction(model: LoadedArtifact | None) -> Document:
    identifier = {"type": "string", "format": "uuid", "description": "What feedback names the prediction by."}
    outliers = {"type": "array", "items": TEXT, "description": "Fields beyond what training saw, if any."}
    classes = None if model is None else model.pipeline.classes
    if model is not None and classes is None:
        return object_schema(
            {"prediction_id": identifier, "value": {"type": "number"}, "outliers": outliers}, ["prediction_id", "value"]
        )
    # Engines compute in single precision, so that a share can be a little above 1.
    share = {"type": "number", "minimum": 0, "maximum": 1.000001, "example": round(1 / max(len(classes or ()), 1), 3)}
    names = [str(value) for value in classes or ()]
    probas = object_schema(dict.fromkeys(names, share), names)
    return object_schema(
        {"prediction_id": identifier, "label": _label(model), "probas": probas, "outliers": outliers},
        ["prediction_id", "label", "probas"] if model is not None else ["prediction_id"],
    )


def _label(model: LoadedArtifact | None) -> Document:
    if model is None:
        return {}
    classes = model.pipeline.classes
    return {"type": "number"} if classes is None else {"enum": list(classes)}


def _invocation() -> Document:
    records = {"type": "array", "items": ref("Record")}
    split = object_schema(
        {
            "columns": {"type": "array", "items": TEXT},
            "data": {"type": "array", "items": {"type": "array"}},
            "index": {"type": "array"},
        },
        ["columns", "data"],
    )
    columns = {"type": "object", "additionalProperties": {"type": "array"}}
    return {
        "oneOf": [
            object_schema({"dataframe_records": records}, ["dataframe_records"]),
            object_schema({"dataframe_split": split}, ["dataframe_split"]),
            object_schema({"instances": records}, ["instances"]),
            object_schema({"inputs": {"oneOf": [columns, records]}}, ["inputs"]),
        ]
    }


def _inference_request() -> Document:
    tensor = object_schema(
        {
            "name": TEXT,
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1, "maxItems": 2},
            "datatype": TEXT,
            "data": {"type": "array"},
        },
        ["name", "shape", "datatype", "data"],
    )
    return object_schema({"id": TEXT, "inputs": {"type": "array", "items": tensor, "minItems": 1}}, ["inputs"])


def _error() -> Document:
    detail = object_schema(
        {"row": {"type": ["integer", "null"]}, "field": {"type": ["string", "null"]}, "value": {}, "problem": TEXT},
        ["row", "field", "value", "problem"],
    )
    content = object_schema(
        {"code": TEXT, "message": TEXT, "details": {"type": "array", "items": detail}}, ["code", "message", "details"]
    )
    return object_schema({"error": content}, ["error"])


def _without_dialect(schema: Document) -> Document:
    return {key: value for key, value in schema.items() if key != "$schema"}
