"""The script of an MLflow model from code: MLflow copies it into the model and runs it when the model is loaded.

Nothing is pickled: the model is the exported artifact, and what reads it is a copy of this package beside it.
"""

from mlflow.models import set_model

from ml_project.tracking.exported_model import ExportedModel

set_model(ExportedModel())
