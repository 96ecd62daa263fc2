"""The Open Inference Protocol (KServe V2): one tensor per column in, one per part of the prediction out.

Tensors may lie behind the JSON as binary data, as Triton's clients send them; answers are JSON only, which the protocol
leaves to the server.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pydantic_core import from_json

from ml_project.data.raw_schema import ColumnKind, RawSchema
from ml_project.errors import NotJsonError
from ml_project.serving.codecs.json_body import kind_of
from ml_project.serving.messages import HttpRequest

JSON_LENGTH = "inference-header-content-length"
"""Header with the number of bytes of the JSON in front of binary data."""
DATA_TYPES: dict[ColumnKind, str] = {
    "integer": "INT64",
    "number": "FP64",
    "boolean": "BOOL",
    "category": "BYTES",
    "text": "BYTES",
    "datetime": "BYTES",
}
_BINARY_TYPES = {"BOOL": "?", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8"} | {
    f"{sign}INT{8 * size}": f"<{kind}{size}" for sign, kind in (("", "i"), ("U", "u")) for size in (1, 2, 4, 8)
}
_EXTENSION = "binary_data_size"


def to_records(request: HttpRequest) -> tuple[Sequence[Mapping[str, Any]], str | None]:
    """Return the records of a request, and the request's own identifier.

    Raises
    ------
    NotJsonError
        When the body does not follow the protocol.
    """
    text, binary = _split(request)
    try:
        payload = from_json(text)
    except ValueError as error:
        raise NotJsonError(f"The body is not JSON: {error}") from error
    inputs = payload.get("inputs") if isinstance(payload, dict) else None
    if not isinstance(inputs, list) or not inputs or not all(isinstance(tensor, dict) for tensor in inputs):
        raise NotJsonError('The body must be a JSON object with "inputs", a list of tensors, one per column')
    columns: dict[str, list[Any]] = {}
    for tensor in inputs:
        name, values, binary = _values(tensor, binary)
        if name in columns:
            raise NotJsonError(f"The input {name!r} is given twice; give each once")
        columns[name] = values
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise NotJsonError(f"The inputs have different numbers of rows: {lengths}")
    if binary:
        raise NotJsonError(f"{len(binary)} bytes lie behind the last input's data; correct {_EXTENSION}")
    identifier = payload.get("id")
    records = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return records, identifier if isinstance(identifier, str) else None


def from_answers(
    answers: Sequence[Mapping[str, Any]], *, model_name: str, model_version: str, identifier: str | None
) -> dict[str, Any]:
    """Return the body that answers with predictions: ``prediction_id``, then ``label`` and ``probas``, or ``value``.

    ``probas`` has the shape ``(n_rows, n_classes)``; the metadata of the model names the classes in their order.
    """
    outputs = [_tensor("prediction_id", "BYTES", [answer["prediction_id"] for answer in answers])]
    if answers and "value" in answers[0]:
        outputs.append(_tensor("value", "FP64", [answer["value"] for answer in answers]))
    elif answers:
        labels = [answer["label"] for answer in answers]
        outputs.append(_tensor("label", label_type(labels), labels))
        width = len(answers[0]["probas"])
        data = [probability for answer in answers for probability in answer["probas"].values()]
        outputs.append({"name": "probas", "datatype": "FP64", "shape": [len(answers), width], "data": data})
    body = {"model_name": model_name, "model_version": model_version, "outputs": outputs}
    return body if identifier is None else {**body, "id": identifier}


def describe_model(
    schema: RawSchema, classes: Sequence[Any] | None, *, model_name: str, model_version: str
) -> dict[str, Any]:
    """Return the model's metadata: its inputs and outputs as tensors; -1 is a free number of rows."""
    inputs = [{"name": rule.name, "datatype": DATA_TYPES[rule.kind], "shape": [-1]} for rule in schema.columns]
    outputs: list[dict[str, Any]] = [{"name": "prediction_id", "datatype": "BYTES", "shape": [-1]}]
    if classes is None:
        outputs.append({"name": "value", "datatype": "FP64", "shape": [-1]})
    else:
        outputs.append({"name": "label", "datatype": label_type(classes), "shape": [-1]})
        names = [str(value) for value in classes]
        probas = {"name": "probas", "datatype": "FP64", "shape": [-1, len(names)], "parameters": {"classes": names}}
        outputs.append(probas)
    return {
        "name": model_name,
        "versions": [model_version],
        "platform": "ml_project",
        "inputs": inputs,
        "outputs": outputs,
    }


