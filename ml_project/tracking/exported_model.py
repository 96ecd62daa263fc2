"""The exported model as MLflow's pyfunc models want it; predicts exactly as every other way to predict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from ml_project.artifacts.loading import load_artifact
from ml_project.data.coercion import coerce
from ml_project.project_package import load_feature_processes
from ml_project.validation.frames import validate_raw

ARTIFACT_NAME = "exported_model"


class ExportedModel(PythonModel):
    """Predicts with the exported artifact: the same checks and the same numbers as every other way to predict."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the artifact that lies in the MLflow model."""
        path = Path(context.artifacts[ARTIFACT_NAME])
        self.pipeline = load_artifact(path, load_feature_processes()).pipeline

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Return the predictions of raw data, of shape ``(n_rows, n_outputs)``.

        Raises
        ------
        InvalidDataError
            With every column that is missing and every value that the raw schema refuses.
        """
        schema = self.pipeline.input_schema
        raw = validate_raw(coerce(model_input, schema, missing_values=self.pipeline.missing_values), schema)
        return self.pipeline.predict(raw)
