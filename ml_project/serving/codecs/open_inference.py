"""The Open Inference Protocol (KServe V2): one tensor per column in, one per part of the prediction out.

Tensors may lie behind the JSON as binary data, as Triton's clients send them; answers are JSON only, which the protocol
leaves to the server.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ml_project.data.raw_schema import ColumnKind, RawSchema
from ml_project.errors import NotJsonError
from ml_project.serving.codecs.json_body import kind_of, parse_json, shortened
from ml_project.serving.codecs.limits import check_n_records
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


@dataclass(frozen=True, slots=True)
class InferenceRequest:
    """What a request of the protocol asks for.

    Attributes
    ----------
    records
        The rows of its tensors, by the names of the columns.
    identifier
        The request's own identifier, if any.
    outputs
        Names of the outputs wanted; ``None`` for all.
    """

    records: Sequence[Mapping[str, Any]]
    identifier: str | None
    outputs: tuple[str, ...] | None


def read_request(request: HttpRequest, *, is_classification: bool, max_records: int) -> InferenceRequest:
    """Return what a request asks for; NaN is a missing number.

    Raises
    ------
    NotJsonError
        When the body does not follow the protocol, or asks for an output that there is not.
    BatchTooLargeError
        When there are more than ``max_records``.
    """
    text, binary = _split(request)
    payload = parse_json(text, allow_nan=True)
    inputs = payload.get("inputs") if isinstance(payload, dict) else None
    if not isinstance(inputs, list) or not inputs or not all(isinstance(tensor, dict) for tensor in inputs):
        raise NotJsonError('The body must be a JSON object with "inputs", a list of tensors, one per column')
    columns: dict[str, list[Any]] = {}
    for tensor in inputs:
        name, values, binary = _values(tensor, binary)
        if name in columns:
            raise NotJsonError(f"The input {shortened(name)} is given twice; give each once")
        columns[name] = values
    lengths = sorted({len(values) for values in columns.values()})
    if len(lengths) > 1:
        raise NotJsonError(f"The inputs have between {lengths[0]} and {lengths[-1]} rows; give all the same number")
    if binary:
        raise NotJsonError(f"{len(binary)} bytes lie behind the last input's data; correct {_EXTENSION}")
    check_n_records(lengths[0], max_records)
    identifier = payload.get("id")
    return InferenceRequest(
        records=[dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)],
        identifier=identifier if isinstance(identifier, str) else None,
        outputs=_wanted(payload.get("outputs"), output_names(is_classification=is_classification)),
    )


def output_names(*, is_classification: bool) -> tuple[str, ...]:
    """Return the names of all outputs."""
    return ("prediction_id", "label", "probas") if is_classification else ("prediction_id", "value")


def from_answers(
    answers: Sequence[Mapping[str, Any]],
    asked: InferenceRequest,
    *,
    classes: Sequence[Any] | None,
    model_name: str,
    model_version: str,
) -> dict[str, Any]:
    """Return the body that answers with predictions: ``prediction_id``, then ``label`` and ``probas``, or ``value``.

    ``probas`` has the shape ``(n_rows, n_classes)``; the metadata of the model names the classes in their order.
    """
    outputs = [_tensor("prediction_id", "BYTES", [answer["prediction_id"] for answer in answers])]
    if classes is None:
        outputs.append(_tensor("value", "FP64", [answer["value"] for answer in answers]))
    else:
        outputs.append(_tensor("label", label_type(classes), [answer["label"] for answer in answers]))
        data = [probability for answer in answers for probability in answer["probas"].values()]
        outputs.append({"name": "probas", "datatype": "FP64", "shape": [len(answers), len(classes)], "data": data})
    if asked.outputs is not None:
        outputs = [output for output in outputs if output["name"] in asked.outputs]
    body = {"model_name": model_name, "model_version": model_version, "outputs": outputs}
    return body if asked.identifier is None else {**body, "id": asked.identifier}


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


def _wanted(outputs: Any, names: Sequence[str]) -> tuple[str, ...] | None:
    if outputs is None:
        return None
    if not isinstance(outputs, list) or not all(isinstance(output, dict) for output in outputs):
        raise NotJsonError('"outputs" must be a list of objects with the names of the outputs wanted; or leave it out')
    wanted = {output.get("name") if isinstance(output.get("name"), str) else None for output in outputs}
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise NotJsonError(f"There is no output {shortened(unknown[0])}; outputs are {', '.join(names)}")
    return tuple(name for name in names if name in wanted) or None


def _tensor(name: str, datatype: str, data: list[Any]) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": [len(data)], "data": data}


def _split(request: HttpRequest) -> tuple[bytes, bytes]:
    """Return the JSON of a body and the binary data behind it."""
    declared = request.headers.get(JSON_LENGTH)
    if declared is None:
        return request.body, b""
    is_number = declared.isascii() and declared.isdigit() and len(declared) < 20
    if not is_number or int(declared) > len(request.body):
        raise NotJsonError(f"The header {JSON_LENGTH} must be at most the body's {len(request.body)} bytes")
    return request.body[: int(declared)], request.body[int(declared) :]


def _values(tensor: dict[str, Any], binary: bytes) -> tuple[str, list[Any], bytes]:
    """Return a tensor's name and values, and the binary data that is left for the others."""
    name, shape = tensor.get("name"), tensor.get("shape")
    if not isinstance(name, str):
        raise NotJsonError(f"An input has {kind_of(name)} as its name; name the column")
    if not isinstance(shape, list) or not all(type(length) is int and length >= 0 for length in shape):
        raise NotJsonError(f"The shape of input {shortened(name)} must be a list of whole numbers")
    if len(shape) not in (1, 2) or (len(shape) == 2 and shape[1] != 1):
        raise NotJsonError(f"Input {shortened(name)} has the shape {shortened(shape)}; send [rows] or [rows, 1]")
    parameters = tensor.get("parameters")
    size = parameters.get(_EXTENSION) if isinstance(parameters, dict) else None
    if size is None:
        return name, _checked(name, shape[0], _flat(name, tensor.get("data"))), binary
    if type(size) is not int or not 0 <= size <= len(binary):
        left = f"0 and {len(binary)}, the bytes left"
        raise NotJsonError(f"{_EXTENSION} of input {shortened(name)} must lie between {left}")
    values = _from_bytes(name, tensor.get("datatype"), binary[:size])
    return name, _checked(name, shape[0], values), binary[size:]


