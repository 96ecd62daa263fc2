"""What MLflow's scoring server runs in the comparison: features, preprocessing and forest of scikit-learn on frames."""

from pathlib import Path

import mlflow
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from ml_project.artifacts.container import read_container
from ml_project.artifacts.engines import NativeEngine
from ml_project.artifacts.loading import load_artifact
from ml_project.artifacts.manifest import MODEL
from ml_project.artifacts.trust import load_model
from ml_project.data.coercion import coerce
from ml_project.data.columns import to_columns
from ml_project.project_package import load_feature_processes


class ScikitLearnModel(PythonModel):
    """Predicts label and probabilities with the fitted scikit-learn pipeline."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the pipeline."""
        path = Path(context.artifacts["exported_model"])
        self.pipeline = load_artifact(path, load_feature_processes()).pipeline
        model = load_model(read_container(path)[MODEL])
        self.engine = NativeEngine(model, self.pipeline.features.kinds, classification=True)

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict | None = None
    ) -> pd.DataFrame:
        """Return label and probabilities."""
        schema = self.pipeline.input_schema
        raw = coerce(model_input, schema, missing_values=self.pipeline.missing_values)
        outputs = self.engine.compute(self.pipeline.features.compute(to_columns(raw, schema)))
        probabilities = pd.DataFrame(outputs, columns=[f"proba_{name}" for name in self.pipeline.classes])
        return probabilities.assign(label=outputs.argmax(axis=1))


mlflow.models.set_model(ScikitLearnModel())
