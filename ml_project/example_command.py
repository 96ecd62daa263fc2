"""The command that prints a record which the exported model can predict, as the service's routes take it."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from ml_project.artifacts.container import read_container
from ml_project.artifacts.manifest import EXAMPLE, find_manifest
from ml_project.config import Config
from ml_project.config_service import ExampleFormat
from ml_project.data.raw_schema import RawSchema
from ml_project.errors import ArtifactDamagedError
from ml_project.serving.codecs.open_inference import DATA_TYPES

Record = Mapping[str, Any]


def print_example(config: Config) -> None:
    """Print a record for the service, made up from the schema of the exported model.

    Raises
    ------
    ArtifactError
        When there is no artifact, or it is damaged.
    """
    place = str(config.artifacts.path)
    members = read_container(config.artifacts.path)
    manifest = find_manifest(members, place)
    if EXAMPLE not in members:
        raise ArtifactDamagedError(f"{place} has no {EXAMPLE}; export the model again")
    body = WRITERS[config.serving.example_format](json.loads(members[EXAMPLE]), manifest.raw_schema)
    # UTF-8 wherever it is printed, because that is what the service reads.
    sys.stdout.buffer.write(body.encode())
    sys.stdout.flush()


def to_json(record: Record, schema: RawSchema) -> str:
    """Return the record as the object that ``/predict`` takes.

    Examples
    --------
    >>> print(to_json({"size": 1.5, "colour": None}, RawSchema(columns=())), end="")
    {"size": 1.5, "colour": null}
    """
    return _one_line(record)


def to_csv(record: Record, schema: RawSchema) -> str:
    r"""Return the record below its header, as ``/invocations`` takes ``text/csv``; a missing value is empty.

    Examples
    --------
    >>> to_csv({"size, cm": 1.5, "colour": None}, RawSchema(columns=()))
    '"size, cm",colour\r\n1.5,\r\n'
    """
    text = io.StringIO(newline="")
    csv.writer(text).writerows([record.keys(), record.values()])
    return text.getvalue()


def to_mlflow(record: Record, schema: RawSchema) -> str:
    """Return the record as the ``dataframe_records`` that MLflow's clients send to ``/invocations``.

    Examples
    --------
    >>> print(to_mlflow({"size": 1.5}, RawSchema(columns=())), end="")
    {"dataframe_records": [{"size": 1.5}]}
    """
    return _one_line({"dataframe_records": [record]})


def to_tensors(record: Record, schema: RawSchema) -> str:
    """Return the record as the Open Inference Protocol's inputs, one tensor per field.

    Examples
    --------
    >>> from ml_project.data.raw_schema import ColumnRule
    >>> size = ColumnRule(name="size", kind="number")
    >>> print(to_tensors({"size": 2}, RawSchema(columns=(size,))), end="")
    {"inputs": [{"name": "size", "shape": [1], "datatype": "FP64", "data": [2]}]}
    """
    kinds = {rule.name: rule.kind for rule in schema.columns}
    tensors = [
        {"name": name, "shape": [1], "datatype": DATA_TYPES[kinds[name]], "data": [value]}
        for name, value in record.items()
    ]
    return _one_line({"inputs": tensors})


def _one_line(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False) + "\n"


WRITERS: dict[ExampleFormat, Callable[[Record, RawSchema], str]] = {
    "json": to_json,
    "csv": to_csv,
    "mlflow": to_mlflow,
    "v2": to_tensors,
}