def _flat(name: str, data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise NotJsonError(f"The data of input {shortened(name)} is {kind_of(data)}; send a list")
    nested = bool(data) and all(isinstance(row, list) and len(row) == 1 for row in data)
    return [row[0] for row in data] if nested else data


def _checked(name: str, n_rows: int, values: list[Any]) -> list[Any]:
    if len(values) != n_rows:
        raise NotJsonError(f"Input {shortened(name)} has {len(values)} values, but its shape says {shortened(n_rows)}")
    return values


def _from_bytes(name: str, datatype: Any, content: bytes) -> list[Any]:
    if datatype == "BYTES":
        return _texts(name, content)
    if not isinstance(datatype, str) or datatype not in _BINARY_TYPES:
        raise NotJsonError(f"Input {shortened(name)} has the unknown datatype {shortened(datatype)}")
    dtype = np.dtype(_BINARY_TYPES[datatype])
    if len(content) % dtype.itemsize:
        raise NotJsonError(f"Input {shortened(name)} has {len(content)} bytes, which are no whole number of {datatype}")
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
                raise NotJsonError(f"Input {shortened(name)} ends within a text")
            texts.append(piece.decode())
            position += 4 + length
    except (struct.error, UnicodeDecodeError) as error:
        raise NotJsonError(f"The texts of input {shortened(name)} cannot be read: {error}") from error
    return texts