def label_type(labels: Sequence[Any]) -> str:
    """Return the data type of a tensor of labels."""
    by_type = {bool: "BOOL", int: "INT64", float: "FP64"}
    return by_type.get(type(labels[0]), "BYTES")


def _tensor(name: str, datatype: str, data: list[Any]) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": [len(data)], "data": data}


def _split(request: HttpRequest) -> tuple[bytes, bytes]:
    """Return the JSON of a body and the binary data behind it."""
    declared = request.headers.get(JSON_LENGTH)
    if declared is None:
        return request.body, b""
    if not (declared.isascii() and declared.isdigit()) or int(declared) > len(request.body):
        raise NotJsonError(f"The header {JSON_LENGTH} must be at most the body's {len(request.body)} bytes")
    return request.body[: int(declared)], request.body[int(declared) :]


def _values(tensor: dict[str, Any], binary: bytes) -> tuple[str, list[Any], bytes]:
    """Return a tensor's name and values, and the binary data that is left for the others."""
    name, shape = tensor.get("name"), tensor.get("shape")
    if not isinstance(name, str):
        raise NotJsonError(f"An input has {kind_of(name)} as its name; name the column")
    if not isinstance(shape, list) or not all(type(length) is int and length >= 0 for length in shape):
        raise NotJsonError(f"The shape of input {name!r} must be a list of whole numbers")
    if len(shape) not in (1, 2) or (len(shape) == 2 and shape[1] != 1):
        raise NotJsonError(f"Input {name!r} has the shape {shape[:5]}; send [rows] or [rows, 1]")
    parameters = tensor.get("parameters")
    size = parameters.get(_EXTENSION) if isinstance(parameters, dict) else None
    if size is None:
        return name, _checked(name, shape[0], _flat(name, tensor.get("data"))), binary
    if type(size) is not int or not 0 <= size <= len(binary):
        raise NotJsonError(f"{_EXTENSION} of input {name!r} must lie between 0 and the {len(binary)} bytes left")
    values = _from_bytes(name, tensor.get("datatype"), binary[:size])
    return name, _checked(name, shape[0], values), binary[size:]


def _flat(name: str, data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise NotJsonError(f"The data of input {name!r} is {kind_of(data)}; send a list")
    nested = bool(data) and all(isinstance(row, list) and len(row) == 1 for row in data)
    return [row[0] for row in data] if nested else data


def _checked(name: str, n_rows: int, values: list[Any]) -> list[Any]:
    if len(values) != n_rows:
        raise NotJsonError(f"Input {name!r} has {len(values)} values, but its shape says {n_rows}")
    return values


def _from_bytes(name: str, datatype: Any, content: bytes) -> list[Any]:
    if datatype == "BYTES":
        return _texts(name, content)
    if datatype not in _BINARY_TYPES:
        raise NotJsonError(f"Input {name!r} has the unknown datatype {datatype!r}")
    dtype = np.dtype(_BINARY_TYPES[datatype])
    if len(content) % dtype.itemsize:
        raise NotJsonError(f"Input {name!r} has {len(content)} bytes, which are no whole number of {datatype}")
    values: list[Any] = np.frombuffer(content, dtype=dtype).tolist()
    return values


def _texts(name: str, content: bytes) -> list[Any]:
    """Return texts, each behind its length of four bytes, little-endian."""
    texts, position = [], 0
    try:
        while position < len(content):
            (length,) = struct.unpack_from("<I", content, position)
            piece = content[position + 4 : position + 4 + length]
            if len(piece) < length:
                raise NotJsonError(f"Input {name!r} ends within a text")
            texts.append(piece.decode())
            position += 4 + length
    except (struct.error, UnicodeDecodeError) as error:
        raise NotJsonError(f"The texts of input {name!r} cannot be read: {error}") from error
    return texts
