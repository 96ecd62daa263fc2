"""The exported model stored as an MLflow model: signature, example, requirements, code and the artifact itself."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from pandas.api.types import is_bool_dtype, is_float_dtype, is_integer_dtype

import ml_project
from ml_project.artifacts.compatibility import distribution_name
from ml_project.tracking.records import ModelRecord

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.models import ModelSignature
    from mlflow.types import DataType

MODEL_NAME = "model"
ALWAYS_NEEDED = ("numpy", "pandas", "pandera", "pydantic")


def log_exported_model(client: MlflowClient, experiment_id: str, run_id: str, model: ModelRecord) -> LoggedModel:
    """Store the exported model with a run, and return how MLflow knows it.

    Parameters
    ----------
    client
        Client of the place that stores it.
    experiment_id, run_id
        What the model comes from.
    model
        The exported model.
    """
    from mlflow.entities import LoggedModelOutput

    logged = client.create_logged_model(experiment_id, name=MODEL_NAME, source_run_id=run_id, model_type="pyfunc")
    try:
        with tempfile.TemporaryDirectory() as folder:
            files = Path(folder) / MODEL_NAME
            write_model_files(files, model, model_id=logged.model_id, run_id=run_id)
            client.log_model_artifacts(logged.model_id, str(files))
    except Exception:
        client.finalize_logged_model(logged.model_id, "FAILED")
        raise
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    return client.finalize_logged_model(logged.model_id, "READY")


def write_model_files(folder: Path, model: ModelRecord, *, model_id: str | None, run_id: str | None) -> None:
    """Write the MLflow model as files; requirements are given, so that MLflow does not guess them in a new process."""
    import mlflow.pyfunc
    from mlflow.models import Model

    from ml_project.tracking.exported_model import ARTIFACT_NAME

    mlflow.pyfunc.save_model(
        path=str(folder),
        python_model=str(Path(__file__).with_name("pyfunc_model.py")),
        artifacts={ARTIFACT_NAME: str(model.artifact_path.absolute())},
        code_paths=[str(Path(ml_project.__file__).parent)],
        signature=to_signature(model.example_raw, model.example_predictions),
        input_example=model.example_raw,
        pip_requirements=to_requirements(model.library_versions),
        mlflow_model=Model(model_id=model_id, run_id=run_id, artifact_path=MODEL_NAME),
    )


def to_requirements(library_versions: Mapping[str, str]) -> list[str]:
    """Return exact requirements for pip: the model's own packages, and what loading it needs in any case.

    Parameters
    ----------
    library_versions
        Versions by import name.

    Examples
    --------
    >>> to_requirements({"sklearn": "1.9.0"})[-1]
    'scikit-learn==1.9.0'
    """
    needed = {name: metadata.version(name) for name in ALWAYS_NEEDED}
    made_with = {distribution_name(package): release for package, release in library_versions.items()}
    return [f"{name}=={release}" for name, release in (needed | made_with).items()]


def to_signature(example_raw: pd.DataFrame, example_predictions: pd.DataFrame) -> ModelSignature:
    """Return the signature: every raw column by name and of any type, every output with its type.

    MLflow's own column types would refuse what the raw schema allows (a whole number where decimals may come, a text
    column without any text in this batch), so values are left to the model's own coercion, which is the stricter check.
    """
    from mlflow.models import ModelSignature
    from mlflow.types.schema import AnyType, ColSpec, Schema

    any_type = AnyType()  # type: ignore[no-untyped-call]  # MLflow annotates only a part of itself
    inputs = Schema([ColSpec(any_type, str(name)) for name in example_raw.columns])
    outputs = Schema([ColSpec(_output_type(values), str(name)) for name, values in example_predictions.items()])
    return ModelSignature(inputs=inputs, outputs=outputs)


def _output_type(values: pd.Series) -> DataType:
    from mlflow.types import DataType

    if is_bool_dtype(values.dtype):
        return DataType.boolean
    if is_integer_dtype(values.dtype):
        return DataType.long
    return DataType.double if is_float_dtype(values.dtype) else DataType.string
